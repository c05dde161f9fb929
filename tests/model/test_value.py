from __future__ import annotations

from dataclasses import field, replace

import orjson
import pytest
from pydantic import TypeAdapter

from hooksd.model.value import fact, maker, value


@value
class Point:
    x: int
    y: int = 0
    names: tuple[str, ...] = field(default_factory=tuple)


@fact
class Line:
    x: int
    end: Point | None = None
    names: tuple[str, ...] = field(default_factory=tuple)
    y: int = 0


def test_values_are_equal_and_have_one_hash_when_their_fields_are_equal() -> None:
    assert Point(x=1, y=2) == Point(x=1, y=2) != Point(x=1)
    assert {Point(x=1, y=2), Point(x=1, y=2)} == {Point(x=1, y=2)}


def test_values_are_built_by_keyword_and_have_no_other_fields() -> None:
    with pytest.raises(TypeError):
        Point(1, 2)  # type: ignore[call-arg] # that is what is tested
    with pytest.raises(AttributeError):
        Point(x=1).z = 3  # type: ignore[attr-defined] # that is what is tested


def test_another_value_is_made_of_one_with_some_fields_replaced() -> None:
    assert replace(Point(x=1, y=2), y=3) == Point(x=1, y=3)


def test_values_are_written_and_read_as_dataclasses_are() -> None:
    text = orjson.dumps(Point(x=1, names=("a",)))

    assert text == b'{"x":1,"y":0,"names":["a"]}'
    assert TypeAdapter(Point).validate_json(text) == Point(x=1, names=("a",))


def test_facts_are_values_that_are_written_in_the_order_of_their_fields() -> None:
    line = Line(y=2, names=("a",), end=Point(x=1), x=3)

    assert orjson.dumps(line) == b'{"x":3,"end":{"x":1,"y":0,"names":[]},"names":["a"],"y":2}'
    assert TypeAdapter(Line).validate_json(orjson.dumps(line)) == line
    assert {line, replace(line, y=2)} == {line} != {replace(line, y=3)}
    assert orjson.dumps(replace(line, y=3)) == orjson.dumps(line).replace(b'"y":2', b'"y":3')
    with pytest.raises(TypeError):
        Line(1)  # type: ignore[call-arg] # that is what is tested


def test_a_maker_makes_values_too() -> None:
    point = maker(Point)

    assert point(x=1, y=2, names=("a",)) == Point(x=1, y=2, names=("a",))
    assert point(x=1) == Point(x=1)
