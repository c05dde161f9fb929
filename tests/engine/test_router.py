from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.clock import rfc3339
from hooksd.engine.router import MAX_KEY, Routing, route
from hooksd.engine.scope import event_scope
from hooksd.model.arrival import Arrival
from hooksd.model.base import Json
from hooksd.model.body import Document
from hooksd.model.ids import EventId
from hooksd.model.record import NotStarted
from hooksd.model.trust import Trust
from hooksd.testing import NOON, FakeIds, event_of, snapshot_of


def routed(workflow: dict[str, Any], data: Any = None, *, trust: Trust = Trust.SIGNED, **options: Any) -> Routing:
    document = {
        "roles": {"deployer": {"secrets": ["token"]}},
        "workflows": {"w": {"on": "x", "steps": [{"sleep": "1s"}], **workflow}},
    }
    snapshot = snapshot_of(document, **options)
    return route(
        event_of(data, trust=trust),
        snapshot.workflows.values(),
        snapshot=snapshot,
        definition=lambda workflow: f"blob of {workflow.name}",
        new_run=FakeIds().run,
    )


def reason(workflow: dict[str, Any], data: Any = None, **options: Any) -> NotStarted:
    (not_started,) = routed(workflow, data, **options).not_started
    return not_started


def test_a_plan_says_what_the_run_is_made_of() -> None:
    found = routed({"concurrency": "k-{{ body.n }}"}, {"n": 1})
    (workflow,), (plan,) = found.workflows, found.plans

    assert plan.id.startswith("run_")
    assert (plan.workflow, plan.definition, plan.concurrency) == ("w", "blob of w", "k-1")
    assert plan.origin == workflow.origin


def test_without_concurrency_there_is_no_key() -> None:
    assert routed({}).plans[0].concurrency is None


@pytest.mark.parametrize(
    ("workflow", "trust", "starts"),
    [
        ({}, Trust.ANONYMOUS, 1),
        ({"run_as": "deployer"}, Trust.ANONYMOUS, 0),
        ({"run_as": "deployer"}, Trust.TOKEN, 1),
        ({"trust": "signed"}, Trust.TOKEN, 0),
        ({"trust": "anonymous", "run_as": "deployer"}, Trust.ANONYMOUS, 1),
    ],
    ids=str,
)
def test_an_event_below_the_least_trust_starts_nothing(workflow: dict[str, Any], trust: Trust, starts: int) -> None:
    routing = routed(workflow, trust=trust)

    assert len(routing.plans) == starts
    assert all(refused.reason == "trust" for refused in routing.not_started)


def test_every_candidate_is_judged_for_itself() -> None:
    sleeping = {"on": "x", "steps": [{"sleep": "1s"}]}
    documents = {"a": {**sleeping, "when": "false"}, "b": sleeping, "c": {**sleeping, "when": "false"}, "d": sleeping}
    snapshot = snapshot_of({"workflows": documents})

    routing = route(
        event_of(),
        snapshot.workflows.values(),
        snapshot=snapshot,
        definition=lambda workflow: workflow.digest,
        new_run=FakeIds().run,
    )

    assert [plan.workflow for plan in routing.plans] == ["b", "d"]
    assert [workflow.name for workflow in routing.workflows] == ["b", "d"]
    assert [refused.workflow for refused in routing.not_started] == ["a", "c"]


def test_a_false_condition_is_recorded_with_what_its_names_were() -> None:
    refused = reason({"when": "body.ref == 'main' and headers.x"}, {"ref": "dev"})

    assert (refused.workflow, refused.reason) == ("w", "condition_false")
    assert refused.condition == "body.ref == 'main' and headers.x"
    assert refused.values["body.ref"] == "dev"


def test_a_missing_value_makes_a_condition_false_and_is_named() -> None:
    refused = reason({"when": "body.nix == 1"}, {})

    assert refused.reason == "condition_missing"
    assert "body.nix" in refused.detail


def test_an_error_in_a_condition_makes_it_false_and_is_told() -> None:
    refused = reason({"when": "body.a < body.b"}, {"a": 1, "b": "x"})

    assert refused.reason == "condition_error"
    assert refused.detail


def test_a_key_that_cannot_be_made_is_told() -> None:
    assert "body.nix" in reason({"concurrency": "{{ body.nix }}"}, {}).detail
    assert routed({"concurrency": "{{ body.x }}"}, {"x": "x" * MAX_KEY}).plans
    assert "characters" in reason({"concurrency": "{{ body.x }}"}, {"x": "x" * (MAX_KEY + 1)}).detail
    assert reason({"concurrency": "{{ body.nix }}"}, {}).reason == "key_error"


def test_a_secret_decides_only_for_who_may_read_it_and_its_value_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret-value")
    when = "body.t == secrets.token"

    allowed = {"when": when, "run_as": "deployer"}
    assert len(routed(allowed, {"t": "s3cret-value"}, credentials=tmp_path).plans) == 1
    refused = reason(allowed, {"t": "x"}, credentials=tmp_path)
    assert "s3cret-value" not in str(refused)
    assert reason({"when": when}, {"t": "s3cret-value"}, credentials=tmp_path).reason == "condition_error"
    assert reason({"concurrency": "{{ secrets.token }}"}, credentials=tmp_path).reason == "key_error"


CONDITIONS = (
    "body.ref == 'main'",
    "body.ref == 'main' and not body.deleted",
    "body.deleted or body.missing",
    "headers['x-kind'] == 'push' and query.n == '1'",
    "event.type == 'push' and event.hop == 0 and body.ref is defined",
    "files | length == 0 and vars.v == 1",
    "body.ref == vars.v",
    "body.ref < 3",
    "body.ref == 'main' and body | length == 2",
    "body['a.b'] == 1 or body.missing",
    "body['\"'] is defined",
    "body.more.name == 'x' and event.body.more.name == 'x'",
)
KEYS = (None, "k", "{{ body.ref }}", "{{ event.id }} of {{ headers['x-kind'] }}", "{{ query.n }}{{ vars.v }}")
BODIES: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {},
    optional={
        "ref": st.sampled_from(["main", "dev", 1, None]),
        "deleted": st.booleans(),
        "a.b": st.just(1),
        '"': st.just(2),
        "more": st.sampled_from([{"name": "x"}, [1], "x"]),
    },
) | st.sampled_from([None, [], "x", 3])


@given(st.sampled_from(CONDITIONS), st.sampled_from(KEYS), BODIES, st.sampled_from(Trust), st.sampled_from(["1", "2"]))
def test_a_request_starts_what_its_event_would_and_says_the_same_of_the_rest(
    when: str, key: str | None, body: Json, trust: Trust, n: str
) -> None:
    workflow: dict[str, Any] = {"on": "x", "vars": {"v": 1}, "when": when, "steps": [{"sleep": "1s"}]}
    document = {**workflow, "trust": "token"} | ({} if key is None else {"concurrency": key})
    snapshot = snapshot_of({"workflows": {"w": document}})
    arrival = Arrival(
        id=EventId("evt_1"),
        type="push",
        subject=None,
        time=rfc3339(NOON),
        trust=trust,
        webhook="hook",
        delivery_id="d",
        headers={"x-kind": "push"},
        query={"n": n},
        document=Document("application/json", orjson.dumps(body)),
    )

    def judged(event: Any) -> Routing:
        return route(
            event,
            snapshot.workflows.values(),
            snapshot=snapshot,
            definition=lambda workflow: workflow.digest,
            new_run=FakeIds().run,
        )

    found = judged(arrival)
    assert found == judged(arrival.event())
    compiled = snapshot.workflows["w"]
    assert compiled.when is not None
    whole = event_scope(arrival.event(), compiled.value.vars, {})
    if trust >= Trust.TOKEN:
        holds = compiled.when.judge(whole).value
        assert holds or found.not_started[0].reason.startswith("condition")
        assert not (holds and found.not_started) or found.not_started[0].reason == "key_error"
        assert holds or found.not_started[0].values == compiled.when.values(whole)
