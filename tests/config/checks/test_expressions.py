from __future__ import annotations

from hooksd.config.checks.expressions import compiled


def test_every_expression_of_a_workflow_is_compiled_with_its_place_and_step() -> None:
    table = {
        "when": "body.a",
        "concurrency": "{{ body.b }}",
        "steps": [
            {"if": "body.c", "run": ["x", "{{ body.d }}"], "env": {"A": "{{ body.e }}"}},
            {"emit": "x", "json": {"deep": [{"er": "{{ body.f }}"}]}},
        ],
        "finally": [{"respond": "{{ body.g }}", "headers": {"X": "{{ body.h }}"}}],
    }
    readings, findings = compiled("workflow", "a.toml", ("workflows", "w"), table)
    assert findings == []
    assert {reading.path[2:]: (set(reading.names), reading.phase, reading.index) for reading in readings} == {
        ("when",): ({"body.a"}, None, 0),
        ("concurrency",): ({"body.b"}, None, 0),
        ("steps", 0, "if"): ({"body.c"}, "steps", 0),
        ("steps", 0, "run", 1): ({"body.d"}, "steps", 0),
        ("steps", 0, "env", "A"): ({"body.e"}, "steps", 0),
        ("steps", 1, "json", "deep", 0, "er"): ({"body.f"}, "steps", 1),
        ("finally", 0, "respond"): ({"body.g"}, "finally", 0),
        ("finally", 0, "headers", "X"): ({"body.h"}, "finally", 0),
    }


def test_scripts_and_constants_are_never_compiled() -> None:
    table = {"steps": [{"shell": "{{ broken"}, {"send": "{{ broken"}, {"cwd": "{{ broken", "run": ["plain"]}]}
    assert compiled("workflow", "a.toml", (), table) == ([], [])


def test_roles_have_no_expressions() -> None:
    assert compiled("role", "a.toml", (), {"allow": ["run:{{ x }}"]}) == ([], [])


def test_a_problem_is_placed_within_its_text() -> None:
    _, (finding,) = compiled("webhook", "a.toml", ("webhooks", "w"), {"subject": "x {{ body | upcase }}"})
    assert finding.within is not None
    assert "x {{ body | upcase }}"[slice(*finding.within)] == "upcase"


def test_braces_in_a_bare_expression_get_a_hint() -> None:
    _, (finding,) = compiled("workflow", "a.toml", (), {"when": "{{ body.x }}"})
    assert finding.hint == "`when` takes a bare expression: leave the braces out"
    assert finding.code == "H050"


def test_a_name_that_no_scope_has_is_an_unknown_name_and_no_syntax_error() -> None:
    _, (finding,) = compiled("workflow", "a.toml", (), {"when": "bdy.x"})
    assert finding.code == "H045"


def test_values_of_the_wrong_kind_are_left_to_the_models() -> None:
    table = {"when": 3, "concurrency": None, "steps": [{"run": 7, "if": [], "env": "x"}], "finally": "x"}
    assert compiled("workflow", "a.toml", (), table) == ([], [])
