"""When a caller says it signed: exact forms only, so that one time has one reading."""

from __future__ import annotations

import datetime as dt
import re

from hooksd.auth.refusal import Refusal
from hooksd.model.auth import TimestampFormat

_DIGITS = re.compile(r"[0-9]{1,15}")
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def parse(text: str, form: TimestampFormat) -> float:
    """Return a time in Unix seconds.

    Raises:
        Refusal: The text is not exactly of this form: no signs, spaces, exponents or digits of other scripts.

    Source: RFC 3339 section 5.6.
    """
    if form == "rfc3339":
        return _rfc3339(text)
    if _DIGITS.fullmatch(text) is None:
        raise Refusal("malformed_timestamp")
    return int(text) / 1000 if form == "unix_ms" else float(text)


def _rfc3339(text: str) -> float:
    if _RFC3339.fullmatch(text) is None:
        raise Refusal("malformed_timestamp")
    try:
        return dt.datetime.fromisoformat(text.upper()).timestamp()
    except (ValueError, OverflowError):
        raise Refusal("malformed_timestamp") from None
