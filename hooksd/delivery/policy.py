"""What follows an attempt: the end of the delivery, or another attempt and when. Pure arithmetic over the outcome.

Called by `delivery.dispatcher`. An answer of 2xx is a success and 410 says never again; everything else is tried again
until the schedule ends, because receivers answer 404 or 401 while they are being deployed too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

from pydantic import TypeAdapter

from hooksd.model.base import Json
from hooksd.model.record import Outcome
from hooksd.model.retry import Retry, RetryRule, wait_after

MAX_RETRY_AFTER = 86_400.0
"""A receiver may put us off for at most a day, in seconds; then we ask again."""

GONE = 410

_RULE: TypeAdapter[RetryRule] = TypeAdapter(RetryRule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """The delivery has its end."""

    status: Literal["delivered", "exhausted", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TryAgain:
    """There will be another attempt."""

    wait: float
    """Seconds from now."""


def outcome_of(status: int) -> Outcome:
    """Return the class of an answer. Redirects are failures: a signed payload goes where its definition says."""
    if status == GONE:
        return "gone"
    match status // 100:
        case 2:
            return "ok"
        case 3:
            return "redirect"
        case 4:
            return "http_4xx"
        case 5:
            return "http_5xx"
        case _:
            return "protocol"


def verdict(outcome: Outcome, status: int | None) -> Over:
    """Return the end of a delivery whose last attempt this was."""
    if outcome == "ok":
        return Over(status="delivered")
    return Over(status="gone" if status == GONE else "exhausted")


def next_step(
    *,
    outcome: Outcome,
    status: int | None,
    rule: RetryRule,
    attempt: int,
    jitter: float,
    retry_after: float | None,
) -> Over | TryAgain:
    """Return what follows an attempt.

    Args:
        outcome: How it ended.
        status: The HTTP status, if there was an answer.
        rule: The schedule.
        attempt: How many attempts have ended, this one included.
        jitter: A random fraction from 0 to 1.
        retry_after: What the receiver asks for, in seconds; it only ever makes the wait longer.
    """
    if outcome == "ok" or status == GONE:
        return verdict(outcome, status)
    wait = wait_after(rule, attempt, jitter)
    if wait is None:
        return verdict(outcome, status)
    return TryAgain(wait=max(wait, retry_after or 0.0))


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that a receiver asks us to wait, at most a day; None when it says nothing that can be read.

    Args:
        headers: Of the answer, names in lower case.
        now: Unix seconds.

    Source: RFC 9110 section 10.2.3: a number of seconds, or an HTTP date.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:10]), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(value)
        seconds = moment.replace(tzinfo=moment.tzinfo or dt.UTC).timestamp() - now
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)


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
