"""Where every key, value and table header of a TOML text stands.

It reads a text that a TOML parser has accepted, and so looks for ends only: nothing is checked a second time. Called by
`config.document`. The text has line feeds only, as the parser sees it.
"""

from __future__ import annotations

import re

import tomli

from hooksd.config.position import Path, Positions, Span

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:[^"\\]|\\.)*"')
_LITERAL = re.compile(r"'[^']*'")
# Up to two quotes may stand before the closing three: they belong to the text.
_LONG_BASIC = re.compile(r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*"""(?:"{0,2})')
_LONG_LITERAL = re.compile(r"'''(?:[^']|'(?!''))*'''(?:'{0,2})")
# A space may stand between date and time: `1979-05-27 07:32:00`.
_SCALAR = re.compile(r"[^\s,#\]}]+(?: [0-9]{2}:[^\s,#\]}]*)?")

_Part = tuple[str, int, int]


def toml_positions(text: str) -> Positions:
    """Return the position of every value of a TOML text that parses.

    Tables that only a longer header or a dotted key brings about stand at that part of the header or key; a table that
    is opened several times stands where it is opened by its own header.
    """
    return _Scanner(text).scan()


def header_at(text: str, path: Path) -> int | None:
    """Return where the header of a table begins, without reading the text; None when only reading it can tell.

    No line of a text that parses begins like this and is something else, unless a text of several lines is in it.
    """
    if '"""' in text or "'''" in text or not all(isinstance(part, str) and _BARE.fullmatch(part) for part in path):
        return None
    header = f"[{'.'.join(map(str, path))}]"
    return 0 if text.startswith(header) else text.find(f"\n{header}") + 1 or None


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, Span] = {}
        self.lengths: dict[Path, int] = {}
        """Arrays of tables: how many tables each has so far."""

    def scan(self) -> Positions:
        base: Path = ()
        while True:
            self._skip(_BLANK)
            if self.at >= len(self.text):
                return self.found
            if self.text.startswith("[[", self.at):
                base = self._array_header()
            elif self.text[self.at] == "[":
                base = self._header()
            else:
                self._pair(base)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        """Move behind what the pattern matches here, and return it."""
        match = pattern.match(self.text, self.at)
        if match is None:
            raise ValueError(f"no TOML at character {self.at}")
        self.at = match.end()
        return match[0]

    def _key(self) -> list[_Part]:
        """Read a dotted key as its parts, each with its start and end."""
        parts: list[_Part] = []
        while True:
            self._skip(_SPACE)
            start = self.at
            match self.text[start]:
                case '"':
                    raw = self._skip(_BASIC)
                    name = str(tomli.loads(f"k={raw}")["k"]) if "\\" in raw else raw[1:-1]
                case "'":
                    name = self._skip(_LITERAL)[1:-1]
                case _:
                    name = self._skip(_BARE)
            parts.append((name, start, self.at))
            self._skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return parts
            self.at += 1

    def _pair(self, base: Path) -> None:
        *parents, (name, key_start, key_end) = self._key()
        path = base
        for parent, start, end in parents:
            path = (*path, parent)
            self.found.setdefault(path, Span(start, end, start, end))
        path = (*path, name)
        self.at += 1  # the equals sign
        self._skip(_SPACE)
        start = self.at
        self._value(path)
        self.found[path] = Span(key_start, key_end, start, self.at)

    def _value(self, path: Path) -> None:
        match self.text[self.at]:
            case '"':
                self._skip(_LONG_BASIC if self.text.startswith('"""', self.at) else _BASIC)
            case "'":
                self._skip(_LONG_LITERAL if self.text.startswith("'''", self.at) else _LITERAL)
            case "[":
                self._list(path)
            case "{":
                self._inline_table(path)
            case _:
                self._skip(_SCALAR)

    def _list(self, path: Path) -> None:
        self.at += 1
        index = 0
        while self._more("]"):
            start = self.at
            self._value((*path, index))
            self.found[(*path, index)] = Span(start, self.at, start, self.at)
            index += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        while self._more("}"):
            self._pair(path)

    def _more(self, closing: str) -> bool:
        """Move to the next item of a list or inline table; False, and behind it, at its end."""
        self._skip(_BLANK)
        if self.text[self.at] == ",":
            self.at += 1
            self._skip(_BLANK)
        if self.text[self.at] == closing:
            self.at += 1
            return False
        return True

    def _header(self) -> Path:
        start = self.at
        self.at += 1
        parts = self._key()
        self.at += 1
        path = self._resolve(parts, start)
        self.found[path] = Span(parts[-1][1], parts[-1][2], start, self.at)
        return path

    def _array_header(self) -> Path:
        start = self.at
        self.at += 2
        parts = self._key()
        self.at += 2
        span = Span(parts[-1][1], parts[-1][2], start, self.at)
        path = (*self._resolve(parts[:-1], start), parts[-1][0])
        self.found.setdefault(path, span)
        index = self.lengths.get(path, 0)
        self.lengths[path] = index + 1
        self.found[(*path, index)] = span
        return (*path, index)

    def _resolve(self, parts: list[_Part], start: int) -> Path:
        """Return the path that a header means: through an array of tables it goes to the last one."""
        path: Path = ()
        for name, key_start, key_end in parts:
            path = (*path, name)
            self.found.setdefault(path, Span(key_start, key_end, start, key_end))
            if path in self.lengths:
                path = (*path, self.lengths[path] - 1)
        return path
