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
    [ \t\r\n]* (?:
      (?P<number>   [0-9]+ (?:\.[0-9]+)? (?:[eE][+-]?[0-9]+)? )
    | (?P<name>     [A-Za-z_][A-Za-z0-9_]* )
    | (?P<text>     '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" )
    | (?P<operator> ==|!=|<=|>=|//|\*\*|[-+*/%~<>.,:()\[\]{}|=] )
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_SPACE = re.compile(r"[ \t\r\n]*")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "/": "/"}
_OPENING = {"(": ")", "[": "]", "{": "}"}
_BRACKETS = frozenset("()[]{}")
_ENDS = frozenset("-%}")
"""What closing marks begin with."""
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
    while (match := _TOKEN.match(source, at)) is not None:
        at, begin = match.end(), match.start(match.lastindex or 0)
        text = source[begin:at]
        if match.lastgroup == "operator":
            if closing and text in _ENDS and not open_ and (after := _closed(source, begin, closing)) is not None:
                return Tokens(items=(*items, _last(source, begin)), after=after, trims=text == "-")
            items.append(Token("operator", text, begin, at))
            if text in _BRACKETS:
                _pair(items[-1], open_)
        elif match.lastgroup == "name":
            items.append(Token("name", text, begin, at))
        else:
            items.append(Token("constant", text, begin, at, _value(text, begin, at)))
        if len(items) > MAX_TOKENS:
            raise ExpressionProblem("the expression is too long", start=start, end=at, hint="compute it in a step")
    return Tokens(
        items=(*items, _last(source, _rest(source, start, at, closing, open_))), after=len(source), trims=False
    )


def _rest(source: str, start: int, at: int, closing: str | None, open_: list[Token]) -> int:
    """Return where the end stands if no token does, and nothing is missing."""
    space = _SPACE.match(source, at)
    at = space.end() if space else at
    if at < len(source):
        raise _unexpected(source, at)
    if open_ or closing is not None:
        raise _unfinished(source, start, closing, open_)
    return at


def _last(source: str, at: int) -> Token:
    return Token("end", "", at, max(at, min(at + 1, len(source))))


def _closed(source: str, at: int, closing: str) -> int | None:
    """Return where the source goes on if the closing mark stands here, with or without a minus sign."""
    if source.startswith(closing, at):
        return at + len(closing)
    return at + 1 + len(closing) if source.startswith("-" + closing, at) else None


def _unfinished(source: str, start: int, closing: str | None, open_: list[Token]) -> ExpressionProblem:
    if open_:
        bracket = open_[-1]
        return ExpressionProblem(f"`{bracket.text}` is never closed", start=bracket.start, end=bracket.end)
    return ExpressionProblem(
        f"the end `{closing}` is missing", start=max(0, start - 2), end=len(source), hint="write {{ '{{' }} for braces"
    )


def _unexpected(source: str, at: int) -> ExpressionProblem:
    character = source[at]
    if character in "'\"":
        return ExpressionProblem("the text that begins here never ends", start=at, end=len(source))
    hints = {"&": "write `and`", "!": "write `not`", "?": "write `a if test else b`"}
    return ExpressionProblem(f"unexpected character {character!r}", start=at, end=at + 1, hint=hints.get(character))


def _value(text: str, start: int, end: int) -> Json:
    """Return what a constant means."""
    return _unescape(text[1:-1], start + 1) if text[0] in "'\"" else _number(text, start, end)


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


def _pair(bracket: Token, open_: list[Token]) -> None:
    if bracket.text in _OPENING:
        open_.append(bracket)
        return
    if not open_:
        raise ExpressionProblem(f"`{bracket.text}` closes nothing", start=bracket.start, end=bracket.end)
    opening = open_.pop()
    if _OPENING[opening.text] != bracket.text:
        raise ExpressionProblem(f"`{opening.text}` is never closed", start=opening.start, end=opening.end)
