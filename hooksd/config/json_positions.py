"""Where every key and value of a JSON text stands, and which keys it repeats.

It reads a text that a JSON parser has accepted, and so looks for ends only. Called by `config.document`.
"""

from __future__ import annotations

import json
import re

from hooksd.config.position import Path, Positions, Span

_BLANK = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_SCALAR = re.compile(r"[-+0-9.eE]+|true|false|null|NaN|-?Infinity")


def json_positions(text: str) -> tuple[Positions, tuple[tuple[Path, Span, Span], ...]]:
    """Return the position of every value of a JSON text that parses, and its repeated keys.

    A repeated key is its path, where it stands first, and where again.
    """
    scanner = _Scanner(text)
    scanner.scan()
    return scanner.found, tuple(scanner.repeated)


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, Span] = {}
        self.repeated: list[tuple[Path, Span, Span]] = []

    def scan(self) -> None:
        self._skip(_BLANK)
        start = self.at
        self._value(())
        self.found[()] = Span(start, start, start, start + 1)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        """Move behind what the pattern matches here, and return it."""
        match = pattern.match(self.text, self.at)
        if match is None:
            raise ValueError(f"no JSON at character {self.at}")
        self.at = match.end()
        return match[0]

    def _string(self) -> str:
        raw = self._skip(_STRING)
        return str(json.loads(raw)) if "\\" in raw else raw[1:-1]

    def _value(self, path: Path) -> None:
        match self.text[self.at]:
            case '"':
                self._skip(_STRING)
            case "{":
                self._object(path)
            case "[":
                self._array(path)
            case _:
                self._skip(_SCALAR)

    def _object(self, path: Path) -> None:
        self.at += 1
        while self._more("}"):
            key_start = self.at
            name = self._string()
            key_end = self.at
            self._skip(_BLANK)
            self.at += 1  # the colon
            self._skip(_BLANK)
            start = self.at
            self._value((*path, name))
            span = Span(key_start, key_end, start, self.at)
            if (*path, name) in self.found:
                self.repeated.append(((*path, name), self.found[(*path, name)], span))
            self.found[(*path, name)] = span

    def _array(self, path: Path) -> None:
        self.at += 1
        index = 0
        while self._more("]"):
            start = self.at
            self._value((*path, index))
            self.found[(*path, index)] = Span(start, self.at, start, self.at)
            index += 1

    def _more(self, closing: str) -> bool:
        """Move to the next member of an object or array; False, and behind it, at its end."""
        self._skip(_BLANK)
        if self.text[self.at] == ",":
            self.at += 1
            self._skip(_BLANK)
        if self.text[self.at] == closing:
            self.at += 1
            return False
        return True
