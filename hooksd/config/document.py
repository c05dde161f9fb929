"""One file of definitions: its text, its data, and where everything in it stands.

The loader reads each file once and asks it for the places that diagnostics show.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import accumulate
from typing import Any

import tomli

from hooksd.config.diagnostics import Diagnostic, Place
from hooksd.config.escapes import source_offset
from hooksd.config.finding import Finding, Part
from hooksd.config.json_positions import json_positions
from hooksd.config.position import Path, Positions, Span
from hooksd.config.syntax import Slip, deep_slip, json_slip, number_slip, toml_slip
from hooksd.config.toml_positions import header_at, toml_positions
from hooksd.model.base import Json
from hooksd.model.secret import is_reference

MAX_SIZE = 4 * 2**20
"""The longest file in bytes: definitions are written by people."""
MAX_EXCERPT = 4096
"""The longest line in characters that is shown."""
MAX_DEPTH = 64
"""The deepest nesting of tables and lists."""

_SECRET_KEY = re.compile(r"(secret|passw|credential|token)", re.IGNORECASE)
_SOURCE = re.compile(r"(header|query|form|json\??|const):")
_SECRET_VALUE = re.compile(
    r"((?:secret|passw|credential|token)[\w.-]*[\"']?\s*[:=]\s*)(\[[^\]]*|\"(?:[^\"\\]|\\.)*|'[^']*|[^\s,}]+)",
    re.IGNORECASE,
)
_USERINFO = re.compile(r"(?<=://)[^/\s\"'@]+(?=@)")
_WORD = re.compile(r"[^\s\[\]\"',]+")
_BIGGEST = 2**63


class Document:
    """A file that parses. Where its values stand is looked up when it is asked for: good files are not asked."""

    def __init__(self, *, file: str, text: str, tree: Mapping[str, Json], locate: Callable[[str], Positions]) -> None:
        """Take what is known of it.

        Args:
            file: Its name, relative to the directory of definitions.
            text: With line feeds only.
            tree: Its data.
            locate: Finds where everything in a text stands.
        """
        self.file = file
        self.text = text
        self.tree = tree
        self._locate = locate

    @cached_property
    def positions(self) -> Positions:
        """Where each value stands."""
        return self._locate(self.text)

    @cached_property
    def lines(self) -> tuple[int, ...]:
        """Where each line starts."""
        return (0, *accumulate(len(line) + 1 for line in self.text.split("\n")))[:-1]

    def line_of(self, path: Path) -> int:
        """Return the line, from 1, on which the value at a path or its key stands."""
        at = header_at(self.text, path) if self._locate is toml_positions else None
        return self.text.count("\n", 0, at) + 1 if at is not None else self._line(self._span(path).key_start)

    def diagnose(self, finding: Finding, related: tuple[Place, ...] = ()) -> Diagnostic:
        """Return a finding with its place in the text."""
        start, end = self._range(finding.path, finding.part, finding.within)
        line, column = self._place(start)
        following = self.text.find("\n", start)
        last = (following if following >= 0 else len(self.text)) - self.lines[line - 1] + 1
        return Diagnostic(
            code=finding.code,
            message=finding.message,
            file=self.file,
            line=line,
            column=column,
            end_column=max(column, min(column + end - start, last)),
            excerpt=self.excerpt(line),
            hint=finding.hint,
            related=related,
            severity=finding.severity,
        )

    def place(self, path: Path, message: str) -> Place:
        """Return where the key of a path stands, as a place that a diagnostic refers to."""
        line, column = self._place(self._range(path, "key", None)[0])
        return Place(file=self.file, line=line, column=column, message=message, excerpt=self.excerpt(line))

    def excerpt(self, line: int) -> str | None:
        """Return a line of the text, counted from 1, with literal secrets replaced by asterisks; None if it is long."""
        start = self.lines[line - 1]
        end = self.text.find("\n", start)
        end = len(self.text) if end < 0 else end
        if end - start > MAX_EXCERPT:
            return None
        shown = self.text[start:end]
        for path, span in self.positions.items():
            if span.start < end and span.end > start and _is_literal_secret(self.tree, path):
                first, last = max(span.start - start, 0), min(span.end - start, len(shown))
                shown = shown[:first] + "*" * (last - first) + shown[last:]
        return _USERINFO.sub(_hide, shown)

    def _range(self, path: Path, part: Part, within: tuple[int, int] | None) -> tuple[int, int]:
        span = self._span(path)
        if part == "key":
            return span.key_start, span.key_end
        if within is None:
            return span.start, span.end
        raw = self.text[span.start : span.end]
        return span.start + source_offset(raw, within[0]), span.start + source_offset(raw, within[1])

    def _span(self, path: Path) -> Span:
        """Return where a path stands; what does not stand anywhere, stands where the table does that lacks it.

        The file itself stands at its first key: comments may come before.
        """
        while path and path not in self.positions:
            path = path[:-1]
        if path:
            return self.positions[path]
        first = min(self.positions.values(), default=Span(0, 0, 0, 0))
        return Span(first.key_start, first.key_end, first.key_start, first.key_end)

    def _line(self, offset: int) -> int:
        return bisect_right(self.lines, offset)

    def _place(self, offset: int) -> tuple[int, int]:
        line = self._line(offset)
        return line, offset - self.lines[line - 1] + 1


def read(file: str, data: bytes) -> Document | tuple[Diagnostic, ...]:
    """Read a file of definitions.

    Args:
        file: Its name, relative to the directory of definitions; `.json` is JSON, all else TOML.
        data: Its bytes.

    Returns:
        The document, or what keeps it from being one.
    """
    if len(data) > MAX_SIZE:
        return (_at(file, "", 0, "H007", f"the file is longer than {MAX_SIZE // 2**20} MiB", "split it into several"),)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        return (_at(file, before, len(before), "H001", message, "save the file as UTF-8"),)
    if text.startswith("\ufeff"):
        hint = 'save the file as UTF-8 without "BOM"'
        return (_at(file, text[1:], 0, "H001", "the file starts with a byte order mark", hint),)
    raw, text = text, text.replace("\r\n", "\n")
    try:
        return _json(file, text) if file.endswith(".json") else _toml(file, raw, text)
    except RecursionError:
        return (_slipped(file, text, "H007", deep_slip(text, MAX_DEPTH)),)


def _toml(file: str, raw: str, text: str) -> Document | tuple[Diagnostic, ...]:
    try:
        # The parser joins line ends itself, once: given a text in which that is done, it would accept `\r\r\n`.
        tree = tomli.loads(raw)
    except tomli.TOMLDecodeError as error:
        return (_slipped(file, text, "H002", toml_slip(text, error.pos, error.msg)),)
    except ValueError:  # a whole number with thousands of digits
        return (_slipped(file, text, "H005", number_slip(text)),)
    return _checked(Document(file=file, text=text, tree=tree, locate=toml_positions))


def _json(file: str, text: str) -> Document | tuple[Diagnostic, ...]:
    try:
        tree = json.loads(text)
    except json.JSONDecodeError as error:
        return (_slipped(file, text, "H003", json_slip(text, error.pos, error.msg)),)
    except ValueError:
        return (_slipped(file, text, "H005", number_slip(text)),)
    positions, repeated = json_positions(text)
    if not isinstance(tree, dict):
        return (_at(file, text, positions[()].start, "H006", 'expected an object, like {"version": 1}', None),)
    whole = Document(file=file, text=text, tree=tree, locate=lambda _: positions)
    document = _checked(whole)
    if not repeated:
        return document
    return tuple(_repeated(whole, path, first, again) for path, first, again in repeated) + (
        document if isinstance(document, tuple) else ()
    )


def _repeated(document: Document, path: Path, first: Span, again: Span) -> Diagnostic:
    message = f"key `{path[-1]}` stands in this object twice"
    again_only, first_only = (
        Document(
            file=document.file,
            text=document.text,
            tree=document.tree,
            locate=lambda _, span=span: {**document.positions, path: span},  # type: ignore[misc] # bound now
        )
        for span in (again, first)
    )
    finding = Finding(
        code="H004", message=message, file=document.file, path=path, part="key", hint="remove one of them"
    )
    # Only the last value of a repeated key is in the tree, so the first one is masked by what its line looks like.
    place = first_only.place(path, "first here")
    place = replace(place, excerpt=_masked(place.excerpt) if place.excerpt else None)
    found = again_only.diagnose(finding, (place,))
    return replace(found, excerpt=_masked(found.excerpt) if found.excerpt else None)


def _checked(document: Document) -> Document | tuple[Diagnostic, ...]:
    """Return a document if its data is JSON data: no dates, no infinities, no numbers that JSON readers cut."""
    if _is_plain(document.tree.values(), 1) and all(map(str.isascii, document.tree)):
        return document
    problems = tuple(
        document.diagnose(Finding(code=code, message=message, file=document.file, path=path, hint=hint))
        for path, code, message, hint in _not_json(document.tree, ())
    )
    return problems or document


def _is_plain(values: Iterable[Any], depth: int) -> bool:
    """Tell whether values are JSON data that nobody has to look at twice. False: `_not_json` says what is wrong."""
    if depth > MAX_DEPTH:
        return False
    for value in values:
        kind = type(value)
        if kind is str:
            is_plain = value.isascii()
        elif kind is int:
            is_plain = -_BIGGEST <= value < _BIGGEST
        elif kind is dict:
            is_plain = all(map(str.isascii, value)) and _is_plain(value.values(), depth + 1)
        else:
            is_plain = kind is bool or (kind is list and _is_plain(value, depth + 1))
        if not is_plain:
            return False
    return True


def _not_json(value: object, path: Path) -> Iterator[tuple[Path, str, str, str | None]]:
    if len(path) > MAX_DEPTH:
        yield path, "H007", f"more than {MAX_DEPTH} levels of nesting", None
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _not_json(item, (*path, key))
            if _has_surrogates(key):
                yield path, "H005", "a key has half of a surrogate pair", "write the character itself"
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _not_json(item, (*path, index))
    elif found := _no_json_scalar(value):
        yield path, "H005", *found


def _no_json_scalar(value: object) -> tuple[str, str | None] | None:
    match value:
        case dt.datetime() | dt.date() | dt.time():
            return "dates and times are no JSON data", "put it in quotes"
        case float() if not math.isfinite(value):
            return "infinities and NaN are no JSON data", None
        case int() if not -_BIGGEST <= value < _BIGGEST:
            return "whole numbers have at most 64 bits", "put it in quotes"
        case str() if _has_surrogates(value):
            return "half of a surrogate pair is no text", "write the character itself"
        case _:
            return None


def _has_surrogates(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text)


def _slipped(file: str, text: str, code: str, slip: Slip) -> Diagnostic:
    found = _at(file, text, slip.start, code, slip.message, slip.hint)
    last = len(found.excerpt) + 1 if found.excerpt is not None else found.end_column
    return replace(found, end_column=max(found.end_column, min(found.column + slip.end - slip.start, last)))


def _at(file: str, text: str, offset: int, code: str, message: str, hint: str | None) -> Diagnostic:
    """Return a diagnostic for a text that is no document, or not yet."""
    offset = min(offset, len(text))
    start = text.rfind("\n", 0, offset) + 1
    line = text[start:].split("\n", 1)[0]
    return Diagnostic(
        code=code,
        message=message,
        file=file,
        line=text.count("\n", 0, offset) + 1,
        column=offset - start + 1,
        end_column=min(offset - start + 2, len(line) + 1),
        excerpt=_masked(line) if len(line) <= MAX_EXCERPT else None,
        hint=hint,
    )


def _masked(line: str) -> str:
    """Return a line of which nothing is known without what is written for a key that sounds like a secret."""
    shown = _SECRET_VALUE.sub(lambda found: found[1] + _WORD.sub(_hide, found[2]), line)
    return _USERINFO.sub(_hide, shown)


def _hide(found: re.Match[str]) -> str:
    return found[0] if is_reference(found[0]) else "*" * len(found[0])


def _is_literal_secret(tree: Json, path: Path) -> bool:
    """Tell whether a path is a text, neither reference nor template, below a key that sounds like a secret."""
    keys = path[2:] if path and path[0] in ("webhooks", "endpoints", "workflows", "roles") else path
    if path[:1] == ("roles",) or not any(isinstance(key, str) and _is_secret_key(key) for key in keys):
        return False
    value = tree
    for part in path:
        value = value[part]
    return isinstance(value, str) and not is_reference(value) and "{{" not in value and not _SOURCE.match(value)


def _is_secret_key(key: str) -> bool:
    return _SECRET_KEY.search(key) is not None and key not in ("secret_encoding", "secret_prefix")
