from __future__ import annotations

from typing import Any

import orjson
import pytest

from hooksd.engine.steps.intent import Act, Refuse
from hooksd.model.effect import StartProcess
from tests.engine.steps.occasions import wants


def process(step: dict[str, Any], data: Any = None, **options: Any) -> StartProcess:
    intent = wants(step, data, **options)
    assert isinstance(intent, Act), intent
    assert isinstance(intent.effect, StartProcess)
    return intent.effect


def refusal(step: dict[str, Any], data: Any = None, **options: Any) -> str:
    intent = wants(step, data, **options)
    assert isinstance(intent, Refuse), intent
    return intent.error


def test_each_item_is_one_argument_whatever_is_in_it() -> None:
    effect = process({"run": ["echo", "--", "{{ body.x }}", "{{ body.n }}"]}, {"x": "$(id) 'a' b\n-rf", "n": 3})

    assert effect.argv == ("echo", "--", "$(id) 'a' b\n-rf", "3")


def test_a_list_in_an_argument_becomes_json_and_not_several_arguments() -> None:
    assert process({"run": ["echo", "{{ body.x }}"]}, {"x": ["a", "-b"]}).argv == ("echo", '["a","-b"]')


def test_a_script_is_handed_over_as_it_is_written() -> None:
    effect = process({"shell": "echo $HOOKSD_EVENT_ID | wc -c"}, {"x": "y"})

    assert effect.argv == ("/bin/sh", "-eu", "-c", "echo $HOOKSD_EVENT_ID | wc -c")


def test_the_event_is_on_standard_input() -> None:
    event = orjson.loads(process({"run": ["cat"]}, {"a": 1}).stdin)

    assert event["data"] == {"a": 1}
    names = "id type source subject time trust hop webhook data body headers query files"
    assert set(event) == set(names.split())


def test_own_input_replaces_the_event_which_stays_in_its_file() -> None:
    effect = process({"run": ["cat"], "stdin": "a={{ body.a }}"}, {"a": 1})

    assert effect.stdin == b"a=1"
    assert effect.event is not None
    assert orjson.loads(effect.event)["data"] == {"a": 1}


def test_the_environment_names_event_run_and_attempt_and_cannot_be_forged() -> None:
    step = {"id": "go", "run": ["env"], "env": {"WHO": "{{ body.who }}", "HOOKSD_RUN_ID": "forged"}}

    env = process(step, {"who": "me"}, number=2).env

    assert env["WHO"] == "me"
    assert env["HOOKSD_RUN_ID"].startswith("run_")
    assert (env["HOOKSD_STEP"], env["HOOKSD_ATTEMPT"], env["HOOKSD_WORKFLOW"]) == ("go", "2", "deploy")


def test_time_and_place_have_defaults() -> None:
    effect = process({"run": ["x"]})
    assert (effect.timeout, effect.cwd) == (60.0, "/")

    effect = process({"run": ["x"], "timeout": "5m", "cwd": "/srv"})
    assert (effect.timeout, effect.cwd) == (300.0, "/srv")


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_program_is_refused(value: str) -> None:
    assert "empty" in refusal({"run": ["{{ body.x }}"]}, {"x": value})


def test_a_program_path_cannot_climb_out_of_what_is_allowed() -> None:
    step = {"run": ["/srv/bin/{{ body.x }}"]}

    assert process(step, {"x": "deploy"}, allow=("run:/srv/bin/*",)).argv == ("/srv/bin/deploy",)
    assert "`..`" in refusal(step, {"x": "../../bin/sh"}, allow=("run:/srv/bin/*",))


def test_a_nul_byte_is_refused() -> None:
    assert "NUL" in refusal({"run": ["x", "{{ body.x }}"]}, {"x": "a\0b"})
    assert "NUL" in refusal({"run": ["x"], "env": {"A": "{{ body.x }}"}}, {"x": "a\0b"})


def test_the_role_must_allow_the_program_and_the_shell() -> None:
    assert "run:make" in refusal({"run": ["make"]}, allow=("run:git",))
    assert "shell" in refusal({"shell": "make"}, allow=("run:*",))
    assert "needs a role" in refusal({"run": ["make"]}, allow=None)
