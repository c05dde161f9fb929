from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from msgspec import structs

from hooksd.engine.run import Verdict
from hooksd.engine.scope import event_scope, run_scope
from hooksd.expr.event import event_json
from hooksd.expr.scope import NAMES
from hooksd.model.received import ReceivedFile
from hooksd.testing import event_of
from tests.engine.steps.occasions import ended, run_at


def test_conditions_read_the_event_and_nothing_of_a_run() -> None:
    event = replace(event_of({"a": 1}), headers={"x-a": "1"}, query={"q": "2"})

    scope = event_scope(event, {"v": 3}, {})

    assert scope["body"] == {"a": 1}
    assert scope["headers"] == {"x-a": "1"}
    assert scope["query"] == {"q": "2"}
    assert scope["vars"] == {"v": 3}
    assert scope["event"]["trust"] == "signed"
    assert "run" not in scope


def test_steps_read_themselves_and_what_came_before() -> None:
    run = run_at({"id": "a", "run": ["x"]}, {"n": 1}, vars={"v": 1, "w": 1})
    run = structs.replace(run, results={"a": ended("a", code=200, output=[1], attempts=2, ms=1.5)}, variables={"w": 2})

    scope = run_scope(run, {"token": "t"}, "https://hooks.example")

    assert scope["steps"] == {"a": {"ok": True, "status": 200, "output": [1], "error": None, "attempts": 2, "ms": 1.5}}
    assert scope["vars"] == {"v": 1, "w": 2}
    assert scope["secrets"] == {"token": "t"}
    assert scope["run"] == {
        "id": run.id,
        "workflow": "deploy",
        "ok": True,
        "url": f"https://hooks.example/api/v1/runs/{run.id}",
        "date": "2026-11-22",
    }
    assert "error" not in scope
    assert set(scope) <= NAMES


def test_after_a_failure_there_is_an_error_and_every_step_can_be_asked_about() -> None:
    run = run_at({"id": "a", "run": ["x"]})
    run = structs.replace(run, verdict=Verdict(status="failed", step="b", error="broken"), phase="finally")

    scope = run_scope(run, {}, "")

    assert scope["error"] == {"step": "b", "message": "broken"}
    assert scope["run"]["ok"] is False
    assert scope["steps"]["a"]["ok"] is False


def test_there_is_nothing_but_json_in_scope() -> None:
    run = run_at({"id": "a", "run": ["x"]}, {"n": [1, None, True, "x", {"a": 1.5}]})
    scope = run_scope(run, {}, "")

    assert orjson.loads(orjson.dumps(scope)) == scope
    assert event_json(run.event)["data"] == run.event.data


def test_a_program_finds_the_request_in_its_event_by_the_names_of_templates() -> None:
    event = replace(event_of({"foo": "bar"}), headers={"x-verify-signature": "1"}, query={"q": "2"})

    told = event_json(event)

    assert (told["body"], told["data"]) == ({"foo": "bar"}, {"foo": "bar"})
    assert told["headers"] == {"x-verify-signature": "1"}
    assert told["query"] == {"q": "2"}


def test_files_are_read_by_the_names_of_their_fields_with_the_path_to_their_bytes() -> None:
    file = ReceivedFile(field="doc", name="a.txt", filename="a.txt", media="text/plain", size=1, digest="sha256:abcd")
    event = replace(event_of(None), files={"doc": file}, folder="/log")

    scope = event_scope(event, {}, {})

    assert scope["files"]["doc"]["path"] == "/log/blobs/ab/abcd"
    assert event_json(event)["files"] == scope["files"]
    assert event_scope(event_of(None), {}, {})["files"] == {}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_what_is_read_alone_is_what_it_is_among_everything(name: str) -> None:
    run = run_at({"id": "a", "run": ["x"]}, {"n": 1}, vars={"v": 1})
    run = structs.replace(run, verdict=Verdict(status="failed", step="b", error="broken"), phase="finally")
    whole = run_scope(run, {"token": "t"}, "https://hooks.example")

    assert run_scope(run, {"token": "t"}, "https://hooks.example", {name}) == {name: whole[name]}
    assert set(whole) == NAMES
    assert run_scope(run, {}, "", ()) == {}
