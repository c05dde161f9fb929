"""Matching of event types and permissions by patterns in which `*` stands for any characters, dots included.

No regular expressions: the text comes from callers, and here its length alone decides what matching costs.
"""

from __future__ import annotations


def matches(pattern: str, text: str) -> bool:
    """Tell whether the whole of `text` fits `pattern`; `*` is the only special character."""
    first, *middle = pattern.split("*")
    if not middle:
        return pattern == text
    last = middle.pop()
    end = len(text) - len(last)
    if len(first) > end or not text.startswith(first) or not text.endswith(last):
        return False
    at = len(first)
    for part in middle:
        # The leftmost place is the best: it leaves most of the text to the parts that follow.
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def can_overlap(one: str, other: str) -> bool:
    """Tell whether some text fits both patterns."""
    # reachable: how much of `other` can have been used up together with the part of `one` seen so far.
    reachable = _stars_taken({0}, other)
    for character in one:
        if character == "*":
            reachable = set(range(min(reachable), len(other) + 1)) if reachable else set()
        else:
            used = {at + 1 for at in reachable if at < len(other) and other[at] == character}
            kept = {at for at in reachable if at < len(other) and other[at] == "*"}
            reachable = _stars_taken(used | kept, other)
    return len(other) in reachable


def _stars_taken(places: set[int], pattern: str) -> set[int]:
    """Add the places behind the stars that stand at `places`, for a star may stand for nothing."""
    found = set(places)
    for at in sorted(places):
        place = at
        while place < len(pattern) and pattern[place] == "*":
            place += 1
            found.add(place)
    return found
