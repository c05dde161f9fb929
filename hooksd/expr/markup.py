"""From the text of a template to its parts: text, `{{ outputs }}` and `{% blocks %}`. Called by `template`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hooksd.expr.lexer import Tokens, scan
from hooksd.expr.problem import ExpressionProblem

_OPENING = re.compile(r"\{\{-?|\{%-?")
_RAW = re.compile(r"\{%-?\s*raw\s*-?%\}")
_ENDRAW = re.compile(r"\{%-?\s*endraw\s*-?%\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Characters that are copied."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """`{{ expression }}`."""

    tokens: Tokens
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """`{% word ... %}`."""

    word: str
    tokens: Tokens
    """What stands behind the word."""
    start: int
    end: int


Part = Text | Output | Block


def is_template(text: str) -> bool:
    """Tell whether a string has to be compiled: it holds `{{` or `{%`."""
    return "{{" in text or "{%" in text


def split(source: str) -> list[Part]:
    """Split a template into its parts, white space around `{{-`, `-}}`, `{%-` and `-%}` removed.

    Raises:
        ExpressionProblem: A part never ends, or holds what is no token.
    """
    parts: list[Part] = []
    at, trims = 0, False
    while (match := _OPENING.search(source, at)) is not None:
        _text(parts, source[at : match.start()], left=trims, right=match[0].endswith("-"))
        if raw := _RAW.match(source, match.start()):
            at, trims = _raw(source, raw, parts), False
            continue
        part = _output(source, match) if match[0].startswith("{{") else _block(source, match)
        parts.append(part)
        at, trims = part.end, part.tokens.trims
    _text(parts, source[at:], left=trims, right=False)
    return parts


def _text(parts: list[Part], text: str, *, left: bool, right: bool) -> None:
    if left:
        text = text.lstrip()
    if right:
        text = text.rstrip()
    if text:
        parts.append(Text(text=text))


def _raw(source: str, opening: re.Match[str], parts: list[Part]) -> int:
    closing = _ENDRAW.search(source, opening.end())
    if closing is None:
        raise ExpressionProblem("`{% endraw %}` is missing", start=opening.start(), end=opening.end())
    _text(parts, source[opening.end() : closing.start()], left=False, right=False)
    return closing.end()


def _output(source: str, opening: re.Match[str]) -> Output:
    tokens = scan(source, opening.end(), "}}")
    return Output(tokens=tokens, start=opening.start(), end=tokens.after)


def _block(source: str, opening: re.Match[str]) -> Block:
    tokens = scan(source, opening.end(), "%}")
    first = tokens.items[0]
    if first.kind != "name":
        raise ExpressionProblem("a word like `if` is missing here", start=first.start, end=first.end)
    rest = Tokens(items=tokens.items[1:], after=tokens.after, trims=tokens.trims)
    return Block(word=first.text, tokens=rest, start=opening.start(), end=tokens.after)
