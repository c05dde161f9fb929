"""Marks that endpoints leave on what is sent by subscription, so that a circle of hooks comes to its end.

An event that was sent to an endpoint and came back through a webhook must not be sent to that endpoint again: by
subscription it would go round for ever. Source: RFC 8586 (CDN-Loop).
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping

VIA = "x-hooksd-via"
"""The header that marks stand in, the oldest first."""
MAX_MARKS = 16
"""An event that came through so many endpoints is sent to none."""

_MARK = re.compile(r"[0-9a-f]{16}")


@functools.lru_cache(maxsize=4096)
def mark_of(name: str, url: str) -> str:
    """Return the mark of an endpoint: 16 hexadecimal digits.

    Args:
        name: Of the endpoint.
        url: As its definition has it, so that no secret is in it. Endpoints with one name differ by it.
    """
    return hashlib.sha256(f"{name}\n{url}".encode()).hexdigest()[:16]


def marks_of(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the marks that an event brought along, at most `MAX_MARKS`; what else the header holds is left out.

    Args:
        headers: Of the event, with names in lower case.
    """
    given = headers.get(VIA)
    return () if given is None else tuple(_MARK.findall(given[: 32 * MAX_MARKS])[:MAX_MARKS])
