"""What came of one attempt, and how it may be written down: with every credential replaced. Pure.

`delivery.sender` makes an `Attempted`, `delivery.dispatcher` replaces what is secret before anything is kept of it.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Protocol
from urllib.parse import quote, quote_plus

from hooksd.delivery.request import Prepared
from hooksd.model.header import CREDENTIAL_HEADERS
from hooksd.model.record import Exchange, Outcome
from hooksd.model.value import value

HIDDEN = "***"
"""What stands in the place of a secret."""


@value
class Attempted:
    """One attempt and its outcome."""

    outcome: Outcome
    exchange: Exchange
    error: str | None = None
    """For people, in one line; None when it was received."""
    is_sent: bool = True
    """Some of the request may have left: whether it was received, only an answer tells."""


class Sender(Protocol):
    """Makes one attempt, as `delivery.sender.HttpSender` does and as tests pretend to."""

    async def attempt(self, prepared: Prepared, timeout: float) -> Attempted:  # noqa: ASYNC109 - a rule of the endpoint
        """Send a request within some seconds, the answer's body included. Failing is an outcome, not an exception."""
        ...


def exchange_of(prepared: Prepared) -> Exchange:
    """Return the exchange of a request that nothing is known of yet."""
    return Exchange(
        method=prepared.method,
        url=prepared.url,
        request_headers=prepared.headers,
        request_size=len(prepared.body),
        request_sha256=hashlib.sha256(prepared.body).hexdigest(),
    )


def not_made(body: bytes, error: str) -> Attempted:
    """Return the attempt for which no request could be made."""
    digest = hashlib.sha256(body).hexdigest()
    exchange = Exchange(method="", url="", request_headers={}, request_size=len(body), request_sha256=digest)
    return Attempted(outcome="config", exchange=exchange, error=error, is_sent=False)


def redacted(attempted: Attempted, secrets: Collection[str]) -> Attempted:
    """Replace credentials wherever they may be: receivers repeat in answers what they were sent.

    Args:
        attempted: As it was on the wire.
        secrets: The texts of secrets that the request holds.
    """
    exchange = attempted.exchange
    names = map(str.lower, (*exchange.request_headers, *exchange.response_headers))
    if not secrets and CREDENTIAL_HEADERS.isdisjoint(names):
        return attempted
    texts = _spelled(tuple(secrets))
    return replace(
        attempted,
        error=None if attempted.error is None else _hide(attempted.error, texts),
        exchange=replace(
            exchange,
            url=_hide(exchange.url, texts),
            request_headers=_hide_headers(exchange.request_headers, texts),
            response_headers=_hide_headers(exchange.response_headers, texts),
            response_body=_hide(exchange.response_body, texts),
        ),
    )


@functools.lru_cache(maxsize=1024)
def _spelled(secrets: tuple[str, ...]) -> tuple[str, ...]:
    """Return how secrets may be written, the longest first: one secret may be the beginning of another."""
    spelled = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""), quote_plus(secret))}
    return tuple(sorted(spelled, key=len, reverse=True))


def _hide_headers(headers: Mapping[str, str], texts: Sequence[str]) -> dict[str, str]:
    return {
        name: HIDDEN if name.lower() in CREDENTIAL_HEADERS else _hide(value, texts) for name, value in headers.items()
    }


def _hide(text: str, texts: Sequence[str]) -> str:
    for secret in texts:
        text = text.replace(secret, HIDDEN)
    return text
