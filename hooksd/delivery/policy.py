"""What follows an attempt: the end of the delivery, or another attempt and when. Pure arithmetic over the outcome.

Called by `delivery.dispatcher`. An answer of 2xx is a success and 410 says never again; everything else is tried again
until the schedule ends, because receivers answer 404 or 401 while they are being deployed too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Literal, NamedTuple

from pydantic import TypeAdapter

from hooksd.model.base import Json
from hooksd.model.record import DeliveryStatus, Outcome
from hooksd.model.retry import Retry, RetryRule, wait_after

MAX_RETRY_AFTER = 86_400.0
"""A receiver may put us off for at most a day, in seconds; then we ask again."""

GONE = 410

NOT_NOW = frozenset({429, 503})
"""Answers that say that nobody acted on the request."""
ANSWERED = frozenset({"ok", "http_4xx", "http_5xx", "redirect", "gone"})
"""Outcomes that a whole answer decided."""

_LIMITS = (("ratelimit-reset", "ratelimit-remaining"), ("x-ratelimit-reset", "x-ratelimit-remaining"))
_TELLING = frozenset({"retry-after", *(reset for reset, _ in _LIMITS)})
"""Headers without which nothing is said of patience."""
_A_MOMENT = 1e9
"""A greater number is a moment, no number of seconds: thirty years."""

_RULE: TypeAdapter[RetryRule] = TypeAdapter(RetryRule)


class Over(NamedTuple):
    """The delivery has its end."""

    status: DeliveryStatus


DELIVERED = Over(status="delivered")
INDETERMINATE = Over(status="indeterminate")


class TryAgain(NamedTuple):
    """There will be another attempt."""

    wait: float
    """Seconds from now."""
    why: Literal["schedule", "receiver"] = "schedule"
    """What decided how long."""


def outcome_of(status: int) -> Outcome:
    """Return the class of an answer. Redirects are failures: a signed payload goes where its definition says."""
    if 200 <= status < 300:
        return "ok"
    if status == GONE:
        return "gone"
    match status // 100:
        case 3:
            return "redirect"
        case 4:
            return "http_4xx"
        case 5:
            return "http_5xx"
        case _:
            return "protocol"


def verdict(outcome: Outcome, status: int | None, *, may_have_arrived: bool = False) -> Over:
    """Return the end of a delivery whose last attempt this was; the arguments are those of `next_step`."""
    if outcome == "ok":
        return DELIVERED
    if may_have_arrived and outcome not in ANSWERED:
        return INDETERMINATE
    return Over(status="gone" if status == GONE else "exhausted")


def next_step(
    *,
    outcome: Outcome,
    status: int | None,
    rule: RetryRule,
    attempt: int,
    jitter: float,
    patience: float | None = None,
    may_have_arrived: bool = False,
) -> Over | TryAgain:
    """Return what follows an attempt.

    Args:
        outcome: How it ended.
        status: The HTTP status, if there was an answer.
        rule: The schedule.
        attempt: How many attempts have ended, this one included.
        jitter: A random fraction from 0 to 1.
        patience: For how many seconds the receiver wants to be left alone; it only ever makes the wait longer.
        may_have_arrived: The endpoint must not get anything twice, and some of this request has left.
    """
    if outcome == "ok" or status == GONE:
        return verdict(outcome, status)
    if may_have_arrived and status not in NOT_NOW:
        return verdict(outcome, status, may_have_arrived=True)
    wait = wait_after(rule, attempt, jitter)
    if wait is None:
        return verdict(outcome, status)
    if patience is not None and patience > wait:
        return TryAgain(wait=patience, why="receiver")
    return TryAgain(wait=wait)


def patience(status: int | None, headers: Mapping[str, str], now: float) -> float | None:
    """Return for how many seconds a receiver wants to be left alone, at most a day; None: it does not say so.

    `Retry-After` counts with any failure. The headers about rate limits come with every answer of some receivers: they
    count when they say that nothing is left, or when the answer is 429.

    Args:
        status: Of the answer; None without one.
        headers: Of the answer, names in lower case.
        now: Unix seconds.

    Source: RFC 9110, section 10.2.3; draft-ietf-httpapi-ratelimit-headers; GitHub, "Rate limits for the REST API".
    """
    if headers.keys().isdisjoint(_TELLING):
        return None
    asked = None if status is not None and status < 300 else _seconds(headers.get("retry-after"), now)
    for reset, remaining in _LIMITS:
        if reset in headers and (status == 429 or headers.get(remaining, "").strip() == "0"):
            asked = max(asked or 0.0, _seconds(headers[reset], now) or 0.0)
    return None if asked is None else min(asked, MAX_RETRY_AFTER)


def _seconds(value: str | None, now: float) -> float | None:
    """Read a number of seconds, a moment in Unix seconds, or an HTTP date."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        number = float(text[:12])
        return max(number - now, 0.0) if number > _A_MOMENT else number
    try:
        moment = parsedate_to_datetime(text)
        return max(moment.replace(tzinfo=moment.tzinfo or dt.UTC).timestamp() - now, 0.0)
    except (ValueError, OverflowError):
        return None


def rule_to_json(rule: RetryRule | None) -> Json:
    """Return a step's rule as records keep it: as a file would write it."""
    if not isinstance(rule, Retry):
        return rule
    return {
        "max": rule.max,
        "delay": _duration(rule.delay),
        "factor": rule.factor,
        "max_delay": _duration(rule.max_delay),
    }


def rule_from_json(kept: Json) -> RetryRule | None:
    """Return the rule that `rule_to_json` wrote.

    Raises:
        ValueError: It is none.
    """
    if kept is None:
        return None
    return _RULE.validate_python(kept)


def _duration(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
