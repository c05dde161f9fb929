"""How wide a text is on a terminal, and texts cut to a width. Pure."""

from __future__ import annotations

import re
import unicodedata

import click

CUT = "…"
"""Stands where something is missing."""

_STYLE = re.compile(r"(\x1b\[[0-9;]*m)")
_END = "\x1b[0m"
_UNSEEN = frozenset({"Mn", "Me", "Cf"})
"""What takes no room of its own: accents that stand on a letter, and characters that only say how others are joined."""


def cells(text: str) -> int:
    """Return how many cells of a terminal a text takes, which has no control characters: two for a wide character."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(char: str) -> int:
    if unicodedata.category(char) in _UNSEEN:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def shortened(text: str, length: int) -> str:
    """Cut a text to a number of cells, showing that something is missing."""
    return text if cells(text) <= length else _beginning(text, length - 1) + CUT


def padded(text: str, length: int) -> str:
    """Fill a text up with spaces to a number of cells."""
    return text + " " * (length - cells(text))


def fitted(line: str, width: int | None) -> str:
    """Cut a line with colours to the width of a terminal; None: it goes elsewhere, where no line is too long."""
    if width is None or cells(click.unstyle(line)) <= width:
        return line
    room = width - len(CUT)
    parts: list[str] = []
    for part in _STYLE.split(line):
        if _STYLE.fullmatch(part):
            parts.append(part)
            continue
        begun = _beginning(part, room)
        parts.append(begun)
        room -= cells(begun)
        if begun != part:
            break
    return "".join(parts) + CUT + (_END if len(parts) > 1 else "")


def _beginning(text: str, room: int) -> str:
    """Return as much of a text as there is room for."""
    if text.isascii():
        return text[: max(room, 0)]
    for index, char in enumerate(text):
        room -= _cells(char)
        if room < 0:
            return text[:index]
    return text
