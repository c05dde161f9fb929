"""From the text of an expression to its tokens, with exact positions. Called by the parser and by templates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

from hooksd.expr.problem import ExpressionProblem
from hooksd.model.base import Json

MAX_TOKENS = 4096
"""The most tokens one expression may have."""

Kind = Literal["constant", "name", "operator", "end"]

_TOKEN = re.compile(
    r"""
      (?P<number>   [0-9]+ (?:\.[0-9]+)? (?:[eE][+-]?[0-9]+)? )
    | (?P<name>     [A-Za-z_][A-Za-z0-9_]* )
    | (?P<text>     '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" )
    | (?P<operator> ==|!=|<=|>=|//|\*\*|[-+*/%~<>.,:()\[\]{}|=] )
    """,
    re.VERBOSE | re.DOTALL,
)
_SPACE = re.compile(r"[ \t\r\n]*")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "/": "/"}
_OPENING = {"(": ")", "[": "]", "{": "}"}
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1


class Token(NamedTuple):
    """One word of an expression. A tuple: an expression has many, and each is made when definitions are loaded."""

    kind: Kind
    text: str
    """As written; empty at the end."""
    start: int
    end: int
    value: Json = None
    """What a constant means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """An expression as tokens; the last one has the kind `end`."""

    items: tuple[Token, ...]
    after: int
    """Where the source goes on behind the closing mark."""
    trims: bool
    """The closing mark carries a minus sign, which removes the white space behind it."""


def scan(source: str, start: int = 0, closing: str | None = None) -> Tokens:
    """Split an expression into tokens.

    Args:
        source: The whole text that holds the expression; positions count from its beginning.
        start: Where the expression begins.
        closing: The mark that ends it (`}}` or `%}`); None: the end of the source does.

    Raises:
        ExpressionProblem: A character that begins no token, text that never ends, brackets that do not pair.
    """
    items: list[Token] = []
    open_: list[Token] = []
    at = start
    while True:
        at = _skip(source, at)
        if (found := _closes(source, at, closing, open_)) is not None:
            items.append(Token(kind="end", text="", start=at, end=max(at, min(at + 1, len(source)))))
            return Tokens(items=tuple(items), after=found[0], trims=found[1])
        if at >= len(source):
            raise _unfinished(source, start, closing, open_)
        token = _token(source, at)
        _pair(token, open_)
        items.append(token)
        at = token.end
        if len(items) > MAX_TOKENS:
            raise ExpressionProblem("the expression is too long", start=start, end=at, hint="compute it in a step")


def _skip(source: str, at: int) -> int:
    match = _SPACE.match(source, at)
    return match.end() if match else at


def _closes(source: str, at: int, closing: str | None, open_: list[Token]) -> tuple[int, bool] | None:
    if open_:
        return None
    if closing is None:
        return (at, False) if at >= len(source) else None
    if source.startswith(closing, at):
        return at + len(closing), False
    if source.startswith("-" + closing, at):
        return at + 1 + len(closing), True
    return None


def _unfinished(source: str, start: int, closing: str | None, open_: list[Token]) -> ExpressionProblem:
    if open_:
        bracket = open_[-1]
        return ExpressionProblem(f"`{bracket.text}` is never closed", start=bracket.start, end=bracket.end)
    return ExpressionProblem(
        f"the end `{closing}` is missing", start=max(0, start - 2), end=len(source), hint="write {{ '{{' }} for braces"
    )


def _token(source: str, at: int) -> Token:
    match = _TOKEN.match(source, at)
    if match is None:
        character = source[at]
        if character in "'\"":
            raise ExpressionProblem("the text that begins here never ends", start=at, end=len(source))
        hints = {"&": "write `and`", "!": "write `not`", "?": "write `a if test else b`"}
        raise ExpressionProblem(f"unexpected character {character!r}", start=at, end=at + 1, hint=hints.get(character))
    text, end = match[0], match.end()
    match match.lastgroup:
        case "number":
            return Token(kind="constant", text=text, start=at, end=end, value=_number(text, at, end))
        case "text":
            return Token(kind="constant", text=text, start=at, end=end, value=_unescape(text[1:-1], at + 1))
        case "name":
            return Token(kind="name", text=text, start=at, end=end)
        case _:
            return Token(kind="operator", text=text, start=at, end=end)


def _number(text: str, start: int, end: int) -> float:
    value = int(text) if text.isdigit() and len(text) < 25 else float(text)
    if value == float("inf") or (isinstance(value, int) and not _SMALLEST <= value <= _LARGEST):
        raise ExpressionProblem("the number is too large", start=start, end=end)
    return value


def _unescape(text: str, start: int) -> str:
    if "\\" not in text:
        return text

    def replace(match: re.Match[str]) -> str:
        sequence = match[1]
        if len(sequence) == 5 and not "d800" <= sequence[1:].lower() <= "dfff":
            return chr(int(sequence[1:], 16))
        if sequence in _ESCAPES:
            return _ESCAPES[sequence]
        raise ExpressionProblem(
            f"unknown escape `{match[0]}`",
            start=start + match.start(),
            end=start + match.end(),
            hint=r"a backslash is written `\\`; known are \n \t \r \' \" \/ \uXXXX",
        )

    return _ESCAPE.sub(replace, text)


def _pair(token: Token, open_: list[Token]) -> None:
    if token.kind != "operator":
        return
    if token.text in _OPENING:
        open_.append(token)
    elif token.text in _OPENING.values():
        if not open_:
            raise ExpressionProblem(f"`{token.text}` closes nothing", start=token.start, end=token.end)
        opening = open_.pop()
        if _OPENING[opening.text] != token.text:
            raise ExpressionProblem(f"`{opening.text}` is never closed", start=opening.start, end=opening.end)
