"""From the parts of a template to the function that writes it. Called by `template`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from hooksd.expr.evaluate import Evaluate, evaluator
from hooksd.expr.markup import Block, Output, Part, Text
from hooksd.expr.names import Reference, did_you_mean
from hooksd.expr.parser import Parser
from hooksd.expr.problem import ExpressionProblem, RenderProblem
from hooksd.expr.scope import Frame
from hooksd.expr.values import kind, text
from hooksd.model.base import Json

Write = Callable[[Frame], None]
"""Adds to the text of a frame. Raises RenderProblem."""

MAX_NESTING = 16
"""How deep blocks may stand in blocks."""

_REFUSED = {
    "include": "templates read no files",
    "import": "templates read no files",
    "from": "templates read no files",
    "extends": "templates read no files",
    "set": "use a `set` step and `vars`",
    "macro": "templates define nothing",
    "do": "templates change nothing",
}
_WORDS = ("if", "elif", "else", "endif", "for", "endfor", "raw", "endraw")


class Builder:
    """Builds the function of one template. `references` grows with the names that it reads."""

    def __init__(self, source: str, parts: list[Part], names: Iterable[str]) -> None:
        """Take a template.

        Args:
            source: Its text.
            parts: The same, split.
            names: The names that exist in its scope.
        """
        self._source = source
        self._parts = parts
        self._names = frozenset(names)
        self._at = 0
        self._nesting = 0
        self.references: list[Reference] = []

    def whole(self) -> Write:
        """Return the function that writes the template."""
        write, stop = self._sequence(frozenset(), ())
        if stop is not None:
            raise ExpressionProblem(f"`{stop.word}` without its beginning", start=stop.start, end=stop.end)
        return write

    def output(self, part: Output, locals_: frozenset[str] = frozenset()) -> Evaluate:
        """Return the function that computes a `{{ }}`."""
        parser = self._parser(part, locals_)
        node = parser.whole()
        self.references += parser.references
        return evaluator(node)

    def _parser(self, part: Output | Block, locals_: frozenset[str]) -> Parser:
        return Parser(self._source, part.tokens, names=self._names, locals_=locals_)

    def _sequence(self, locals_: frozenset[str], until: tuple[str, ...]) -> tuple[Write, Block | None]:
        """Return what writes the parts up to one of the blocks `until`, and that block; None at the end."""
        writes: list[Write] = []
        while self._at < len(self._parts):
            part = self._parts[self._at]
            self._at += 1
            match part:
                case Text(text=constant):
                    writes.append(_copy(constant))
                case Output():
                    writes.append(_print(self.output(part, locals_)))
                case Block(word=word) if word in until:
                    return _each(writes), part
                case Block(word="if"):
                    writes.append(self._nested(self._if, part, locals_))
                case Block(word="for"):
                    writes.append(self._nested(self._for, part, locals_))
                case Block():
                    raise _unknown(part)
        return _each(writes), None

    def _nested(self, build: Callable[[Block, frozenset[str]], Write], block: Block, locals_: frozenset[str]) -> Write:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise ExpressionProblem(f"blocks are nested deeper than {MAX_NESTING}", start=block.start, end=block.end)
        write = build(block, locals_)
        self._nesting -= 1
        return write

    def _if(self, opening: Block, locals_: frozenset[str]) -> Write:
        branches: list[tuple[Evaluate, Write]] = []
        block, otherwise = opening, _each([])
        while block.word in {"if", "elif"}:
            test = self.output(Output(tokens=block.tokens, start=block.start, end=block.end), locals_)
            write, stop = self._sequence(locals_, ("elif", "else", "endif"))
            branches.append((test, write))
            block = self._stopped(opening, stop, "endif")
        if block.word == "else":
            self._alone(block)
            otherwise, stop = self._sequence(locals_, ("endif",))
            block = self._stopped(opening, stop, "endif")
        self._alone(block)
        return _choose(tuple(branches), otherwise)

    def _for(self, opening: Block, locals_: frozenset[str]) -> Write:
        parser = self._parser(opening, locals_)
        variables, listed = parser.loop()
        elements = evaluator(listed)
        self.references += parser.references
        write, stop = self._sequence(locals_ | {"loop", *variables}, ("else", "endfor"))
        block, otherwise = self._stopped(opening, stop, "endfor"), _each([])
        if block.word == "else":
            self._alone(block)
            otherwise, stop = self._sequence(locals_, ("endfor",))
            block = self._stopped(opening, stop, "endfor")
        self._alone(block)
        return _repeat(variables, elements, write, otherwise)

    def _stopped(self, opening: Block, stop: Block | None, wanted: str) -> Block:
        if stop is None:
            raise ExpressionProblem(
                f"`{{% {opening.word} %}}` is never closed",
                start=opening.start,
                end=opening.end,
                hint=f"add {{% {wanted} %}}",
            )
        return stop

    def _alone(self, block: Block) -> None:
        self._parser(block, frozenset()).nothing()


def _unknown(block: Block) -> ExpressionProblem:
    if block.word in _WORDS:
        return ExpressionProblem(f"`{block.word}` without its beginning", start=block.start, end=block.end)
    return ExpressionProblem(
        f"there is no block `{block.word}`",
        start=block.start,
        end=block.end,
        hint=_REFUSED.get(block.word) or did_you_mean(block.word, _WORDS) or "known are if, for and raw",
    )


def _copy(constant: str) -> Write:
    return lambda frame: frame.write(constant)


def _print(evaluate: Evaluate) -> Write:
    return lambda frame: frame.write(text(evaluate(frame)))


def _each(writes: list[Write]) -> Write:
    if len(writes) == 1:
        return writes[0]
    all_ = tuple(writes)

    def write(frame: Frame) -> None:
        for one in all_:
            one(frame)

    return write


def _choose(branches: tuple[tuple[Evaluate, Write], ...], otherwise: Write) -> Write:
    def write(frame: Frame) -> None:
        for test, branch in branches:
            if test(frame):
                branch(frame)
                return
        otherwise(frame)

    return write


def _repeat(variables: tuple[str, ...], elements: Evaluate, body: Write, otherwise: Write) -> Write:
    def write(frame: Frame) -> None:
        values = elements(frame)
        if not isinstance(values, list | tuple):
            advice = "; write `| items` for its pairs" if isinstance(values, Mapping) else ""
            raise RenderProblem(f"`for` goes through a list, not {kind(values)}{advice}")
        outer, count = frame.scope, len(values)
        inner = dict(outer)
        frame.scope = inner
        for index, value in enumerate(values):
            frame.spend(1)
            inner.update(_bound(variables, value))
            inner["loop"] = {
                "index": index + 1,
                "index0": index,
                "first": index == 0,
                "last": index == count - 1,
                "length": count,
            }
            body(frame)
        frame.scope = outer
        if not values:
            otherwise(frame)

    return write


def _bound(variables: tuple[str, ...], value: Json) -> dict[str, Json]:
    if len(variables) == 1:
        return {variables[0]: value}
    if not isinstance(value, list | tuple) or len(value) != len(variables):
        raise RenderProblem("`for` with two variables goes through a list of pairs")
    return dict(zip(variables, value, strict=True))
