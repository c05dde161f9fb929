"""Filters over lists, maps and numbers. Each takes the value first; the table is in `filters`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hooksd.expr.problem import Absent, RenderProblem
from hooksd.expr.scope import MAX_TEXT
from hooksd.expr.values import is_number, json_text, kind, number, same, text
from hooksd.model.base import Json

_ABSENT = object()


def _list(value: Json, name: str) -> list[Json]:
    if isinstance(value, list):
        return value
    if isinstance(value, tuple):
        return list(value)
    raise RenderProblem(f"`{name}` takes a list, not {kind(value)}")


def _map(value: Json, name: str) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise RenderProblem(f"`{name}` takes a map, not {kind(value)}")
    return value


def _attribute(item: Json, dotted: Json) -> Json:
    if not isinstance(dotted, str):
        raise RenderProblem("an attribute is named by text, like 'author.name'")
    for key in dotted.split("."):
        item = item.get(key, _ABSENT) if isinstance(item, Mapping) else _ABSENT
        if item is _ABSENT:
            return _ABSENT
    return item


def length(value: Json) -> int:
    """Return the number of characters, elements or keys."""
    if isinstance(value, str | list | tuple | Mapping):
        return len(value)
    raise RenderProblem(f"`length` takes text, a list or a map, not {kind(value)}")


def first(value: Json) -> Json:
    """Return the first element; of an empty list or text, a missing value."""
    return _at(value, 0, "first")


def last(value: Json) -> Json:
    """Return the last element; of an empty list or text, a missing value."""
    return _at(value, -1, "last")


def _at(value: Json, position: int, name: str) -> Json:
    elements = value if isinstance(value, str) else _list(value, name)
    if not elements:
        raise Absent(name)
    return elements[position]


def join(value: Json, separator: Json = "", attribute: Json = None) -> str:
    """Return the elements as one text, `separator` in between; or of each one attribute."""
    elements = _list(value, "join") if attribute is None else pluck(value, attribute)
    mark, pieces, size = text(separator), [], 0
    for element in elements:
        pieces.append(text(element))
        size += len(pieces[-1]) + len(mark)
        if size > MAX_TEXT:
            raise RenderProblem(f"the text becomes longer than {MAX_TEXT} characters")
    return mark.join(pieces)


def reverse(value: Json) -> Json:
    """Return the elements or characters from the last to the first."""
    return value[::-1] if isinstance(value, str) else _list(value, "reverse")[::-1]


def sort(value: Json, attribute: Json = None, reverse: Json = False) -> list[Json]:  # noqa: FBT002 - of the language
    """Return the elements in rising order, of themselves or of an attribute; they must be all numbers or all text."""
    elements = _list(value, "sort")
    order = _comparable(elements if attribute is None else pluck(elements, attribute), "sort")
    places = sorted(range(len(elements)), key=order.__getitem__, reverse=bool(reverse))
    return [elements[place] for place in places]


def unique(value: Json) -> list[Json]:
    """Return the elements without repetitions, each at its first place."""
    found: dict[str, Json] = {}
    for element in _list(value, "unique"):
        found.setdefault(json_text(element), element)
    return list(found.values())


def pluck(value: Json, attribute: Json) -> list[Json]:
    """Return one attribute of each element; an element without it is an error."""
    found = [_attribute(element, attribute) for element in _list(value, "map")]
    if _ABSENT in found:
        raise Absent(str(attribute))
    return found


def selectattr(value: Json, attribute: Json, test: Json = None, wanted: Json = None) -> list[Json]:
    """Return the elements whose attribute counts as true or, with `test`, is so to `wanted`."""
    return _chosen(value, attribute, test, wanted, keep=True)


def rejectattr(value: Json, attribute: Json, test: Json = None, wanted: Json = None) -> list[Json]:
    """Return the elements that `selectattr` leaves out."""
    return _chosen(value, attribute, test, wanted, keep=False)


_TESTS: Mapping[str, Callable[[Json, Json], bool]] = {
    "eq": same,
    "ne": lambda one, other: not same(one, other),
    "in": lambda one, other: any(same(one, element) for element in _list(other, "in")),
}


def _chosen(value: Json, attribute: Json, test: Json, wanted: Json, *, keep: bool) -> list[Json]:
    if test is not None and (not isinstance(test, str) or test not in _TESTS):
        raise RenderProblem("the test of an attribute is 'eq', 'ne' or 'in'")

    def holds(element: Json) -> bool:
        found = _attribute(element, attribute)
        if found is _ABSENT:
            return False
        return bool(found) if test is None else _TESTS[test](found, wanted)

    return [element for element in _list(value, "selectattr") if holds(element) is keep]


def items(value: Json) -> list[Json]:
    """Return the pairs of key and value of a map."""
    return [[key, item] for key, item in _map(value, "items").items()]


def keys(value: Json) -> list[str]:
    """Return the keys of a map."""
    return list(_map(value, "keys"))


def values(value: Json) -> list[Json]:
    """Return the values of a map."""
    return list(_map(value, "values").values())


def total(value: Json, attribute: Json = None) -> float:
    """Return the sum of numbers, or of an attribute of the elements; 0 for none."""
    elements = _list(value, "sum") if attribute is None else pluck(value, attribute)
    if not all(is_number(element) for element in elements):
        raise RenderProblem("`sum` takes a list of numbers")
    return number(sum(elements))


def smallest(value: Json) -> Json:
    """Return the least of numbers or texts; of none, a missing value."""
    return min(_some(_comparable(_list(value, "min"), "min"), "min"))


def largest(value: Json) -> Json:
    """Return the greatest of numbers or texts; of none, a missing value."""
    return max(_some(_comparable(_list(value, "max"), "max"), "max"))


def _some(elements: list[Json], name: str) -> list[Json]:
    if not elements:
        raise Absent(name)
    return elements


def _comparable(elements: list[Json], name: str) -> list[Json]:
    if all(is_number(element) for element in elements) or all(isinstance(element, str) for element in elements):
        return elements
    raise RenderProblem(f"`{name}` takes a list of numbers or a list of texts")


def absolute(value: Json) -> float:
    """Return a number without its sign."""
    return number(abs(_number(value, "abs")))


def rounded(value: Json, digits: Json = 0) -> float:
    """Return the nearest number with so many digits behind the point; a whole number for none."""
    if isinstance(digits, bool) or not isinstance(digits, int) or not 0 <= digits <= 15:
        raise RenderProblem("`round` takes from 0 to 15 digits")
    result = round(_number(value, "round"), digits)
    return number(result if digits else int(result))


def _number(value: Json, name: str) -> float:
    if not is_number(value):
        raise RenderProblem(f"`{name}` takes a number, not {kind(value)}")
    return float(value) if isinstance(value, float) else int(value)
