"""Access tokens by OAuth 2.0 client credentials: asked for when they are needed, kept as long as they last.

Called by `delivery.courier`. A token goes over the same door as everything else, and by the same rules.

Source: RFC 6749, sections 4.4 and 2.3.1.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, replace
from urllib.parse import quote_plus, urlencode

import orjson

from hooksd.clock import Clock
from hooksd.config.snapshot import CompiledEndpoint
from hooksd.delivery.attempt import Attempted, Sender
from hooksd.delivery.request import Prepared, request_of
from hooksd.model.body import FORM
from hooksd.model.identity import Grant

SPARE = 30.0
"""Seconds before its end that a token counts as ended."""
WITHOUT_END = 300.0
"""Seconds that a token is kept whose end nobody has told."""
MOST = 256
"""Tokens that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    text: str
    until: float


class Tokens:
    """Has a token for whoever needs one."""

    def __init__(self, *, sender: Sender, clock: Clock) -> None:
        """Take the world as arguments."""
        self._sender = sender
        self._clock = clock
        self._tokens: dict[Grant, _Token] = {}
        self._asking: dict[Grant, asyncio.Lock] = {}

    async def of(self, endpoint: CompiledEndpoint, grant: Grant) -> str | Attempted:
        """Return a token; or what came of asking for one, when there is none. Many who need the same one ask once."""
        lock = self._asking.setdefault(grant, asyncio.Lock())
        async with lock:
            known = self._tokens.get(grant)
            if known is not None and self._clock.monotonic() < known.until:
                return known.text
            asked = await self._sender.attempt(_asking(endpoint, grant), endpoint.value.timeout)
            token = self._read(asked)
            if token is None:
                return _failed(asked)
            if len(self._tokens) >= MOST:
                del self._tokens[next(iter(self._tokens))]
            self._tokens[grant] = token
            return token.text

    def forget(self, grant: Grant) -> None:
        """Ask for a new one next time: this one was not accepted."""
        self._tokens.pop(grant, None)

    def _read(self, asked: Attempted) -> _Token | None:
        if asked.outcome != "ok":
            return None
        try:
            answer = orjson.loads(asked.exchange.response_body)
            text, lasts = answer["access_token"], float(answer.get("expires_in") or WITHOUT_END)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None
        if not isinstance(text, str) or not text.isascii() or not text.isprintable() or not text:
            return None
        return _Token(text=text, until=self._clock.monotonic() + max(lasts - SPARE, lasts / 2))


def _asking(endpoint: CompiledEndpoint, grant: Grant) -> Prepared:
    fields = {"grant_type": "client_credentials", "scope": grant.scope, "audience": grant.audience}
    user = f"{quote_plus(grant.client_id)}:{quote_plus(grant.client_secret.text())}"
    headers = {
        "Authorization": "Basic " + base64.b64encode(user.encode()).decode(),
        "Content-Type": FORM,
        "Accept": "application/json",
    }
    body = urlencode({name: value for name, value in fields.items() if value}).encode()
    return request_of("POST", grant.token_url, headers, body, egress=endpoint.value.egress, identity=endpoint.identity)


def _failed(asked: Attempted) -> Attempted:
    """Return the attempt that was not made for want of a token. What the server said may hold one: it is not kept."""
    why = asked.error or "its answer has no `access_token`"
    outcome = "config" if asked.outcome == "ok" else asked.outcome
    if outcome == "gone":
        outcome = "http_4xx"  # the token's server is gone, not the receiver
    exchange = replace(asked.exchange, response_body="", response_headers={}, status=None)
    return replace(
        asked, outcome=outcome, exchange=exchange, error=f"no token from {asked.exchange.url}: {why}", is_sent=False
    )
