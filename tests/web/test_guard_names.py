"""Names of headers: always those that were sent, and never more of them in memory than a few."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hooksd.web.guard_names import LONGEST, MOST, Names

sent = st.text("aZ-9_~", min_size=1, max_size=LONGEST * 2).map(str.encode)


@given(st.lists(sent))
def test_a_name_is_what_was_sent_in_lower_case_however_often_it_comes(names: list[bytes]) -> None:
    known = Names()

    assert [known[name] for name in names + names] == [name.decode().lower() for name in names + names]


def test_the_same_name_is_the_same_text() -> None:
    known = Names()

    assert known[b"X-Event"] is known[b"X-Event"]


def test_no_more_names_are_kept_than_a_few() -> None:
    known = Names()
    for number in range(MOST * 3):
        assert known[b"X-%d" % number] == f"x-{number}"

    assert 0 < len(known) <= MOST


def test_a_long_name_is_not_kept() -> None:
    known = Names()

    assert known[b"A" * (LONGEST + 1)] == "a" * (LONGEST + 1)
    assert known[b"A" * LONGEST] == "a" * LONGEST

    assert list(known) == [b"A" * LONGEST]
