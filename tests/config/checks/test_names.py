from __future__ import annotations

from typing import Any

import pytest

from hooksd.config.checks.expressions import compiled
from hooksd.config.checks.names import AFTER, EVENT, MEMBERS, RESULT, STEP, check, place_of
from hooksd.config.checks.written import Kind
from hooksd.engine.scope import event_scope
from hooksd.expr.event import event_json
from hooksd.expr.scope import NAMES
from hooksd.model.event import Event
from hooksd.model.ids import EventId
from hooksd.model.trust import Trust


def codes(table: dict[str, Any], kind: Kind = "workflow") -> list[str]:
    readings, findings = compiled(kind, "a.toml", (), table)
    assert findings == []
    return [finding.code for finding in check(kind, "a.toml", (), table, readings)]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("body.x and event.type and headers.a and query.b and vars.v", []),
        ("steps.a.ok", ["H045"]),
        ("run.ok", ["H045"]),
        ("error.message", ["H045"]),
        ("event.kind", ["H045"]),
        ("event.data.anything.at.all", []),
        ("vars.other", ["H046"]),
    ],
)
def test_a_condition_of_a_workflow_sees_the_event_and_first_values(when: str, expected: list[str]) -> None:
    assert codes({"when": when, "vars": {"v": 1}}) == expected


@pytest.mark.parametrize(
    ("phase", "index", "expression", "expected"),
    [
        ("steps", 1, "steps.first.output.deep.er", []),
        ("steps", 0, "steps.second.ok", ["H044"]),
        ("steps", 0, "steps.first.ok", ["H044"]),
        ("steps", 1, "steps.last.ok", ["H044"]),
        ("finally", 0, "steps.second.ok", []),
        ("on_failure", 0, "steps.last.ok", ["H044"]),
        ("steps", 1, "steps.frist.ok", ["H043"]),
        ("steps", 1, "steps.first.result", ["H045"]),
        ("steps", 1, "steps['first'].ok", []),
        ("steps", 0, "error.message", ["H045"]),
        ("on_failure", 0, "error.message", []),
        ("finally", 0, "error.mesage", ["H045"]),
        ("steps", 0, "run.id", []),
        ("steps", 0, "run.name", ["H045"]),
        ("steps", 0, "vars.set_later", []),
    ],
)
def test_a_step_sees_what_there_is_when_it_runs(phase: str, index: int, expression: str, expected: list[str]) -> None:
    table: dict[str, Any] = {
        "steps": [{"id": "first", "fail": "x"}, {"id": "second", "set": {"set_later": 1}}],
        "on_failure": [{"fail": "x"}],
        "finally": [{"id": "last", "fail": "x"}],
    }
    table[phase][index]["if"] = expression
    assert codes(table) == expected


def test_a_webhook_sees_the_request_and_an_endpoint_the_secrets() -> None:
    assert codes({"event": "{{ body.x }}{{ headers.a }}{{ query.b }}"}, "webhook") == []
    assert codes({"event": "{{ secrets.x }}"}, "webhook") == ["H045"]
    assert codes({"url": "https://{{ secrets.x }}", "headers": {"A": "{{ secrets.x }}"}}, "endpoint") == []
    assert codes({"url": "https://{{ body.x }}", "headers": {"A": "{{ vars.x }}"}}, "endpoint") == ["H045", "H045"]


def test_the_headers_of_an_endpoint_see_the_event_and_how_it_came() -> None:
    headers = {"A": "{{ event.id }}", "B": "{{ body.x }}{{ headers.a }}{{ query.b }}"}

    assert codes({"url": "https://x.example", "headers": headers}, "endpoint") == []


def test_the_scopes_are_those_of_the_engine() -> None:
    event = Event(
        id=EventId("evt_1"), type="x", source="/x", subject=None, time="2026-11-22T00:00:00.000Z", trust=Trust.LOCAL
    )
    assert set(event_scope(event, {}, {})) == EVENT
    assert set(event_json(event)) == MEMBERS["event"]
    assert EVENT < STEP < AFTER == NAMES


def test_members_are_suggested() -> None:
    table = {"steps": [{"id": "build", "fail": "x"}, {"fail": "{{ steps.bild.ok }}"}]}
    readings, _ = compiled("workflow", "a.toml", (), table)
    (finding,) = check("workflow", "a.toml", (), table, readings)
    assert finding.hint == "did you mean `build`?"
    assert "ok" in RESULT


@pytest.mark.parametrize(
    ("name", "source", "place"),
    [
        ("steps.a.ok", "not steps.a.ok", (4, 14)),
        ("steps.a", "x.steps.a or steps . a", (13, 22)),
        ("body.x", "'body.x' == body.x", (12, 18)),
        ("body.x", "body['x']", None),
        ("body.x", "body.xy", None),
    ],
)
def test_names_are_found_in_their_source(name: str, source: str, place: tuple[int, int] | None) -> None:
    assert place_of(name, source) == place


def test_a_name_of_another_scope_is_told_with_those_of_this_one() -> None:
    table = {"event": "{{ run.id }}"}
    readings, _ = compiled("webhook", "a.toml", (), table)
    (finding,) = check("webhook", "a.toml", (), table, readings)
    assert finding.hint == "in scope: `body`, `headers` or `query`"


def test_a_name_read_whole_needs_no_member() -> None:
    assert codes({"steps": [{"emit": "x", "json": "{{ vars }}"}, {"emit": "x", "json": "{{ steps }}"}]}) == []
