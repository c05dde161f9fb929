"""The operators over JSON values. They convert nothing: a number and a text are never added, compared or mixed up."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from hooksd.expr.problem import Absent, RenderProblem
from hooksd.expr.scope import MAX_TEXT
from hooksd.expr.values import is_number, kind, number, same
from hooksd.model.base import Json

MAX_ITEMS = 100_000
"""The most elements that a list put together by `+` may have."""


def bounded(length: int, limit: int) -> None:
    """Refuse what becomes too long.

    Raises:
        RenderProblem: `length` is over `limit`.
    """
    if length > limit:
        raise RenderProblem(f"the result becomes longer than {limit}")


def item(value: Json, key: Json, source: str) -> Json:
    """Return an element of a map, a list or a text.

    Args:
        value: The whole.
        key: A text for maps, a whole number for lists and texts; negative ones count from the end.
        source: How the expression names the element, for the message.

    Raises:
        Absent: There is no such element.
    """
    wanted = str if isinstance(value, Mapping) else int
    if isinstance(value, Mapping | list | tuple | str) and isinstance(key, wanted) and not isinstance(key, bool):
        try:
            return value[key]  # type: ignore[index] # the kinds of key and value fit: see above
        except (KeyError, IndexError):
            pass
    raise Absent(source)


def part(value: Json, low: Json, high: Json) -> Json:
    """Return the elements or characters from one position to before another.

    Raises:
        RenderProblem: The value has no parts, or a position is no whole number.
    """
    if not isinstance(value, str | list | tuple):
        raise RenderProblem(f"only text and lists have parts, not {kind(value)}")
    for position in (low, high):
        if position is not None and (isinstance(position, bool) or not isinstance(position, int)):
            raise RenderProblem(f"a position is a whole number, not {kind(position)}")
    return value[low:high]


def arithmetic(name: str, left: Json, right: Json) -> Json:
    """Compute with two values.

    Raises:
        RenderProblem: The values do not fit the operator or each other, or there is no result.
    """
    if is_number(left) and is_number(right):
        try:
            return number(_NUMBERS[name](left, right))
        except ZeroDivisionError:
            raise RenderProblem(f"`{name}` by zero has no result") from None
        except OverflowError:
            raise RenderProblem("the number becomes too large") from None
    if name == "+" and isinstance(left, str) and isinstance(right, str):
        bounded(len(left) + len(right), MAX_TEXT)
        return left + right
    if name == "+" and isinstance(left, list) and isinstance(right, list):
        bounded(len(left) + len(right), MAX_ITEMS)
        return left + right
    advice = "; write `~` to put texts together" if name == "+" else ""
    raise RenderProblem(f"`{name}` does not work on {kind(left)} and {kind(right)}{advice}")


_NUMBERS: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}


def _ordered(name: str, compare: Callable[[Json, Json], bool]) -> Callable[[Json, Json], bool]:
    def ordered(left: Json, right: Json) -> bool:
        if (is_number(left) and is_number(right)) or (isinstance(left, str) and isinstance(right, str)):
            return compare(left, right)
        raise RenderProblem(f"`{name}` compares two numbers or two texts, not {kind(left)} and {kind(right)}")

    return ordered


def _contains(left: Json, right: Json) -> bool:
    if isinstance(right, str):
        if isinstance(left, str):
            return left in right
        raise RenderProblem(f"`in` looks for text in text, not for {kind(left)}")
    if isinstance(right, Mapping):
        return isinstance(left, str) and left in right
    if isinstance(right, list | tuple):
        return any(same(left, element) for element in right)
    raise RenderProblem(f"`in` looks in text, lists and maps, not in {kind(right)}")


COMPARISONS: Mapping[str, Callable[[Json, Json], bool]] = {
    "==": same,
    "!=": lambda left, right: not same(left, right),
    "<": _ordered("<", operator.lt),
    "<=": _ordered("<=", operator.le),
    ">": _ordered(">", operator.gt),
    ">=": _ordered(">=", operator.ge),
    "in": _contains,
    "not in": lambda left, right: not _contains(left, right),
}
"""Each comparison by its name in the language."""
