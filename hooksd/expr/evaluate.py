"""From a tree to a function: every node becomes one closure, so that nothing is looked up twice while evaluating."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from hooksd.expr import operators, tree
from hooksd.expr.filters import FILTERS
from hooksd.expr.predicates import PREDICATES
from hooksd.expr.problem import Absent
from hooksd.expr.scope import MAX_TEXT, Frame
from hooksd.expr.values import same, text, weight
from hooksd.model.base import Json

Evaluate = Callable[[Frame], Json]
"""Computes a value. Raises RenderProblem; Absent when a name has no value."""

_ABSENT = object()
_LOOKUP_ERRORS = (KeyError, IndexError, TypeError)


def evaluator(node: tree.Node) -> Evaluate:  # noqa: C901, PLR0911, PLR0912 - one line per kind of node
    """Return the function that computes a node."""
    match node:
        case tree.Constant(value=value):
            return lambda _: value
        case tree.Path(keys=keys):
            return _path(keys)
        case tree.Access():
            return _access(node)
        case tree.Pipeline():
            return _pipeline(node)
        case tree.Negative(value=value):
            return _negative(evaluator(value))
        case tree.Arithmetic(first=first, rest=rest):
            return _arithmetic(first, rest)
        case tree.Joined(parts=parts):
            return _joined(parts)
        case tree.Comparison(first=first, rest=rest):
            return _comparison(first, rest)
        case tree.Not(value=value):
            return _not(evaluator(value))
        case tree.All(parts=parts):
            return _all(tuple(map(evaluator, parts)))
        case tree.Any(parts=parts):
            return _any(tuple(map(evaluator, parts)))
        case tree.Choice(test=test, yes=yes, no=no):
            return _choice(evaluator(test), evaluator(yes), evaluator(no))
        case tree.ListOf(items=items):
            return _list(tuple(map(evaluator, items)))
        case tree.MapOf(items=pairs):
            return _map(tuple((key, evaluator(value)) for key, value in pairs))
        case _:
            assert_never(node)


def _path(keys: tuple[str | int, ...]) -> Evaluate:
    def evaluate(frame: Frame) -> Json:
        value: Json = frame.scope
        try:
            for key in keys:
                value = value[key]
        except _LOOKUP_ERRORS:
            raise Absent(_missing(frame, keys)) from None
        return value

    return evaluate


def _missing(frame: Frame, keys: tuple[str | int, ...]) -> str:
    value: Json = frame.scope
    for count, key in enumerate(keys, start=1):
        try:
            value = value[key]
        except _LOOKUP_ERRORS:
            return ".".join(map(str, keys[:count]))
    return ".".join(map(str, keys))


def _access(node: tree.Access) -> Evaluate:
    base, source = evaluator(node.base), node.source
    keys = tuple(_cut(key) if isinstance(key, tree.Cut) else _item(evaluator(key), source) for key in node.keys)

    def evaluate(frame: Frame) -> Json:
        value = base(frame)
        for key in keys:
            value = key(frame, value)
        return value

    return evaluate


def _item(key: Evaluate, source: str) -> Callable[[Frame, Json], Json]:
    def item(frame: Frame, value: Json) -> Json:
        return operators.item(value, key(frame), source)

    return item


def _cut(cut: tree.Cut) -> Callable[[Frame, Json], Json]:
    low = evaluator(cut.low) if cut.low is not None else None
    high = evaluator(cut.high) if cut.high is not None else None

    def part(frame: Frame, value: Json) -> Json:
        frame.spend(weight(value))
        return operators.part(value, low(frame) if low else None, high(frame) if high else None)

    return part


def _pipeline(node: tree.Pipeline) -> Evaluate:
    base = evaluator(node.base)
    stages = tuple(_filter(stage) if isinstance(stage, tree.Filter) else _test(stage) for stage in node.stages)

    def evaluate(frame: Frame) -> Json:
        absent: Absent | None = None
        value: Json = None
        try:
            value = base(frame)
        except Absent as problem:
            absent = problem
        for stage, absorbs in stages:
            if absent is not None and not absorbs:
                continue
            try:
                value = stage(frame, _ABSENT if absent is not None else value)
                absent = None
            except Absent as problem:
                absent = problem
        if absent is not None:
            raise absent
        return value

    return evaluate


_Stage = tuple[Callable[[Frame, Json], Json], bool]
"""What a filter or a test does to a value, and whether it knows what to do about a missing one."""


def _filter(stage: tree.Filter) -> _Stage:
    function = FILTERS[stage.name].function
    parameters = FILTERS[stage.name].parameters
    given = {
        parameter: evaluator(argument)
        for parameter, argument in zip(parameters, stage.arguments, strict=True)
        if argument is not None
    }
    if stage.name == "default":
        return _default(given["fallback"], given.get("boolean")), True

    def apply(frame: Frame, value: Json) -> Json:
        frame.spend(weight(value))
        return function(value, **{name: argument(frame) for name, argument in given.items()})

    def plain(frame: Frame, value: Json) -> Json:
        frame.spend(weight(value))
        return function(value)

    return (apply if given else plain), False


def _default(fallback: Evaluate, boolean: Evaluate | None) -> Callable[[Frame, Json], Json]:
    def apply(frame: Frame, value: Json) -> Json:
        if value is _ABSENT or value is None or (not value and boolean is not None and boolean(frame)):
            return fallback(frame)
        return value

    return apply


def _test(stage: tree.Test) -> _Stage:
    name, negated = stage.name, stage.negated
    if name in {"defined", "undefined"}:
        wanted = (name == "defined") is not negated
        return (lambda _, value: (value is not _ABSENT) is wanted), True
    function = PREDICATES[name][0]
    arguments = tuple(map(evaluator, stage.arguments))

    def apply(frame: Frame, value: Json) -> bool:
        frame.spend(weight(value))
        return function(value, *[argument(frame) for argument in arguments]) is not negated

    return apply, False


def _negative(value: Evaluate) -> Evaluate:
    return lambda frame: operators.arithmetic("-", 0, value(frame))


def _arithmetic(first: tree.Node, rest: tuple[tuple[str, tree.Node], ...]) -> Evaluate:
    begin = evaluator(first)
    steps = tuple((operator, evaluator(operand)) for operator, operand in rest)

    def evaluate(frame: Frame) -> Json:
        value = begin(frame)
        for operator, operand in steps:
            frame.spend(weight(value))
            value = operators.arithmetic(operator, value, operand(frame))
        return value

    return evaluate


def _joined(nodes: tuple[tree.Node, ...]) -> Evaluate:
    parts = tuple(map(evaluator, nodes))

    def evaluate(frame: Frame) -> str:
        pieces: list[str] = []
        for part in parts:
            pieces.append(text(part(frame)))
            frame.spend(weight(pieces[-1]))
        operators.bounded(sum(map(len, pieces)), MAX_TEXT)
        return "".join(pieces)

    return evaluate


def _comparison(first: tree.Node, rest: tuple[tuple[str, tree.Node], ...]) -> Evaluate:
    begin = evaluator(first)
    steps = tuple((operators.COMPARISONS[operator], evaluator(operand)) for operator, operand in rest)
    if len(rest) == 1 and rest[0][0] == "==" and isinstance(rest[0][1], tree.Constant):
        return _equals(begin, rest[0][1].value)

    def evaluate(frame: Frame) -> bool:
        left = begin(frame)
        for compare, operand in steps:
            right = operand(frame)
            frame.spend(weight(left) + weight(right))
            if not compare(left, right):
                return False
            left = right
        return True

    return evaluate


def _equals(value: Evaluate, constant: Json) -> Evaluate:
    """Compare with a constant: by far the most frequent condition."""
    if isinstance(constant, str) or constant is None:
        return lambda frame: bool(value(frame) == constant)
    return lambda frame: same(value(frame), constant)


def _not(value: Evaluate) -> Evaluate:
    return lambda frame: not value(frame)


def _all(parts: tuple[Evaluate, ...]) -> Evaluate:
    def evaluate(frame: Frame) -> Json:
        absent: Absent | None = None
        value: Json = True
        for part in parts:
            try:
                value = part(frame)
            except Absent as problem:
                absent = absent or problem
                continue
            if not value:
                return value
        if absent is not None:
            raise absent
        return value

    return evaluate


def _any(parts: tuple[Evaluate, ...]) -> Evaluate:
    def evaluate(frame: Frame) -> Json:
        absent: Absent | None = None
        value: Json = False
        for part in parts:
            try:
                value = part(frame)
            except Absent as problem:
                absent = absent or problem
                continue
            if value:
                return value
        if absent is not None:
            raise absent
        return value

    return evaluate


def _choice(test: Evaluate, yes: Evaluate, no: Evaluate) -> Evaluate:
    return lambda frame: yes(frame) if test(frame) else no(frame)


def _list(items: tuple[Evaluate, ...]) -> Evaluate:
    return lambda frame: [item(frame) for item in items]


def _map(pairs: tuple[tuple[str, Evaluate], ...]) -> Evaluate:
    return lambda frame: {key: value(frame) for key, value in pairs}
