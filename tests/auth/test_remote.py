from __future__ import annotations

from collections.abc import Callable

import pytest

from hooksd.auth.remote import FIRST_RETRY, MAX_AGE, MAX_VISITS, REFRESH, RETRY, Remote, Remotes

NOW = 1_700_000_000.0
URL = "https://issuer.example/jwks"


def parsed(data: bytes) -> str:
    if data == b"bad":
        raise ValueError("no keys")
    return data.decode()


def remote(url: str = URL, parse: Callable[[bytes], str] = parsed) -> Remote[str]:
    return Remote(url, parse)


def test_a_new_document_is_due_and_says_nothing_until_it_is_there() -> None:
    keys = remote()

    assert keys.value(NOW) is None
    assert keys.due(NOW)
    assert keys.received(b"one", NOW)
    assert keys.value(NOW) == "one"
    assert not keys.due(NOW)


@pytest.mark.parametrize("answer", [None, b"bad"])
def test_what_cannot_be_had_is_tried_again_every_ten_seconds(answer: bytes | None) -> None:
    keys = remote()

    assert not keys.received(answer, NOW)
    assert not keys.due(NOW + FIRST_RETRY - 1)
    assert keys.due(NOW + FIRST_RETRY)


def test_keys_are_fetched_anew_after_an_hour() -> None:
    keys = remote()
    keys.received(b"one", NOW)

    assert not keys.due(NOW + REFRESH - 1)
    assert keys.due(NOW + REFRESH)
    keys.received(b"two", NOW + REFRESH)
    assert keys.value(NOW + REFRESH) == "two"


@pytest.mark.parametrize("answer", [None, b"bad"])
def test_while_newer_keys_cannot_be_had_the_older_ones_are_used_for_a_day(answer: bytes | None) -> None:
    keys = remote()
    keys.received(b"one", NOW)

    keys.received(answer, NOW + REFRESH)

    assert not keys.due(NOW + REFRESH + RETRY - 1)
    assert keys.due(NOW + REFRESH + RETRY)
    assert keys.value(NOW + MAX_AGE) == "one"
    assert keys.value(NOW + MAX_AGE + 1) is None


def test_an_unknown_key_has_the_document_fetched_once_a_minute_at_most() -> None:
    keys = remote()
    keys.received(b"one", NOW)

    asked = [keys.ask_again(NOW + second) for second in range(61)]

    assert asked == [False] * 60 + [True]
    assert not keys.due(NOW + RETRY - 1)
    assert keys.due(NOW + RETRY)
    keys.received(b"two", NOW + RETRY)
    assert not keys.ask_again(NOW + RETRY)
    assert not keys.due(NOW + RETRY + 1)


def test_a_clock_that_goes_back_stops_nothing() -> None:
    keys = remote()
    keys.received(b"one", NOW)

    assert keys.due(NOW - 3600)
    assert keys.ask_again(NOW - 3600)


def test_a_document_is_fetched_as_long_as_somebody_holds_it() -> None:
    remotes = Remotes()
    kept, other = remotes.want(remote()), remotes.want(remote())

    assert remotes.due(NOW) == [kept, other]
    del other
    assert remotes.due(NOW) == [kept]


def test_a_visit_is_made_once_and_too_many_are_dropped() -> None:
    remotes = Remotes()
    for number in range(MAX_VISITS + 5):
        remotes.visit(f"https://sns.example/{number}")
        remotes.visit(f"https://sns.example/{number}")

    assert len(remotes.visits()) == MAX_VISITS
    assert remotes.visits() == []


def test_a_definition_that_changes_keeps_the_keys_that_are_there() -> None:
    remotes = Remotes()
    first, other = remotes.want(remote()), remotes.want(remote(f"{URL}/other"))
    first.received(b"one", NOW)
    other.received(b"two", NOW)

    second = remotes.want(remote())
    fresh = remotes.want(remote(f"{URL}/third"))

    assert second.value(NOW) == "one"
    assert not second.due(NOW + 1)
    assert second.due(NOW + REFRESH)
    assert fresh.value(NOW) is None


def test_keys_that_do_not_fit_another_definition_are_fetched_for_it() -> None:
    def picky(data: bytes) -> str:
        raise ValueError(data)

    remotes = Remotes()
    first = remotes.want(remote())
    first.received(b"one", NOW)

    assert remotes.want(remote(parse=picky)).value(NOW) is None
