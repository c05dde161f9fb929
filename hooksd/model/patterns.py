"""Matching of event types and permissions by patterns in which `*` stands for any characters, dots included."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(
        "".join(".*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", pattern)), re.DOTALL
    )


def matches(pattern: str, text: str) -> bool:
    """Tell whether the whole of `text` fits `pattern`; `*` is the only special character."""
    if "*" not in pattern:
        return pattern == text
    return _compiled(pattern).fullmatch(text) is not None


def can_overlap(one: str, other: str) -> bool:
    """Tell whether some text could fit both patterns (never wrongly no)."""
    return matches(one, other) or matches(other, one)
