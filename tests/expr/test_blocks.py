from __future__ import annotations

from typing import Any

import pytest

from hooksd.expr.problem import ExpressionProblem, RenderProblem
from hooksd.expr.template import compile_template

BODY: dict[str, Any] = {
    "a": 1,
    "none": [],
    "commits": [{"id": "x", "files": ["p", "q"]}, {"id": "y", "files": []}],
    "labels": {"app": "web", "tier": "front"},
}


def rendered(source: str) -> Any:
    return compile_template(source).render({"body": BODY})


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{% if body.a == 1 %}one{% endif %}", "one"),
        ("{% if body.a == 2 %}two{% endif %}", ""),
        ("{% if body.a == 2 %}two{% elif body.a == 1 %}one{% else %}other{% endif %}", "one"),
        ("{% if body.a == 2 %}two{% elif body.a == 3 %}three{% else %}other{% endif %}", "other"),
        ("{% for c in body.commits %}{{ c.id }}{% endfor %}", "xy"),
        ("{% for c in body.commits %}{% for f in c.files %}{{ c.id }}{{ f }} {% endfor %}{% endfor %}", "xp xq "),
        ("{% for c in body.none %}x{% else %}nothing{% endfor %}", "nothing"),
        (
            "{% for k, v in body.labels | items %}{{ k }}={{ v }}{{ '' if loop.last else ',' }}{% endfor %}",
            "app=web,tier=front",
        ),
        (
            "{% for c in body.commits %}{{ loop.index }}/{{ loop.length }}{{ loop.index0 }}{{ loop.first }} {%endfor%}",
            "1/20true 2/21false ",
        ),
        ("{% if body.commits %}{% for c in body.commits -%} {{ c.id }} {%- endfor %}{% endif %}", "xy"),
        ("{% raw %}{{ body.a }}{% endraw %}", "{{ body.a }}"),
    ],
)
def test_blocks_choose_and_repeat(source: str, text: str) -> None:
    assert rendered(source) == text


def test_a_loop_s_names_hide_nothing_after_it() -> None:
    with pytest.raises(ExpressionProblem, match="unknown name `c`"):
        compile_template("{% for c in body.commits %}{% endfor %}{{ c.id }}")
    with pytest.raises(ExpressionProblem, match="unknown name `loop`"):
        compile_template("{{ loop.index }}{% if 1 %}{% endif %}")


def test_names_inside_blocks_are_checked_and_known() -> None:
    template = compile_template(
        "{% if body.x %}{{ vars.y }}{% endif %}{% for c in steps.a.output %}{{ c.z }}{{ run.id }}{% endfor %}"
    )

    assert template.names == {"body.x", "vars.y", "steps.a.output", "run.id"}


def test_outer_loops_go_on_after_inner_ones() -> None:
    source = "{% for c in body.commits %}{% for f in c.files %}{% endfor %}{{ c.id }}{{ loop.index }}{% endfor %}"

    assert rendered(source) == "x1y2"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{% for x in body.a %}{% endfor %}", "goes through a list, not a number"),
        ("{% for x in body.labels %}{% endfor %}", "write `| items`"),
        ("{% for a, b in body.commits %}{% endfor %}", "a list of pairs"),
    ],
)
def test_a_loop_over_no_list_is_a_problem(source: str, message: str) -> None:
    with pytest.raises(RenderProblem) as caught:
        rendered(source)

    assert message in caught.value.message


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        ("{% if body.a %}", "`{% if %}` is never closed", "add {% endif %}"),
        ("{% for a in body.none %}x", "`{% for %}` is never closed", "add {% endfor %}"),
        ("{% for a in body.none %}{% endif %}", "`endif` without its beginning", None),
        ("{% if 1 %}{% else %}{% else %}{% endif %}", "`else` without its beginning", None),
        ("{% endif %}", "`endif` without its beginning", None),
        ("{% if %}{% endif %}", "an expression is missing", None),
        ("{% if 1 %}{% endif x %}", "unexpected `x`", None),
        ("{% if 1 %}{% else x %}{% endif %}", "unexpected `x`", None),
        ("{% for in body.none %}{% endfor %}", "`in` cannot name a variable", "another name"),
        ("{% for body in body.none %}{% endfor %}", "`body` cannot name a variable", "another name"),
        ("{% for x of body.none %}{% endfor %}", "`in` is missing here", None),
        ("{% for x in body.none if x %}{% endfor %}", "unexpected `if`", "inside the loop"),
        ("{% for x in body.none %}{% endfor x %}", "unexpected `x`", None),
        ("{% include 'x' %}", "there is no block `include`", "read no files"),
        ("{% set x = 1 %}", "there is no block `set`", "`set` step"),
        ("{% fro x in y %}", "there is no block `fro`", "`for`"),
        ("{% zzz %}", "there is no block `zzz`", "if, for and raw"),
        ("{% if 1 %}" * 40 + "{% endif %}" * 40, "nested deeper", None),
    ],
)
def test_a_wrong_block_is_named_with_what_to_do(source: str, message: str, hint: str | None) -> None:
    with pytest.raises(ExpressionProblem) as caught:
        compile_template(source)

    assert message in caught.value.message
    assert (hint or "") in (caught.value.hint or "")
