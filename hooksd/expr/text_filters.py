"""Filters over text: forms, encodings, conversions. Each takes the value first; the table is in `filters`."""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
from urllib.parse import quote

from hooksd.expr.problem import RenderProblem
from hooksd.expr.scope import MAX_TEXT
from hooksd.expr.values import json_text, kind, number, text
from hooksd.model import body
from hooksd.model.base import Json


def _text(value: Json, name: str) -> str:
    if not isinstance(value, str):
        raise RenderProblem(f"`{name}` takes text, not {kind(value)}")
    return value


def _count(value: Json, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_TEXT:
        raise RenderProblem(f"`{name}` takes a whole number from 0 to {MAX_TEXT}")
    return value


def _bounded(length: int) -> None:
    if length > MAX_TEXT:
        raise RenderProblem(f"the text becomes longer than {MAX_TEXT} characters")


def upper(value: Json) -> str:
    """Return the text in upper case."""
    return _text(value, "upper").upper()


def lower(value: Json) -> str:
    """Return the text in lower case."""
    return _text(value, "lower").lower()


def capitalize(value: Json) -> str:
    """Return the text with its first letter large and the others small."""
    return _text(value, "capitalize").capitalize()


def title(value: Json) -> str:
    """Return the text with the first letter of each word large."""
    return _text(value, "title").title()


def trim(value: Json, characters: Json = None) -> str:
    """Return the text without white space, or the given characters, at both ends."""
    return _text(value, "trim").strip(None if characters is None else _text(characters, "trim"))


def startswith(value: Json, prefix: Json) -> bool:
    """Tell whether the text begins with another."""
    return _text(value, "startswith").startswith(_text(prefix, "startswith"))


def endswith(value: Json, suffix: Json) -> bool:
    """Tell whether the text ends with another."""
    return _text(value, "endswith").endswith(_text(suffix, "endswith"))


def replace(value: Json, old: Json, new: Json) -> str:
    """Return the text with every occurrence of `old` replaced."""
    source, find, put = _text(value, "replace"), _text(old, "replace"), text(new)
    if not find:
        raise RenderProblem("`replace` cannot look for an empty text")
    grows = len(put) - len(find)
    if grows > 0:
        _bounded(len(source) + source.count(find) * grows)
    return source.replace(find, put)


def split(value: Json, separator: Json = None) -> list[str]:
    """Return the parts between separators; without one, the words between white space."""
    if separator == "":
        raise RenderProblem("`split` needs a separator that is not empty")
    return _text(value, "split").split(None if separator is None else _text(separator, "split"))


def lines(value: Json) -> list[str]:
    """Return the lines without their ends."""
    return _text(value, "lines").splitlines()


def truncate(value: Json, length: Json, end: Json = "…") -> str:
    """Return at most `length` characters; what was cut is shown by `end`, which is counted."""
    source, most, mark = _text(value, "truncate"), _count(length, "truncate"), _text(end, "truncate")
    return source if len(source) <= most else source[: max(0, most - len(mark))] + mark[:most]


def indent(value: Json, width: Json = 4) -> str:
    """Return the text with spaces before every line but the first and the empty ones."""
    source, spaces = _text(value, "indent"), _count(width, "indent")
    first, *rest = source.split("\n")
    _bounded(len(source) + spaces * len(rest))
    return "\n".join([first, *(" " * spaces + line if line.strip() else line for line in rest)])


def urlencode(value: Json) -> str:
    """Return the value as one component of a URL; a map becomes a query string."""
    if isinstance(value, dict):
        return "&".join(f"{quote(key, safe='')}={quote(text(item), safe='')}" for key, item in value.items())
    return quote(text(value), safe="")


def tojson(value: Json) -> str:
    """Return the value as compact JSON."""
    return json_text(value)


def fromjson(value: Json) -> Json:
    """Return the value that a JSON text stands for."""
    try:
        return body.parse(body.JSON, _bytes(_text(value, "fromjson")))
    except ValueError as error:
        raise RenderProblem("the text is not JSON") from error


def b64encode(value: Json) -> str:
    """Return the UTF-8 bytes of the value's text in base64."""
    return base64.b64encode(_bytes(value)).decode()


def b64decode(value: Json) -> str:
    """Return the text whose UTF-8 bytes a base64 text holds."""
    try:
        return binascii.a2b_base64(_text(value, "b64decode").encode(), strict_mode=True).decode()
    except ValueError as error:
        raise RenderProblem("the text is not base64 of UTF-8 text") from error


def sha256(value: Json) -> str:
    """Return the SHA-256 of the UTF-8 bytes of the value's text, in hexadecimal digits."""
    return hashlib.sha256(_bytes(value)).hexdigest()


def _bytes(value: Json) -> bytes:
    try:
        return text(value).encode()
    except UnicodeEncodeError as error:
        raise RenderProblem("the text has characters that UTF-8 cannot write") from error


def string(value: Json) -> str:
    """Return the value as text, as a template would write it."""
    return text(value)


def to_int(value: Json) -> float:
    """Return a whole number: of text that writes one, of a number what stands before the point."""
    result = to_float(value) if not isinstance(value, str) or not _is_whole(value) else int(value)
    return number(int(result))


def _is_whole(value: str) -> bool:
    digits = value.strip().removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) < 25


def to_float(value: Json) -> float:
    """Return a number: of text that writes one, of true 1 and of false 0."""
    if not isinstance(value, str | int | float) or (isinstance(value, str) and "_" in value):
        raise RenderProblem(f"{kind(value)} is not a number")
    try:
        result = float(value)
    except (ValueError, OverflowError) as error:
        raise RenderProblem("the text is not a number") from error
    if not math.isfinite(result):
        raise RenderProblem("the text is not a number")
    return result
