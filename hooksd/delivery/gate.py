"""The gate before an endpoint: may the next attempt begin, and if not, why and until when? Pure: values in, values out.

Nothing is dropped at a gate: what is due waits before it, with a reason. Called by `delivery.gates`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hooksd.delivery.breaker import CLOSED, Breaker, allows, begun, ended
from hooksd.model.holding import HoldReason
from hooksd.model.rate import Rate
from hooksd.model.record import Outcome

EACH = 8
"""Attempts under way to one endpoint at the same time, when its definition is gone."""
ABOUT_THE_PAYLOAD = frozenset({400, 409, 411, 413, 414, 415, 422, 431})
"""Answers that say something of this request and nothing of the endpoint: it works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Deliveries wait."""

    reason: HoldReason
    until: float | None = None
    """Unix seconds at which to look again; None: when somebody changes something, or the attempt under way ends."""
    error: str | None = None
    """What happened, for people."""


class Bucket(NamedTuple):
    """A token bucket: full at first, filled at its rate, one token for each attempt."""

    tokens: float
    at: float
    """Unix seconds at which there were so many."""


class Gate(NamedTuple):
    """What is known of one endpoint."""

    suspended: str | None = None
    """Why nothing is sent until its definition changes or somebody resumes it."""
    not_before: float = 0.0
    """Unix seconds: the receiver asked for patience."""
    breaker: Breaker = CLOSED
    buckets: tuple[tuple[Rate, Bucket], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the definition of an endpoint says of its gate."""

    is_enabled: bool = True
    rates: tuple[Rate, ...] = ()
    most: int = EACH
    """Attempts under way at the same time."""
    is_call: bool = False
    """It is for calls: nothing holds them but how many are under way."""


class Last(NamedTuple):
    """The last attempt that ended since the daemon started."""

    at: float
    """Unix seconds."""
    outcome: Outcome
    status: int | None
    """The HTTP status, if there was an answer."""


OPEN = Gate()


def hold(gate: Gate, limits: Limits, now: float) -> Hold | None:
    """Return why the next attempt may not begin, the most lasting reason first; None when it may."""
    if not limits.is_enabled:
        return Hold(reason="disabled")
    if gate.suspended is not None:
        return Hold(reason="suspended", error=gate.suspended)
    if now < gate.not_before:
        return Hold(reason="receiver", until=gate.not_before)
    if not allows(gate.breaker, now):
        return Hold(reason="breaker", until=None if gate.breaker.is_probing else gate.breaker.until)
    if limits.rates:
        wait = max(_wait(rate, bucket) for rate, bucket in _filled(gate, limits.rates, now))
        if wait > 0:
            return Hold(reason="rate", until=now + wait)
    return None


def passed(gate: Gate, limits: Limits, now: float) -> Gate:
    """Return the gate after an attempt went through it."""
    if limits.rates:
        spent = tuple(
            (rate, bucket._replace(tokens=bucket.tokens - 1)) for rate, bucket in _filled(gate, limits.rates, now)
        )
        gate = gate._replace(buckets=spent)
    return gate if not gate.breaker.is_open else gate._replace(breaker=begun(gate.breaker))


def learned(gate: Gate, now: float, *, outcome: Outcome, status: int | None, patience: float | None) -> Gate:
    """Return the gate after an attempt ended.

    Args:
        gate: Before.
        now: Unix seconds.
        outcome: How it ended.
        status: The HTTP status, if there was an answer.
        patience: For how many seconds the receiver wants to be left alone.
    """
    if outcome == "gone":
        return gate._replace(suspended="the receiver answered 410, which means never again")
    breaker = ended(gate.breaker, now, is_good=outcome == "ok" or status in ABOUT_THE_PAYLOAD)
    not_before = gate.not_before if now < gate.not_before else 0.0
    if patience:
        not_before = max(not_before, now + patience)
    return Gate(gate.suspended, not_before, breaker, gate.buckets)


def _filled(gate: Gate, rates: Sequence[Rate], now: float) -> list[tuple[Rate, Bucket]]:
    """Return the bucket of each rate as it is now; that of a new rate is full."""
    known = dict(gate.buckets)
    filled = []
    for rate in rates:
        bucket = known.get(rate)
        tokens = float(rate.count)
        if bucket is not None:
            tokens = min(tokens, bucket.tokens + max(0.0, now - bucket.at) * rate.count / rate.seconds)
        filled.append((rate, Bucket(tokens=tokens, at=now)))
    return filled


def _wait(rate: Rate, bucket: Bucket) -> float:
    """Return the seconds until there is a whole token. Times are floats: a token that lacks a thousandth is whole."""
    missing = 1.0 - bucket.tokens
    return 0.0 if missing < 1e-3 else missing * rate.seconds / rate.count
