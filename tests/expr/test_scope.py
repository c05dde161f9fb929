from __future__ import annotations

import pytest

from hooksd.expr.problem import RenderProblem
from hooksd.expr.scope import FUEL, MAX_TEXT, Frame


def test_an_evaluation_stops_when_its_fuel_is_spent() -> None:
    frame = Frame({})
    frame.spend(FUEL)

    with pytest.raises(RenderProblem, match="too much work"):
        frame.spend(1)


def test_a_text_stops_growing_at_its_limit() -> None:
    frame = Frame({})
    frame.write("a" * MAX_TEXT)

    with pytest.raises(RenderProblem, match="longer"):
        frame.write("b")
    assert frame.pieces == ["a" * MAX_TEXT]
