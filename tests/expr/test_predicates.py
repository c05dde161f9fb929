from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hooksd.expr.predicates import PREDICATES
from hooksd.expr.problem import RenderProblem

VALUES: dict[str, Any] = {
    "null": None,
    "yes": True,
    "no": False,
    "whole": 1,
    "real": 1.5,
    "text": "a",
    "list": [],
    "map": {},
}


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("boolean", {"yes", "no"}),
        ("false", {"no"}),
        ("true", {"yes"}),
        ("integer", {"whole"}),
        ("number", {"whole", "real"}),
        ("none", {"null"}),
        ("null", {"null"}),
        ("string", {"text"}),
        ("mapping", {"map"}),
        ("sequence", {"list"}),
        ("defined", set(VALUES)),
        ("undefined", set()),
    ],
)
def test_a_test_holds_for_its_kind_alone(name: str, holds: set[str]) -> None:
    assert {kind for kind, value in VALUES.items() if PREDICATES[name][0](value)} == holds


def test_like_matches_patterns_with_stars() -> None:
    like = PREDICATES["like"][0]

    assert like("refs/tags/v1", "refs/tags/*")
    assert not like("refs/heads/v1", "refs/tags/*")
    with pytest.raises(RenderProblem, match="compares text with a pattern, not a number with text"):
        like(1, "*")


@pytest.mark.parametrize("name", sorted(PREDICATES))
def test_every_test_is_documented(name: str) -> None:
    assert f"`{name}" in (Path(__file__).parents[2] / "docs" / "expressions.md").read_text()
