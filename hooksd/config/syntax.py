"""What is wrong where a parser of TOML or JSON stopped, in words that are the same on every version of Python.

`config.document` asks it. A parser says what it expected; what was meant is guessed from the text around.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE_END = 'close it with the quote it began with; a text of several lines stands between """ and """'
_BACKSLASH = "write `\\\\` for a backslash; between single quotes TOML takes it as it is"
_CONFLICT = re.compile(r"(<{7}|={7}|>{7})( |$)", re.MULTILINE)
_HEADER = re.compile(r"[ \t]*(\[\[?[^\]\n]*\]\]?)")
_KEY = re.compile(r"[ \t]*([^=\n]*[^=\s])[ \t]*=")
_OPENED = re.compile(r"^[ \t]*[^#=\n]+=[ \t]*(?=[\[{])", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z_]\w*")
_BRACKET = re.compile(r"""("(?:[^"\\\n]|\\.)*")|('[^'\n]*')|([\[{])|([\]}])""")
_DIGITS = re.compile(r"[0-9][0-9_]{1000,}")
_QUOTES = "\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb`"
"""Of word processors and Markdown."""
_WORDS = dict.fromkeys(("True", "TRUE", "yes", "on", "False", "FALSE", "no", "off"), "write `true` or `false`")
_WORDS |= dict.fromkeys(("None", "null", "nil", "undefined"), "there is no null in TOML: leave the key out")
"""What people write for values of other languages, and what it is in TOML."""

_OF_JSON = {
    "Unterminated string": ("the text that begins here never ends", 'close it with `"`'),
    "Invalid control character": (
        "a control character, like a line end or a tab, in a text",
        "write `\\n` for a line end",
    ),
    "Invalid \\": ("a backslash that escapes nothing", "write `\\\\` for a backslash"),
    "Extra data": ("something stands behind the end", "a file holds one object"),
}
"""What is said of JSON, by how the parser's message begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A place in a text, what is wrong there, and what to do."""

    start: int
    end: int
    """Behind the last character that is meant."""
    message: str
    hint: str | None = None


def toml_slip(text: str, offset: int, message: str) -> Slip:
    """Return what is wrong with a text that is no TOML.

    Args:
        text: With line feeds only.
        offset: Where the parser stopped.
        message: What it says.
    """
    if conflict := _conflict(text, offset):
        return conflict
    match message:
        case "Illegal character '\\n'" | "Found invalid character '\\n'":
            return _slip(offset, "the text is not closed on its line", _LINE_END)
        case "Invalid value":
            return _no_value(text, offset)
        case "Unclosed array" | "Unclosed inline table":
            return _unclosed(text, offset, "]" if message == "Unclosed array" else "}")
        case "Unescaped '\\' in a string" | "Invalid hex value" | "Escaped character is not a Unicode scalar value":
            start = text.rfind("\\", 0, offset)
            return Slip(start=start, end=start + 2, message="a backslash that escapes nothing", hint=_BACKSLASH)
        case "Unterminated string" | 'Expected "\'"' | "Expected \"'''\"":
            return _endless(text, offset, message)
        case _ if message.startswith(("Cannot ", "Duplicate ")):
            return _again(text, offset, message)
        case _:
            return _slip(offset, message[:1].lower() + message[1:], _toml_hint(text, offset))


def json_slip(text: str, offset: int, message: str) -> Slip:
    """Return what is wrong with a text that is no JSON. See `toml_slip`."""
    if not text.strip():
        return _slip(0, "the file is empty", 'write an object, like {"version": 1}')
    if conflict := _conflict(text, offset):
        return conflict
    before = text[:offset].rstrip()
    if message.startswith("Illegal trailing comma") or (
        text[offset : offset + 1] in tuple("]}") and before[-1:] == ","
    ):
        comma = offset if text[offset : offset + 1] == "," else len(before) - 1
        return _slip(comma, "a comma behind the last item", "remove it")
    told = next((told for start, told in _OF_JSON.items() if message.startswith(start)), None)
    if told is None and not text[offset:].strip():
        told = ("the file ends too early", "close what is open with `}` or `]`")
    return _slip(offset, *(told or (_expected(message), _json_hint(text, offset))))


def deep_slip(text: str, most: int) -> Slip:
    """Return where a text opens more brackets than somebody wants to follow.

    Args:
        text: What a parser did not follow.
        most: The most that may be open at once.
    """
    depth, at = 0, 0
    for found in _BRACKET.finditer(text):
        depth += 1 if found[3] else -1 if found[4] else 0
        if depth > most:
            at = found.start()
            break
    return _slip(at, f"more than {most} levels of nesting")


def number_slip(text: str) -> Slip:
    """Return where a number stands that has more digits than Python computes."""
    found = _DIGITS.search(text)
    start, end = found.span() if found else (0, 1)
    return Slip(start=start, end=end, message="whole numbers have at most 64 bits", hint="put it in quotes")


def _slip(offset: int, message: str, hint: str | None = None) -> Slip:
    return Slip(start=offset, end=offset + 1, message=message, hint=hint)


def _line_at(text: str, offset: int) -> tuple[int, str]:
    start = text.rfind("\n", 0, offset) + 1
    return start, text[start:].split("\n", 1)[0]


def _conflict(text: str, offset: int) -> Slip | None:
    """Tell whether a parser stopped at a line that Git wrote."""
    start, _ = _line_at(text, offset)
    if _CONFLICT.match(text, start):
        return Slip(
            start=start, end=start + 7, message="a merge that is not finished", hint="choose one of the two sides"
        )
    return None


def _no_value(text: str, offset: int) -> Slip:
    rest = _line_at(text, offset)[1][offset - _line_at(text, offset)[0] :]
    word = _WORD.match(rest)
    if not rest or rest[0] == "#":
        return _slip(offset, "a value is missing", 'write it behind the `=`, like `key = "value"`')
    if rest[0] == "=":
        return _slip(offset, "one `=` too many", "a key and its value are separated by one `=`")
    if rest[0] in _QUOTES:
        return _slip(offset, f"{rest[0]} is no quote in TOML", "write \" or '")
    if word:
        hint = _WORDS.get(word[0], "texts stand in quotes")
        return Slip(start=offset, end=offset + word.end(), message="invalid value", hint=hint)
    return _slip(offset, "invalid value")


def _unclosed(text: str, offset: int, bracket: str) -> Slip:
    """Point at the bracket that opens, not at where reading it failed."""
    line = text.count("\n", 0, offset) + 1
    hint = f"`,` or `{bracket}` is missing before line {line}, column {offset - _line_at(text, offset)[0] + 1}"
    opened = max((found.end() for found in _OPENED.finditer(text, 0, offset)), default=offset)
    message = f"this is never closed by `{bracket}`"
    return _slip(opened, message, hint)


def _endless(text: str, offset: int, message: str) -> Slip:
    """Point at the quote that opens: no other of its kind can follow."""
    if message == 'Expected "\'"':
        return _slip(text.rfind("'", 0, offset), "the text that begins here is not closed on its line", _LINE_END)
    quotes = text.rfind("'''" if message.startswith("Expected") else '"""', 0, offset)
    if quotes < 0:
        return _slip(offset, "the text is not closed", _LINE_END)
    quote = text[quotes : quotes + 3]
    return Slip(
        start=quotes, end=quotes + 3, message="the text that begins here never ends", hint=f"close it with {quote}"
    )


def _again(text: str, offset: int, message: str) -> Slip:
    """Say what stands twice. The parser stops behind it."""
    start, line = _line_at(text, offset)
    written = _HEADER.match(line) or _KEY.match(line)
    if not written:
        return _slip(offset, message[:1].lower() + message[1:])
    what = f"`{written[1]}`"
    if message.startswith(("Cannot mutate", "Cannot redefine")):
        told, hint = f"{what} adds to what is complete already", "write all of it in one place, in one way"
    elif written[1].startswith("[["):
        name = written[1].strip("[] \t")
        told = f"`{name}` is something else above"
        hint = f"write each of several as `[[{name}]]`, and not `{name} = ...` or `[{name}]`"
    elif written.re is _HEADER:
        told, hint = (
            f"{what} stands above already",
            "keep one; what there are several of has double brackets: `[[steps]]`",
        )
    else:
        told, hint = f"{what} has a value already", "remove one of them; a key belongs to the `[...]` line above it"
    return Slip(start=start + written.start(1), end=start + written.end(1), message=told, hint=hint)


def _toml_hint(text: str, offset: int) -> str | None:
    _, line = _line_at(text, offset)
    if text[offset : offset + 1] == "\r":
        return "lines end with LF or CR LF"
    if re.match(r"\s*[\w.-]+\s*=\s*[+-]?0[0-9]", line):
        return "a number has no zero in front"
    if re.match(r"\s*[\w.-]+\s*=\s*[A-Za-z(]", line) and not re.search(r"=\s*(true|false)", line):
        return "texts stand in quotes"
    if re.match(r"\s*[\w.-]+\s*:", line):
        return "TOML separates key and value by `=`"
    return "a file of JSON has a name that ends with `.json`" if line[:1] == "{" else None


def _expected(message: str) -> str:
    match message:
        case "Expecting property name enclosed in double quotes":
            return "expected a key in double quotes"
        case "Expecting value":
            return "expected a value"
        case _:
            return message[:1].lower() + message[1:]


def _json_hint(text: str, offset: int) -> str | None:
    here = text[offset : offset + 2]
    if here[:1] == "'":
        return "JSON uses double quotes"
    if here in ("//", "/*") or here[:1] == "#":
        return "JSON has no comments; TOML has"
    if (word := _WORD.match(text, offset)) and word[0] in ("True", "False", "None"):
        return "JSON writes `true`, `false` and `null`"
    return None
