from __future__ import annotations

import io
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from hooksd.journal import search

WORDS = st.lists(st.sampled_from([b"a", b"b", b"c", b"ab", b"-" * 70_000, b"", b"bc"]), max_size=12)
MARKS = st.sets(st.sampled_from([b"a", b"b", b"ab", b"zz"]), min_size=1)


class Counted(io.BytesIO):
    """A file that knows how much of it was read."""

    amount = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.amount += len(data)
        return data

    def readline(self, size: int | None = -1) -> bytes:
        line = super().readline(size)
        self.amount += len(line)
        return line


def file_of(lines: list[bytes]) -> Counted:
    return Counted(b"".join(line + b"\n" for line in lines))


def places(lines: list[bytes]) -> Iterator[search.Place]:
    offset = 0
    for line in lines:
        yield offset, line
        offset += len(line) + 1


def holds(line: bytes, marks: set[bytes]) -> bool:
    return any(mark in line for mark in marks)


@given(WORDS, MARKS)
def test_reading_on_yields_every_line_that_holds_a_mark_in_order(lines: list[bytes], marks: set[bytes]) -> None:
    found = [place for place in search.onward(file_of(lines), 0, lambda: marks) if holds(place[1], marks)]

    assert found == [place for place in places(lines) if holds(place[1], marks)]


@given(WORDS, MARKS)
def test_reading_on_ends_with_the_last_line_whatever_it_holds(lines: list[bytes], marks: set[bytes]) -> None:
    assert list(search.onward(file_of(lines), 0, lambda: marks))[-1:] == list(places(lines))[-1:]


def test_reading_on_begins_where_it_is_told_to() -> None:
    assert list(search.onward(file_of([b"a1", b"a2"]), 3, lambda: [b"a"])) == [(3, b"a2")]


def test_a_line_can_name_what_the_next_ones_must_hold() -> None:
    marks = [b"first"]
    seen = []
    for _, line in search.onward(file_of([b"second 1", b"first", b"other", b"second 2", b"other"]), 0, lambda: marks):
        seen.append(line)
        marks.append(b"second")

    assert seen == [b"first", b"second 2", b"other"]


def test_a_line_that_is_being_written_is_left_out_from_both_ends() -> None:
    file = Counted(b"a1\na2")

    assert list(search.onward(file, 0, lambda: [b"a"])) == [(0, b"a1")]
    assert list(search.back(file, [b"a"])) == [(0, b"a1")]
    assert list(search.back(Counted(b"a1"), [])) == []


@given(WORDS)
def test_reading_back_without_marks_yields_every_line_last_first(lines: list[bytes]) -> None:
    assert list(search.back(file_of(lines), [])) == list(places(lines))[::-1]


@given(WORDS, MARKS)
def test_reading_back_yields_every_line_that_holds_a_mark_last_first(lines: list[bytes], marks: set[bytes]) -> None:
    wanted = [place for place in places(lines) if holds(place[1], marks)]

    assert list(search.back(file_of(lines), marks)) == wanted[::-1]


def test_the_newest_lines_cost_one_small_piece() -> None:
    file = file_of([b"%09d" % number for number in range(100_000)])

    assert next(search.back(file, [b"000099"]))[1] == b"000099999"
    assert file.amount == search.SMALLEST


def when(line: bytes) -> float | None:
    return float(line) if line.isdigit() else None


@given(st.lists(st.integers(0, 99_999), max_size=30_000), st.integers(0, 100_000))
def test_no_line_of_a_time_or_later_stands_before_where_it_begins(times: list[int], wanted: int) -> None:
    lines = [b"%09d" % time for time in sorted(times)]
    offset = search.before(file_of(lines), wanted, when)

    assert offset % 10 == 0
    assert all(time < wanted for time in sorted(times)[: offset // 10])


def test_a_time_is_found_without_reading_the_file() -> None:
    file = file_of([b"%09d" % time for time in range(1_000_000)])

    offset = search.before(file, 700_000, when)

    assert 7_000_000 - search.SMALLEST <= offset <= 7_000_000
    assert file.amount < 1000


def test_lines_that_do_not_say_when_they_were_made_are_stepped_over() -> None:
    lines = [b"%09d" % time if time % 3 else b"damaged" for time in range(100_000)]

    offset = search.before(file_of(lines), 50_000, when)

    assert when(file_of(lines).getvalue()[offset:].split(b"\n")[0]) is not None
    assert offset < sum(len(line) + 1 for line in lines[:50_000])
