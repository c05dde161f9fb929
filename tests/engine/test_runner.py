from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest

from hooksd.clock import rfc3339
from hooksd.engine.ports import Response
from hooksd.engine.turnstile import FEW, MANY
from hooksd.errors import JournalBroken, JournalFull
from hooksd.journal import codec
from hooksd.journal.replay import unfinished
from hooksd.model.arrival import Arrival
from hooksd.model.body import Document
from hooksd.model.effect import Deliver, MakeRequest, Performed, StartProcess
from hooksd.model.event import Event
from hooksd.model.ids import EventId
from hooksd.model.outgoing import DeliveryPlan
from hooksd.model.record import EventAccepted, Origin, RunEnded, StepEnded, StepStarted
from hooksd.model.stored import BLOB_THRESHOLD
from hooksd.model.trust import Trust
from hooksd.testing import RecordingPerformer
from tests.engine.bench import Bench

BUILD = {"steps": [{"id": "build", "run": ["make", "{{ body.target }}"]}]}
FAILED = Performed(ok=False, code=1, error="exit status 1")


async def test_an_event_is_durable_with_its_runs_before_it_is_accepted() -> None:
    async with Bench({"build": BUILD}).running() as bench:
        accepted = await bench.engine.accept(bench.event({"target": "all"}), origin=None)

        record = bench.journal.records[0]
        assert isinstance(record, EventAccepted)
        assert record.runs == accepted.runs
        assert [plan.workflow for plan in accepted.runs] == ["build"]


async def test_a_run_leaves_its_story_in_the_log_and_nothing_in_memory() -> None:
    async with Bench({"build": BUILD}).running() as bench:
        await bench.happens({"target": "all"})

        assert bench.types() == ["event.accepted", "run.started", "step.started", "step.ended", "run.ended"]
        assert bench.records(RunEnded)[0].status == "succeeded"
        assert bench.engine.unfinished == 0


async def test_a_step_is_in_the_log_before_the_world_is_touched() -> None:
    seen: list[list[str]] = []
    performer = RecordingPerformer()
    bench = Bench({"build": BUILD}, performer=performer)

    def look(effect: object) -> Performed:
        seen.append(bench.types())
        return Performed(ok=True)

    performer._answers.append(look)
    async with bench.running():
        await bench.happens({"target": "all"})

    assert seen == [["event.accepted", "run.started", "step.started"]]


async def test_values_reach_the_program_as_arguments_and_the_event_as_its_input() -> None:
    async with Bench({"build": BUILD}).running() as bench:
        await bench.happens({"target": "a b; rm -rf /"})

        effect = bench.performer.effects[0]
        assert isinstance(effect, StartProcess)
        assert effect.argv == ("make", "a b; rm -rf /")
        assert orjson.loads(effect.stdin)["data"] == {"target": "a b; rm -rf /"}
        assert effect.env["HOOKSD_EVENT_TYPE"] == "test.happened"


async def test_a_missing_value_fails_the_step_and_touches_nothing() -> None:
    async with Bench({"build": BUILD}).running() as bench:
        await bench.happens({})

        assert bench.performer.effects == []
        (ended,) = bench.records(StepEnded)
        assert ended.status == "failed"
        assert "body.target" in str(ended.error)


async def test_the_result_of_a_step_can_be_read_by_the_next() -> None:
    document = {
        "steps": [
            {"id": "ask", "http": "GET https://api.example/"},
            {"if": "steps.ask.output.ready and steps.ask.status == 200", "run": ["go", "{{ steps.ask.output.name }}"]},
        ]
    }
    answer = Performed(ok=True, code=200, output={"ready": True, "name": "x"})
    async with Bench({"w": document}, performer=RecordingPerformer(answer)).running() as bench:
        await bench.happens()

        effect = bench.performer.effects[1]
        assert isinstance(effect, StartProcess)
        assert effect.argv == ("go", "x")


async def test_a_step_whose_condition_is_false_is_skipped_and_the_log_says_why() -> None:
    document = {"steps": [{"id": "a", "if": "body.go", "run": ["a"]}, {"id": "b", "if": "body.nix.da", "run": ["b"]}]}
    async with Bench({"w": document}).running() as bench:
        await bench.happens({"go": False})

        first, second = bench.records(StepEnded)
        assert (first.status, first.attempts) == ("skipped", 0)
        assert first.detail == {"condition": "body.go", "values": {"body.go": False}}
        assert second.detail["missing"]
        assert bench.records(RunEnded)[0].status == "succeeded"


async def test_a_failure_leads_to_on_failure_which_can_say_what_failed() -> None:
    document = {
        **BUILD,
        "on_failure": [{"run": ["alert", "{{ error.step }}: {{ error.message }}"]}],
        "finally": [{"run": ["report", "{{ run.ok }}", "{{ run.url }}"]}],
    }
    async with Bench({"w": document}, performer=RecordingPerformer(FAILED)).running() as bench:
        accepted = await bench.happens({"target": "all"})

        alert, report = bench.performer.effects[1:]
        assert isinstance(alert, StartProcess)
        assert isinstance(report, StartProcess)
        assert alert.argv == ("alert", "build: exit status 1")
        assert report.argv == ("report", "false", f"https://hooks.example/api/v1/runs/{accepted.runs[0].id}")
        assert bench.records(RunEnded)[0].error == "exit status 1"


async def test_a_step_that_the_run_did_not_come_to_reads_as_not_ok_in_finally() -> None:
    document = {
        "steps": [{"id": "a", "fail": "no"}, {"id": "b", "run": ["b"]}],
        "finally": [{"if": "not steps.b.ok", "run": ["c"]}],
    }
    async with Bench({"w": document}).running() as bench:
        await bench.happens()

        assert len(bench.performer.effects) == 1


async def test_what_may_have_happened_is_not_tried_again() -> None:
    document = {"steps": [{"id": "a", "run": ["a"], "retry": {"max": 3, "delay": "10s"}}]}
    unknown = Performed(ok=False, kind="unknown", error="nobody knows")
    async with Bench({"w": document}, performer=RecordingPerformer(unknown)).running() as bench:
        await bench.happens()

        (ended,) = bench.records(StepEnded)
        assert (ended.status, ended.attempts, ended.error) == ("failed", 1, "nobody knows")


async def test_a_failed_attempt_is_made_again_after_its_wait() -> None:
    document = {"steps": [{"id": "a", "run": ["a"], "retry": {"max": 3, "delay": "10s"}}]}
    async with Bench({"w": document}, performer=RecordingPerformer(FAILED, FAILED)).running() as bench:
        await bench.happens()
        await bench.clock.advance(9.9)
        assert len(bench.performer.effects) == 1
        await bench.clock.advance(0.2)
        assert len(bench.performer.effects) == 2
        await bench.clock.advance(20)

        assert bench.records(StepEnded)[0].attempts == 3
        assert bench.types().count("step.retried") == 2
        assert bench.records(RunEnded)[0].status == "succeeded"


async def test_an_answer_that_is_not_expected_fails_the_step() -> None:
    document = {"steps": [{"http": "GET https://api.example/", "expect": ["404", "3xx"]}]}
    performer = RecordingPerformer(Performed(ok=True, code=200))
    async with Bench({"w": document}, performer=performer).running() as bench:
        await bench.happens()

        assert bench.records(RunEnded)[0].error == "the answer was 200, expected 404 or 3xx"


async def test_a_sleep_lasts_as_long_as_it_says() -> None:
    async with Bench({"w": {"steps": [{"sleep": "1h"}]}}).running() as bench:
        await bench.happens()
        await bench.clock.advance(3599)
        assert bench.engine.unfinished == 1
        await bench.clock.advance(1)

        assert bench.records(RunEnded)[0].status == "succeeded"


async def test_variables_begin_as_the_workflow_says_and_change_with_set() -> None:
    document = {
        "vars": {"who": "nobody", "n": 1},
        "steps": [{"set": {"who": "{{ body.name }}", "old": "{{ vars.who }}"}}, {"run": ["x", "{{ vars }}"]}],
    }
    async with Bench({"w": document}).running() as bench:
        await bench.happens({"name": "me"})

        effect = bench.performer.effects[0]
        assert isinstance(effect, StartProcess)
        assert orjson.loads(effect.argv[1]) == {"who": "me", "n": 1, "old": "nobody"}


# --- time


async def test_a_passed_deadline_cuts_off_the_step_and_cleans_up() -> None:
    document = {**BUILD, "deadline": "10s", "on_failure": [{"run": ["alert", "{{ error.message }}"]}]}
    performer = RecordingPerformer()
    performer.hold()
    async with Bench({"w": document}, performer=performer).running() as bench:
        await bench.happens({"target": "all"})
        await bench.clock.advance(10)
        assert len(performer.cancelled) == 1
        performer.release()
        await bench.clock.settle()

        assert bench.records(StepEnded)[0].status == "cancelled"
        assert bench.records(RunEnded)[0].status == "timed_out"
        alert = performer.effects[1]
        assert isinstance(alert, StartProcess)
        assert alert.argv == ("alert", "the deadline of 10s passed")


async def test_a_cleanup_that_does_not_end_is_cut_off_too() -> None:
    document = {"steps": [{"fail": "no"}], "deadline": "10s", "finally": [{"run": ["a"]}, {"run": ["b"]}]}
    performer = RecordingPerformer()
    performer.hold()
    async with Bench({"w": document}, performer=performer).running() as bench:
        await bench.happens()
        await bench.clock.advance(10)

        assert len(performer.effects) == 1
        assert bench.records(RunEnded)[0].status == "failed"


async def test_a_sleep_ends_at_the_deadline() -> None:
    async with Bench({"w": {"steps": [{"sleep": "1h"}], "deadline": "10s"}}).running() as bench:
        await bench.happens()
        await bench.clock.advance(10)

        assert bench.records(RunEnded)[0].status == "timed_out"


async def test_a_delivery_that_takes_longer_than_the_step_allows_fails_the_step() -> None:
    performer = RecordingPerformer()
    performer.hold()
    document = {"steps": [{"send": "shop", "timeout": "5s"}]}
    endpoints = {"shop": {"url": "https://shop.example/"}}
    async with Bench({"w": document}, performer=performer, endpoints=endpoints).running() as bench:
        await bench.happens()
        await bench.clock.advance(5)

        assert bench.records(RunEnded)[0].error == "no end within 5s"


# --- rights


async def test_without_a_role_nothing_outside_is_touched() -> None:
    async with Bench({"w": {**BUILD, "run_as": None}}).running() as bench:
        await bench.happens({"target": "all"})

        assert bench.performer.effects == []
        assert "needs a role" in str(bench.records(RunEnded)[0].error)


async def test_a_rendered_value_that_the_role_does_not_allow_is_refused() -> None:
    document = {"steps": [{"http": "GET https://{{ body.host }}/"}]}
    roles = {"deployer": {"allow": ["http:https://good.example/*"]}}
    async with Bench({"w": document}, roles=roles).running() as bench:
        await bench.happens({"host": "good.example"})
        await bench.happens({"host": "evil.example"})

        assert len(bench.performer.effects) == 1
        assert "http:https://evil.example/" in str(bench.records(RunEnded)[1].error)


async def test_a_role_taken_away_counts_from_the_next_step_on() -> None:
    document = {"steps": [{"run": ["a"]}, {"sleep": "1m"}, {"run": ["b"]}]}
    async with Bench({"w": document}).running() as bench:
        await bench.happens()
        bench.define({"w": document}, roles={"deployer": {"allow": ["run:a"]}})
        await bench.clock.advance(60)

        assert len(bench.performer.effects) == 1
        assert "run:b" in str(bench.records(RunEnded)[0].error)


async def test_secrets_are_read_when_the_step_begins_and_only_by_who_may(tmp_path: Any) -> None:
    (tmp_path / "token").write_text("s3cret-value")
    (tmp_path / "other").write_text("s3cret-other")
    document = {
        "steps": [{"http": "GET https://a.example/", "headers": {"Authorization": "Bearer {{ secrets.token }}"}}]
    }
    wrong = {"on": "test.wrong", "steps": [{"run": ["x", "{{ secrets.other }}"]}]}
    async with Bench({"w": document, "z": wrong}, credentials=tmp_path).running() as bench:
        await bench.happens(kind="test.right")
        await bench.happens(kind="test.wrong")

        (first, second) = bench.performer.effects
        assert isinstance(first, MakeRequest)
        assert isinstance(second, MakeRequest)
        assert first.headers["Authorization"] == "Bearer s3cret-value"
        assert "secrets.other" in str(next(run for run in bench.records(RunEnded) if run.workflow == "z").error)
        assert b"s3cret" not in orjson.dumps(bench.journal.records, default=dict)


async def test_a_secret_does_not_reach_the_log_through_an_error(tmp_path: Any) -> None:
    (tmp_path / "token").write_text("s3cret-value")
    document = {"steps": [{"http": "GET https://a.example/{{ secrets.token }}", "on_error": "continue"}] * 2}
    roles = {"deployer": {"allow": ["http:https://a.example/*"], "secrets": ["token"]}}
    failed = Performed(ok=False, error="no route to /s3cret-value", detail={"stderr": "tried s3cret-value"})
    performer = RecordingPerformer(failed)
    async with Bench({"w": document}, performer=performer, credentials=tmp_path, roles=roles).running() as bench:
        await bench.happens()
        bench.define({"w": document}, roles={"deployer": {"secrets": ["token"]}})
        await bench.happens()

        assert bench.records(StepEnded)[0].error == "no route to /***"
        assert "http:https://a.example/***" in str(bench.records(StepEnded)[2].error)
        assert b"s3cret" not in orjson.dumps(bench.journal.records, default=dict)


# --- events that lead to events


async def test_an_emitted_event_starts_further_workflows_and_knows_where_it_comes_from() -> None:
    first = {"run_as": None, "steps": [{"id": "tell", "emit": "order.paid", "json": {"n": "{{ body.n }}"}}]}
    second = {"on": "order.*", "run_as": None, "steps": [{"set": {"n": "{{ body.n }}"}}]}
    async with Bench({"first": first, "second": second}).running() as bench:
        accepted = await bench.happens({"n": 7}, trust=Trust.TOKEN)

        event = bench.records(EventAccepted)[1].event
        assert (event.type, event.source, event.hop, event.trust) == ("order.paid", "workflow/first", 1, "token")
        assert event.cause is not None
        assert (event.cause.run, event.cause.step) == (accepted.runs[0].id, "tell")
        assert [ended.status for ended in bench.records(RunEnded)] == ["succeeded", "succeeded"]
        outputs = [ended.output for ended in bench.records(StepEnded)]
        assert {"n": 7} in outputs


async def test_workflows_that_start_each_other_end() -> None:
    loop = {"run_as": None, "steps": [{"emit": "test.again"}]}
    async with Bench({"loop": loop}).running() as bench:
        await bench.happens()
        for _ in range(20):
            await bench.clock.settle()

        assert len(bench.records(EventAccepted)) == 17
        (last,) = [ended for ended in bench.records(RunEnded) if ended.status == "failed"]
        assert "start each other" in str(last.error)


async def test_the_end_of_a_run_is_an_event_for_who_subscribes_to_it() -> None:
    bad = {"steps": [{"id": "a", "fail": "because"}]}
    alarm = {"on": "workflow.*.failed", "run_as": None, "steps": [{"set": {"what": "{{ body }}"}}]}
    async with Bench({"bad": bad, "alarm": alarm}).running() as bench:
        accepted = await bench.happens()

        (told,) = [ended for ended in bench.records(StepEnded) if ended.verb == "set"]
        assert told.output["what"] == {
            "run": accepted.runs[0].id,
            "workflow": "bad",
            "status": "failed",
            "step": "a",
            "message": "because",
            "event": accepted.event,
        }
        kinds = bench.types()
        assert kinds.index("run.ended") > [place for place, kind in enumerate(kinds) if kind == "event.accepted"][1]


async def test_nobody_is_told_of_an_end_that_nobody_subscribes_to() -> None:
    async with Bench({"build": BUILD}).running() as bench:
        await bench.happens({"target": "all"})

        assert len(bench.records(EventAccepted)) == 1


# --- callers who wait


RESPONDING = {"run_as": None, "steps": [{"sleep": "1s"}, {"respond": {"n": "{{ body.n }}"}, "status": 201}]}


async def test_a_caller_gets_what_the_respond_step_says() -> None:
    async with Bench({"w": RESPONDING}).running() as bench, asyncio.TaskGroup() as tasks:
        accepted = await bench.happens({"n": 1})
        caller = tasks.create_task(bench.engine.response(accepted.event, 10))
        await bench.clock.advance(1)

        assert await caller == Response(status=201, headers={}, body={"n": 1})


async def test_an_answer_given_before_the_caller_asks_is_kept() -> None:
    async with Bench({"w": RESPONDING}).running() as bench:
        accepted = await bench.happens({"n": 1})
        await bench.clock.advance(1)

        response = await bench.engine.response(accepted.event, 10)
        assert response is not None
        assert response.status == 201


async def test_a_caller_whose_patience_ends_gets_nothing_and_the_run_goes_on() -> None:
    async with Bench({"w": RESPONDING}).running() as bench, asyncio.TaskGroup() as tasks:
        accepted = await bench.happens({"n": 1})
        caller = tasks.create_task(bench.engine.response(accepted.event, 0.5))
        await bench.clock.advance(0.5)

        assert await caller is None
        await bench.clock.advance(1)
        assert bench.records(RunEnded)[0].status == "succeeded"


async def test_a_caller_does_not_wait_for_runs_that_ended_without_an_answer() -> None:
    async with Bench({"build": BUILD}).running() as bench:
        accepted = await bench.happens({"target": "all"})

        assert await bench.engine.response(accepted.event, 10) is None
        assert await bench.engine.response(EventId("evt_unknown"), 10) is None


# --- starting by hand


async def test_a_workflow_can_be_started_by_name_whatever_it_subscribes_to() -> None:
    async with Bench({"build": {**BUILD, "on": "manual"}}).running() as bench:
        await bench.happens({"target": "all"})
        assert bench.performer.effects == []
        await bench.engine.start(bench.event({"target": "all"}), "build")
        await bench.clock.settle()

        assert len(bench.performer.effects) == 1
        with pytest.raises(KeyError):
            await bench.engine.start(bench.event(), "nix")


# --- one at a time


def busy(on_busy: str, **more: Any) -> dict[str, Any]:
    return {"concurrency": "{{ body.key }}", "on_busy": on_busy, "steps": [{"run": ["x", "{{ body.n }}"]}], **more}


async def three(bench: Bench) -> list[str]:
    """Let three events with one key come while the first is under way; return their statuses."""
    bench.performer.hold()
    runs = [(await bench.happens({"key": "k", "n": number})).runs[0].id for number in range(3)]
    bench.performer.release()
    for _ in range(5):
        await bench.clock.settle()
    ends = {ended.run: ended.status for ended in bench.records(RunEnded)}
    return [ends[run] for run in runs]


@pytest.mark.parametrize(
    ("on_busy", "statuses", "effects"),
    [
        ("queue", ["succeeded", "succeeded", "succeeded"], ["0", "1", "2"]),
        ("latest", ["succeeded", "superseded", "succeeded"], ["0", "2"]),
        ("skip", ["succeeded", "skipped", "skipped"], ["0"]),
        ("restart", ["cancelled", "cancelled", "succeeded"], ["0", "1", "2"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_happens_to_runs_that_come_while_one_is_under_way(
    on_busy: str, statuses: list[str], effects: list[str]
) -> None:
    async with Bench({"w": busy(on_busy)}).running() as bench:
        assert await three(bench) == statuses

        argvs = [effect.argv[1] for effect in bench.performer.effects if isinstance(effect, StartProcess)]
        assert argvs == effects
        assert bench.engine.unfinished == 0


async def test_runs_with_other_keys_do_not_wait() -> None:
    async with Bench({"w": busy("queue")}).running() as bench:
        bench.performer.hold()
        for key in ("a", "b", "a"):
            await bench.happens({"key": key, "n": 1})

        assert len(bench.performer.effects) == 2
        assert (bench.engine.running, bench.engine.unfinished) == (2, 3)


async def test_a_replaced_run_cleans_up_before_the_newer_one_starts() -> None:
    document = busy("restart", **{"finally": [{"run": ["clean", "{{ body.n }}"]}]})
    async with Bench({"w": document}).running() as bench:
        bench.performer.hold()
        await bench.happens({"key": "k", "n": 0})
        await bench.happens({"key": "k", "n": 1})
        bench.performer.release()
        await bench.clock.settle()

        argvs = [effect.argv for effect in bench.performer.effects if isinstance(effect, StartProcess)]
        assert argvs == [("x", "0"), ("clean", "0"), ("x", "1"), ("clean", "1")]


async def test_ten_thousand_runs_that_wait_have_no_task() -> None:
    async with Bench({"w": busy("queue", max_queued=20_000)}).running() as bench:
        bench.performer.hold()
        before = len(asyncio.all_tasks())
        for number in range(10_000):
            await bench.engine.accept(bench.event({"key": "k", "n": number}), origin=None)
        await bench.clock.settle()

        assert bench.engine.unfinished == 10_000
        assert len(asyncio.all_tasks()) < before + 5


# --- when the log has no room


async def test_an_event_that_does_not_fit_is_refused_and_starts_nothing() -> None:
    async with Bench({"build": BUILD}).running() as bench:
        bench.journal.fail_with(JournalFull("the disk is full"))
        with pytest.raises(JournalFull):
            await bench.happens({"target": "all"})
        bench.journal.fail_with(None)
        await bench.clock.advance(60)

        assert bench.performer.effects == []
        assert bench.types() == []


async def test_a_run_waits_for_room_and_loses_nothing() -> None:
    performer = RecordingPerformer()
    async with Bench({"build": BUILD}, performer=performer).running() as bench:
        performer.hold()
        await bench.happens({"target": "all"})
        bench.journal.fail_with(JournalFull("the disk is full"))
        performer.release()
        await bench.clock.advance(30)
        assert bench.engine.unfinished == 1
        bench.journal.fail_with(None)
        await bench.clock.advance(6)

        assert bench.types() == ["event.accepted", "run.started", "step.started", "step.ended", "run.ended"]


async def test_a_broken_log_ends_the_engine() -> None:
    performer = RecordingPerformer()
    performer.hold()
    bench = Bench({"build": BUILD}, performer=performer)
    with pytest.raises(BaseExceptionGroup) as caught:  # noqa: PT012 - the whole life of the engine is the statement
        async with bench.running():
            await bench.happens({"target": "all"})
            bench.journal.fail_with(JournalBroken("EIO"))
            performer.release()
            await bench.clock.advance(1)

    assert caught.value.subgroup(JournalBroken) is not None


async def test_a_caller_that_goes_away_does_not_leave_a_durable_run_lying() -> None:
    async with Bench({"build": BUILD}).running() as bench, asyncio.TaskGroup() as tasks:
        # The definition is stored first, so that only the append remains to be cut off.
        await bench.happens({"target": "one"})
        caller = tasks.create_task(bench.engine.accept(bench.event({"target": "two"}), origin=None))
        await asyncio.sleep(0)
        caller.cancel()
        await bench.clock.settle()

        assert caller.cancelled()
        assert len(bench.performer.effects) == 2


# --- what is large


async def test_large_bodies_and_outputs_are_kept_beside_the_log() -> None:
    text = os.urandom(50_000).hex()
    document = {"steps": [{"id": "a", "run": ["a"]}, {"run": ["b", "{{ steps.a.output[:3] }}"]}]}
    performer = RecordingPerformer(Performed(ok=True, output=text))
    async with Bench({"w": document}, performer=performer).running() as bench:
        await bench.happens({"text": text})

        stored = bench.records(EventAccepted)[0].event.body
        assert stored.encoding == "blob"
        ended = bench.records(StepEnded)[0]
        assert ended.output is None
        assert ended.output_blob is not None
        assert orjson.loads(bench.journal.blob(ended.output_blob)) == text
        second = performer.effects[1]
        assert isinstance(second, StartProcess)
        assert second.argv[1] == text[:3]


# --- stopping and starting


async def test_draining_lets_a_step_end_and_begins_no_other() -> None:
    document = {"steps": [{"id": "a", "run": ["a"]}, {"id": "b", "run": ["b"]}]}
    async with Bench({"w": document}).running() as bench, asyncio.TaskGroup() as tasks:
        bench.performer.hold()
        await bench.happens()
        stop = tasks.create_task(bench.engine.drain(10))
        await bench.clock.advance(5)
        assert not stop.done()
        bench.performer.release()
        await bench.clock.settle()

        assert stop.done()
        assert bench.types()[-1] == "step.ended"
        assert len(bench.performer.effects) == 1


async def test_draining_cuts_off_what_takes_too_long() -> None:
    async with Bench({"build": BUILD}).running() as bench, asyncio.TaskGroup() as tasks:
        bench.performer.hold()
        await bench.happens({"target": "all"})
        stop = tasks.create_task(bench.engine.drain(10))
        await bench.clock.advance(10)

        assert stop.done()
        assert len(bench.performer.cancelled) == 1
        assert bench.types()[-1] == "step.started"


async def test_draining_does_not_wait_for_a_sleep() -> None:
    async with Bench({"w": {"steps": [{"sleep": "1h"}]}}).running() as bench:
        await bench.happens()
        await bench.engine.drain(10)

        assert bench.types()[-1] == "step.started"


async def test_events_accepted_while_draining_start_at_the_next_start() -> None:
    async with Bench({"build": BUILD}).running() as bench:
        await bench.engine.drain(1)
        await bench.happens({"target": "all"})
        assert bench.performer.effects == []

    async with bench.reborn({"build": BUILD}).running(recover=True) as again:
        await again.clock.settle()
        assert len(again.performer.effects) == 1


async def test_an_interrupted_program_is_not_started_again_and_someone_hears_of_it() -> None:
    document = {**BUILD, "on_failure": [{"run": ["alert"]}]}
    async with Bench({"w": document}).running() as bench:
        bench.performer.hold()
        await bench.happens({"target": "all"})

    async with bench.reborn({"w": document}).running(recover=True) as again:
        await again.clock.settle()

        (alert,) = again.performer.effects
        assert isinstance(alert, StartProcess)
        assert alert.argv == ("alert",)
        assert [ended.status for ended in again.records(StepEnded)] == ["interrupted", "ok"]
        assert again.records(RunEnded)[0].status == "failed"


async def test_an_interrupted_delivery_is_asked_for_again_under_the_same_names() -> None:
    document = {"steps": [{"id": "ship", "send": "shop", "json": {"n": 1}}]}
    endpoints = {"shop": {"url": "https://shop.example/"}}
    async with Bench({"w": document}, endpoints=endpoints).running() as bench:
        bench.performer.hold()
        await bench.happens({"target": "all"})

    async with bench.reborn({"w": document}, endpoints=endpoints).running(recover=True) as again:
        await again.clock.settle()

        before, after = bench.performer.effects[0], again.performer.effects[0]
        assert isinstance(before, Deliver)
        assert before == after
        assert [started.attempt for started in again.records(StepStarted)] == [1, 2]


async def test_a_run_keeps_the_definition_it_was_accepted_with() -> None:
    old = {"steps": [{"sleep": "1m"}, {"run": ["old"]}]}
    new = {"steps": [{"run": ["new"]}]}
    async with Bench({"w": old}).running() as bench:
        await bench.happens()

    async with bench.reborn({"w": new}).running(recover=True) as again:
        await again.clock.advance(60)

        (effect,) = again.performer.effects
        assert isinstance(effect, StartProcess)
        assert effect.argv == ("old",)


async def test_a_removed_workflow_still_finishes_its_runs() -> None:
    async with Bench({"w": {"steps": [{"sleep": "1m"}, {"run": ["old"]}]}}).running() as bench:
        await bench.happens()

    async with bench.reborn({}).running(recover=True) as again:
        await again.clock.advance(60)

        assert again.records(RunEnded)[0].status == "succeeded"


async def test_a_run_whose_definition_is_lost_ends_as_failed_and_says_so() -> None:
    async with Bench({"w": {"steps": [{"sleep": "1m"}]}}).running() as bench:
        await bench.happens()
    bench.journal.blobs.clear()

    async with bench.reborn({}).running(recover=True) as again:
        (ended,) = again.records(RunEnded)
        assert ended.status == "failed"
        assert "cannot go on" in str(ended.error)


async def test_the_queue_survives_a_restart_in_its_order() -> None:
    async with Bench({"w": busy("queue")}).running() as bench:
        bench.performer.hold()
        for number in range(3):
            await bench.happens({"key": "k", "n": number})

    async with bench.reborn({"w": busy("queue")}).running(recover=True) as again:
        for _ in range(5):
            await again.clock.settle()

        argvs = [effect.argv[1] for effect in again.performer.effects if isinstance(effect, StartProcess)]
        assert argvs == ["1", "2"]
        assert [ended.status for ended in again.records(RunEnded)] == ["failed", "succeeded", "succeeded"]


async def test_a_crash_after_any_record_loses_no_run_and_repeats_no_program() -> None:
    workflows = {
        "first": {
            "steps": [{"id": "a", "run": ["a"]}, {"id": "tell", "emit": "order.paid"}, {"id": "b", "run": ["b"]}],
            "finally": [{"id": "z", "http": "PUT https://z.example/"}],
        },
        "second": {"on": "order.paid", "steps": [{"id": "c", "run": ["c"]}]},
        "third": {"on": "workflow.first.*", "steps": [{"id": "d", "run": ["d"]}]},
    }
    async with Bench(workflows).running() as whole:
        await whole.happens()
        await whole.clock.settle()
    log = list(whole.journal.read())

    for length in range(1, len(log) + 1):
        whole.journal.records = log[:length]
        async with whole.reborn(workflows).running(recover=True) as again:
            for _ in range(3):
                await again.clock.settle()

            plans = [plan.id for record in again.records(EventAccepted) for plan in record.runs]
            assert sorted(ended.run for ended in again.records(RunEnded)) == sorted(plans)
            causes = [record.event.cause for record in again.records(EventAccepted) if record.event.cause]
            assert len(causes) == len({(cause.run, cause.step) for cause in causes})
            starts = [(started.run, started.step) for started in again.records(StepStarted) if started.step != "z"]
            assert len(starts) == len(set(starts))


# --- taking without waiting


ORIGIN = Origin(file="hooks.toml", line=3)


def arrival(bench: Bench, data: Any = None, **changes: Any) -> Arrival:
    event = bench.event(data, webhook="github", **changes)
    return Arrival(
        id=event.id, type=event.type, subject=None, time=rfc3339(bench.clock.now()), trust=event.trust,
        webhook="github", delivery_id="7", headers={"a": "b"}, query={},
        document=Document(event.media, event.raw, event.data),
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["test.happened", "other"])
@pytest.mark.parametrize("ref", ["main", "dev"])
async def test_what_is_taken_is_written_and_started_as_if_it_had_been_accepted(kind: str, ref: str) -> None:
    workflows = {"build": {**BUILD, "when": "body.ref == 'main'"}}
    seen = []
    for takes in (True, False):
        async with Bench(workflows).running() as bench:
            await bench.happens({"ref": "none"})  # the definition is stored
            came = arrival(bench, {"ref": ref, "target": "all"}, kind=kind)
            if takes:
                taken = bench.engine.take(came, origin=ORIGIN)
                assert taken is not None
                await taken.durable
                accepted = taken.accepted
            else:
                accepted = await bench.engine.accept(came.event(), origin=ORIGIN)
            await bench.clock.settle()
            records = [orjson.loads(codec.dump(record)) for record in bench.journal.records]
            seen.append((accepted, records, bench.performer.effects, bench.observer.metrics.render().count(b"github")))

    assert seen[0] == seen[1]
    assert len(seen[0][2]) == (kind == "test.happened" and ref == "main")


async def test_of_many_runs_that_wait_each_sees_its_own_event_and_they_begin_in_the_order_in_which_they_came() -> None:
    async with Bench({"build": BUILD}).running() as bench:
        await bench.happens({"target": "first"})
        taken = [bench.engine.take(arrival(bench, {"target": str(number)}), origin=ORIGIN) for number in range(200)]
        for one in taken:
            assert one is not None
            await one.durable
        more = bench.engine.take(arrival(bench, {"target": "last"}), origin=ORIGIN)
        assert more is not None
        await more.durable
        assert bench.engine.unfinished > FEW
        while bench.engine.unfinished:
            await bench.clock.settle()

        targets = [effect.argv[1] for effect in bench.performer.effects if isinstance(effect, StartProcess)]
        assert targets == ["first", *map(str, range(200)), "last"]


async def test_only_what_many_callers_wait_for_keeps_runs_from_beginning() -> None:
    async with Bench({}).running() as bench:
        first = bench.engine.take(arrival(bench), origin=ORIGIN)
        for _ in range(MANY - 2):
            bench.engine.take(arrival(bench), origin=ORIGIN)
        assert bench.engine._waited_for() is None
        bench.engine.take(arrival(bench), origin=ORIGIN)

        assert first is not None
        assert bench.engine._waited_for() is first.durable
        await bench.clock.settle()
        assert bench.engine._waited_for() is None


async def test_what_needs_something_stored_first_is_not_taken() -> None:
    async with Bench({"build": BUILD}).running() as bench:
        assert bench.engine.take(arrival(bench, {"target": "all"}), origin=ORIGIN) is None  # the definition

        await bench.happens({"target": "all"})
        assert bench.engine.take(arrival(bench, {"target": "x" * BLOB_THRESHOLD}), origin=ORIGIN) is None
        assert bench.engine.take(arrival(bench, {"target": "all"}), origin=ORIGIN) is not None
        await bench.clock.settle()


async def test_runs_of_what_could_not_be_written_do_not_begin() -> None:
    async with Bench({"build": BUILD}).running() as bench:
        await bench.happens({"target": "one"})
        bench.journal.fail_with(JournalFull("no room"))
        taken = bench.engine.take(arrival(bench, {"target": "two"}), origin=ORIGIN)

        assert taken is not None
        with pytest.raises(JournalFull):
            await taken.durable
        bench.journal.fail_with(None)
        await bench.clock.settle()
        assert len(bench.performer.effects) == 1


class Outlet:
    """Keeps what it is told to send."""

    def __init__(self) -> None:
        self.is_full = False
        self.sent: list[tuple[str, tuple[str, ...]]] = []

    def send(self, event: Event, plans: Sequence[DeliveryPlan]) -> None:
        self.sent.append((event.type, tuple(plan.endpoint for plan in plans)))


SUBSCRIBED = {"shop": {"url": "https://shop.example/", "subscribe": "order.*"}}


async def test_an_event_is_sent_to_those_who_subscribe_as_its_record_says() -> None:
    outlet = Outlet()
    bench = Bench({}, endpoints=SUBSCRIBED, outlet=outlet)
    async with bench.running():
        await bench.happens(kind="order.paid")
        await bench.happens(kind="parcel.sent")

    assert outlet.sent == [("order.paid", ("shop",))]
    assert [[plan.endpoint for plan in record.deliveries] for record in bench.records(EventAccepted)] == [["shop"], []]


async def test_what_goes_wrong_with_one_event_of_a_batch_holds_up_no_other_and_is_told() -> None:
    class Wrong(Outlet):
        def send(self, event: Event, plans: Sequence[DeliveryPlan]) -> None:
            super().send(event, plans)
            if len(self.sent) == 1:
                raise RuntimeError("a bug")

    outlet = Wrong()
    told: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: told.append(str(about["exception"])))
    bench = Bench({"all": {"on": "order.*", "steps": [{"run": ["x"]}]}}, endpoints=SUBSCRIBED, outlet=outlet)
    async with bench.running():
        await bench.engine.accept_all([bench.event(kind=f"order.{number}") for number in range(3)])
        await bench.clock.settle()

    assert told == ["a bug"]
    assert [kind for kind, _ in outlet.sent] == ["order.0", "order.1", "order.2"]
    assert [ended.status for ended in bench.records(RunEnded)] == ["succeeded"] * 2


async def test_an_event_that_would_be_sent_is_refused_while_too_much_waits_to_be_sent() -> None:
    outlet = Outlet()
    outlet.is_full = True
    bench = Bench({}, endpoints=SUBSCRIBED, outlet=outlet)
    async with bench.running():
        with pytest.raises(JournalFull):
            await bench.happens(kind="order.paid")
        await bench.happens(kind="parcel.sent")

    assert outlet.sent == []


async def test_an_event_for_one_workflow_by_name_goes_to_it_alone() -> None:
    outlet = Outlet()
    bench = Bench({"deploy": {"steps": [{"set": {"a": 1}}]}}, endpoints=SUBSCRIBED, outlet=outlet)
    async with bench.running():
        await bench.engine.start(bench.event(kind="order.paid"), "deploy")
        await bench.clock.settle()

    assert outlet.sent == []


async def test_an_event_for_one_endpoint_by_name_goes_to_it_alone_whatever_it_subscribes_to() -> None:
    outlet = Outlet()
    bench = Bench({"deploy": {"steps": [{"set": {"a": 1}}]}}, endpoints=SUBSCRIBED, outlet=outlet)
    async with bench.running():
        accepted = await bench.engine.send(bench.event(), "shop")
        outlet.is_full = True
        with pytest.raises(JournalFull):
            await bench.engine.send(bench.event(), "shop")

    assert outlet.sent == [("test.happened", ("shop",))]
    assert (accepted.runs, accepted.deliveries[0].endpoint) == ((), "shop")


async def test_the_ping_of_a_new_definition_is_kept_with_its_fingerprint() -> None:
    bench = Bench({"deploy": {"steps": [{"set": {"a": 1}}]}}, endpoints=SUBSCRIBED, outlet=Outlet())
    async with bench.running():
        await bench.engine.send(bench.event(), "shop", fingerprint="ab")
        await bench.engine.send(bench.event(), "shop")

    assert unfinished(bench.journal.read()).pinged == {"shop": "ab"}


async def test_several_events_are_accepted_in_one_write_with_everything_that_they_start() -> None:
    async with Bench({"build": BUILD}).running() as bench:
        events = [bench.event({"target": str(number)}) for number in range(40)]

        accepted = await bench.engine.accept_all(events)
        await bench.clock.settle()

        assert [one.event for one in accepted] == [event.id for event in events]
        assert bench.types()[:40] == ["event.accepted"] * 40
        assert sum(len(one.runs) for one in accepted) == len(bench.records(RunEnded)) == 40


async def test_of_several_events_none_is_accepted_when_one_cannot_be() -> None:
    async with Bench({"build": BUILD}).running() as bench:
        bench.journal.fail_with(JournalFull("no room"))
        with pytest.raises(JournalFull):
            await bench.engine.accept_all([bench.event({"target": "a"}), bench.event({"target": "b"})])
        bench.journal.fail_with(None)
        await bench.clock.settle()

        assert bench.types() == []
        assert bench.engine.unfinished == 0


async def test_published_events_are_counted_by_who_publishes_them() -> None:
    async with Bench({}).running() as bench:
        event = replace(bench.event({}), source="https://any.example/1", publisher="shop")
        await bench.engine.accept_all([event])

        text = bench.observer.metrics.render().decode()

    assert 'hooksd_events_accepted_total{source="api/shop"} 1.0' in text
    assert "any.example" not in text
