"""Every example of docs/expressions.md is run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hooksd.expr.condition import compile_condition
from hooksd.expr.problem import ExpressionProblem
from hooksd.expr.scope import NAMES
from hooksd.expr.template import compile_template

PAGE = (Path(__file__).parents[2] / "docs" / "expressions.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def examples(language: str) -> list[Any]:
    lines = [line for block in blocks(language) for line in block.splitlines()]
    pairs = [re.split(r"\s*-> ", line, maxsplit=1) for line in lines]
    return [pytest.param(source, expected, id=source) for source, expected in pairs]


SCOPE: dict[str, Any] = json.loads(blocks("json")[0])


@pytest.mark.parametrize(("source", "expected"), examples("expr"))
def test_an_expression_gives_what_the_page_says(source: str, expected: str) -> None:
    found = compile_template("{{ " + source + " }}").render(SCOPE)

    assert json.dumps(found) == json.dumps(json.loads(expected))
    assert compile_condition(source).judge(SCOPE).value is bool(found)


@pytest.mark.parametrize(("source", "expected"), examples("template"))
def test_a_template_gives_what_the_page_says(source: str, expected: str) -> None:
    if expected.startswith("error: "):
        with pytest.raises(ExpressionProblem, match=expected.removeprefix("error: ")):
            compile_template(source)
    else:
        assert json.dumps(compile_template(source).render(SCOPE)) == json.dumps(json.loads(expected))


FILTERS = re.findall(r"^\| `\w+[^|]*\|.*\| `(.*?)` is `(.*?)` \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("source", "expected"), FILTERS, ids=[source for source, _ in FILTERS])
def test_a_filter_gives_what_its_row_says(source: str, expected: str) -> None:
    found = compile_template("{{ " + source.replace(r"\|", "|") + " }}").render(SCOPE)

    assert json.dumps(found) == json.dumps(json.loads(expected))


def test_every_filter_has_an_example() -> None:
    rows = [line for line in PAGE.splitlines() if re.match(r"^\| `\w+.*\bis `", line)]

    assert len(rows) == len(FILTERS) > 35


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_name_is_documented(name: str) -> None:
    assert f"| `{name}` |" in PAGE
