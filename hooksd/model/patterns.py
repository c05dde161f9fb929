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
    """Tell whether some text fits both patterns."""
    if "*" not in one or "*" not in other:
        return matches(one, other) if "*" in one else matches(other, one)
    # reached[j]: some text fits the part of `one` read so far and the first j characters of `other`.
    reached: list[bool] = []
    for i in range(len(one) + 1):
        above, reached = reached, []
        for j in range(len(other) + 1):
            here, there = one[i : i + 1], other[j : j + 1]
            down = i > 0 and above[j] and "*" in (one[i - 1], there)
            right = j > 0 and reached[j - 1] and "*" in (other[j - 1], here)
            both = i > 0 and j > 0 and above[j - 1] and one[i - 1] == other[j - 1]
            reached.append(down or right or both or i == j == 0)
    return reached[-1]
