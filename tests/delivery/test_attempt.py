from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hooksd.delivery.attempt import Attempted, exchange_of, not_made, redacted
from hooksd.delivery.request import request_of


def attempted(headers: dict[str, str] | None = None, url: str = "https://a.example/") -> Attempted:
    return Attempted(outcome="ok", exchange=exchange_of(request_of("POST", url, headers or {}, b"abc")))


def test_an_exchange_holds_the_hash_of_the_body_and_its_size() -> None:
    exchange = attempted().exchange

    assert exchange.request_size == 3
    assert exchange.request_sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_headers_for_credentials_are_replaced_whatever_they_hold() -> None:
    told = replace(
        attempted({"AUTHORIZATION": "Bearer x", "X-Api-Key": "y", "X-A": "z"}),
        exchange=replace(
            attempted({"AUTHORIZATION": "Bearer x", "X-Api-Key": "y", "X-A": "z"}).exchange,
            response_headers={"set-cookie": "s=1"},
        ),
    )

    exchange = redacted(told, ()).exchange

    assert exchange.request_headers == {"AUTHORIZATION": "***", "X-Api-Key": "***", "X-A": "z"}
    assert exchange.response_headers == {"set-cookie": "***"}


def test_a_secret_is_found_as_it_is_and_as_urls_spell_it() -> None:
    told = redacted(attempted(url="https://a.example/a%20b%2Fc?k=a+b%2Fc"), ["a b/c"])

    assert told.exchange.url == "https://a.example/***?k=***"


def test_a_secret_that_begins_another_does_not_leave_the_rest_of_it() -> None:
    assert (
        redacted(attempted(url="https://a.example/abcdef"), ["abc", "abcdef"]).exchange.url == "https://a.example/***"
    )


def test_an_empty_secret_replaces_nothing() -> None:
    assert redacted(attempted(), [""]).exchange.url == "https://a.example/"


@given(st.text(min_size=4, alphabet="abcxyz /&%"), st.text(max_size=10), st.text(max_size=10))
def test_a_secret_is_in_no_part_of_what_is_kept(secret: str, before: str, after: str) -> None:
    text = before + secret + after
    known = attempted({"X-A": text})
    told = replace(
        known,
        error=text,
        exchange=replace(known.exchange, url=text, response_body=text, response_headers={"x": text}),
    )

    kept = redacted(told, [secret])

    exchange = kept.exchange
    for part in (kept.error, exchange.url, exchange.response_body, *exchange.response_headers.values()):
        assert secret not in str(part)


def test_a_request_that_could_not_be_made_has_no_url_and_says_why() -> None:
    told = not_made(b"abc", "no such endpoint")

    assert (told.outcome, told.error, told.exchange.url, told.exchange.request_size) == (
        "config",
        "no such endpoint",
        "",
        3,
    )
