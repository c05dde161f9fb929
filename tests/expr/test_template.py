from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.expr.problem import ExpressionProblem, RenderProblem
from hooksd.expr.scope import MAX_TEXT
from hooksd.expr.template import compile_template, compile_value

BODY: dict[str, Any] = {"id": 7, "ok": True, "null": None, "list": [1, 2], "map": {"a": "b"}, "name": "Ann <b>"}
SCOPE = {"body": BODY}


@pytest.mark.parametrize("key", sorted(BODY))
def test_exactly_one_expression_keeps_its_json_type(key: str) -> None:
    assert compile_template("{{ body." + key + " }}").render(SCOPE) == BODY[key]
    assert compile_template("{{- body." + key + " -}}").render(SCOPE) is BODY[key]


def test_anything_around_it_makes_text() -> None:
    template = compile_template(
        "{{ body.id }} {{ body.ok }} {{ body.null }} {{ body.list }} {{ body.map }} {{ body.name }}"
    )

    assert template.render(SCOPE) == '7 true  [1,2] {"a":"b"} Ann <b>'
    assert compile_template(" {{ body.id }}").render(SCOPE) == " 7"


def test_text_is_always_text() -> None:
    assert compile_template("{{ body.id }}").text(SCOPE) == "7"
    assert compile_template("{{ body.null }}").text(SCOPE) == ""
    assert compile_template("{{ body.map }}").text(SCOPE) == '{"a":"b"}'


def test_a_string_without_braces_is_a_constant() -> None:
    template = compile_template("echo $1 \\ {# #}\n")

    assert template.is_constant
    assert template.names == frozenset()
    assert template.render({}) == template.text({}) == "echo $1 \\ {# #}\n"


def test_a_missing_value_is_a_problem_that_names_it() -> None:
    with pytest.raises(RenderProblem) as caught:
        compile_template("a {{ body.nope }}").render(SCOPE)

    assert caught.value.missing == "body.nope"


def test_data_are_never_templates() -> None:
    assert compile_template("x{{ body.evil }}").render({"body": {"evil": "{{ secrets.key }}{% if %}"}}) == (
        "x{{ secrets.key }}{% if %}"
    )


def test_a_value_renders_everywhere_inside() -> None:
    value = compile_value({"a": ["{{ body.id }}", "n {{ body.id }}", 1, None], "b": {"c": "plain"}})

    assert value.render(SCOPE) == {"a": [7, "n 7", 1, None], "b": {"c": "plain"}}
    assert value.texts(SCOPE) == {"a": ["7", "n 7", 1, None], "b": {"c": "plain"}}
    assert value.names == {"body.id"}
    assert not value.is_constant


def test_a_value_without_templates_is_constant() -> None:
    value = compile_value({"a": [1, "x"]})

    assert value.is_constant
    assert value.render({}) == {"a": [1, "x"]}
    assert value.texts({}) == {"a": [1, "x"]}


def test_a_template_that_reads_nothing_is_not_constant() -> None:
    assert compile_value("{{ 1 + 1 }}").render({}) == 2


def test_rendering_leaves_the_definition_as_it_was() -> None:
    value = compile_value({"a": ["{{ body.list }}"]})
    first = value.render({"body": {"list": [1]}})

    assert value.render({"body": {"list": [2]}}) == {"a": [[2]]}
    assert first == {"a": [[1]]}


def test_a_problem_inside_a_value_says_where() -> None:
    with pytest.raises(ExpressionProblem) as caught:
        compile_value({"a": ["ok", {"b": "x {{ bdy.id }}"}]})

    assert caught.value.path == ("a", 1, "b")
    assert "x {{ bdy.id }}"[caught.value.start : caught.value.end] == "bdy"


def test_a_key_cannot_be_a_template() -> None:
    with pytest.raises(ExpressionProblem, match="a key cannot be a template") as caught:
        compile_value({"a": {"{{ body.id }}": 1}})

    assert caught.value.path == ("a", "{{ body.id }}")


def test_names_can_be_limited_to_those_of_a_place() -> None:
    with pytest.raises(ExpressionProblem, match="unknown name `body`"):
        compile_template("{{ body.id }}", names={"secrets"})
    with pytest.raises(ExpressionProblem, match="unknown name `body`"):
        compile_value(["{{ body.id }}"], names={"secrets"})


def test_an_evaluation_that_goes_too_deep_is_a_problem_and_no_crash() -> None:
    deep: Any = 1
    other: Any = 1
    for _ in range(100_000):
        deep, other = [deep], [other]

    with pytest.raises(RenderProblem, match="nested too deeply"):
        compile_template("{{ body.a == body.b }}").render({"body": {"a": deep, "b": other}})


def test_values_nested_too_deeply_are_a_problem_and_no_crash() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]

    for source in ("x{{ body }}", "{{ body == [1] or body | sort }}"):
        with pytest.raises(RenderProblem):
            compile_template(source).render({"body": deep})


HOSTILE = [
    "{{ body.s * body.n }}",
    "{{ [1] * body.n }}",
    "{{ (body.s,) * body.n }}",
    "{{ 10 ** body.n }}",
    "{{ '%9d' % body.n }}",
    "{{ '%1000000000d' | format(1) }}",
    "{{ body.s | replace('a', body.s) }}",
    "{{ body.s | replace('', body.s) }}",
    "{{ body.list | join(body.s) }}",
    "{{ body.s | indent(1000000000) }}",
    "{{ body.s | indent(-1) }}",
    "{{ body.s | center(body.n) }}",
    "{{ body.s | wordwrap(1) }}",
    "{{ body.list | slice(body.n) }}",
    "{{ body.list | batch(body.n) }}",
    "{{ body.list | tojson(body.n) }}",
    "{{ range(body.n) }}",
    "{{ range(9) | list }}",
    "{{ lipsum(body.n) }}",
    "{{ cycler('a') }}",
    "{{ joiner() }}",
    "{{ namespace() }}",
    "{{ dict(a=1) }}",
    "{{ debug() }}",
    "{{ self }}",
    "{{ self._TemplateReference__context }}",
    "{{ caller() }}",
    "{{ loop }}",
    "{{ config }}",
    "{{ request }}",
    "{% for a in body.list %}{% for b in body.list %}{% for c in body.list %}x{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in body.list %}{{ body.s }}{% endfor %}",
    "{% for a in body.list %}{{ body.list | sort }}{% endfor %}",
    "{% for a in body.list %}{{ body.s | upper | length }}{% endfor %}",
    "{% for a in body.s %}{% endfor %}",
    "{{ body.s ~ body.s ~ body.s }}",
    "{{ body.s + body.s + body.s }}",
    "{{ body.s.format(1) }}",
    "{{ body.s.encode() }}",
    "{{ body.s.__class__.__mro__ }}",
    "{{ body['__class__'] }}",
    "{{ body.__init__.__globals__ }}",
    "{{ body.n.to_bytes(5) }}",
    "{{ body.pop('s') }}",
    "{{ body.clear() }}",
    "{{ body.list.append(1) }}",
    "{{ body.keys() }}",
    "{{ body.update({}) }}",
    "{{ body | attr('keys') }}",
    "{{ body.list | map('__class__') }}",
    "{{ body.list | map(attribute='__class__') }}",
    "{{ body.list | sort(attribute='__class__') }}",
    "{{ body | selectattr('x') }}",
    "{{ ''.__class__ }}",
    "{{ ().__class__ }}",
    "{% set x = 1 %}",
    "{% macro m() %}{% endmacro %}",
    "{% call m() %}{% endcall %}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% from 'os' import path %}",
    "{% extends 'x' %}",
    "{% block x %}{% endblock %}",
    "{% do body.pop('s') %}",
    "{% with a = 1 %}{% endwith %}",
    "{% filter upper %}{% endfilter %}",
    "{% autoescape true %}",
    "{% if body.s %}",
    "{% for x in body.list %}",
    "{% endfor %}",
    "{{ 1 / 0 }}",
    "{{ body.n // 0 }}",
    "{{ body.n % 0 }}",
    "{{ body.n * body.n * body.n * body.n }}",
    "{{ 1e308 * 10 }}",
    "{{ body.s | int }}",
    "{{ body.s | fromjson }}",
    "{{ body.s | b64decode }}",
    "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
    "{{ " + "[" * 500 + "]" * 500 + " }}",
    "{{ " + "-" * 5000 + "1 }}",
    "{{ " + "not " * 5000 + "1 }}",
    "{{ 1" + " + 1" * 5000 + " }}",
    "{% if 1 %}" * 500 + "{% endif %}" * 500,
    "{{ secrets }}",
    "{{ secrets | tojson }}",
    "{{ secrets[body.s] }}",
]


@pytest.mark.parametrize("source", HOSTILE, ids=[f"{place}-{source[:40]}" for place, source in enumerate(HOSTILE)])
def test_no_template_can_harm_the_process(source: str) -> None:
    body = {"s": "a" * (MAX_TEXT - 1), "n": 10**9, "list": list(range(2000))}
    before = repr(body["list"])
    begun = time.process_time()

    with pytest.raises((ExpressionProblem, RenderProblem)):
        compile_template(source).render({"body": body, "secrets": {"key": "hush"}})

    assert time.process_time() - begun < 10
    assert repr(body["list"]) == before
    assert set(body) == {"s", "n", "list"}


@given(st.text("{}%# ab'\"()[]|.=-~<1\n", max_size=60))
def test_any_text_compiles_or_is_a_problem_inside_it(source: str) -> None:
    problem = problem_of(source)

    assert problem is None or 0 <= problem.start <= problem.end <= len(source)


def problem_of(source: str) -> ExpressionProblem | None:
    try:
        compile_template(source)
    except ExpressionProblem as problem:
        return problem
    return None
