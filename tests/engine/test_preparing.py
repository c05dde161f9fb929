from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from hooksd.clock import rfc3339
from hooksd.engine.preparing import Skip, prepare
from hooksd.engine.rights import Rights
from hooksd.engine.steps.intent import Refuse, Settle
from hooksd.model.arrival import Arrival
from hooksd.model.body import Document
from hooksd.model.ids import EventId
from hooksd.model.role import Role
from hooksd.model.trust import Trust
from hooksd.testing import NOON
from tests.engine.steps.occasions import ALL, run_at, wants


def test_a_false_condition_skips_and_tells_what_its_names_were() -> None:
    assert wants({"if": "body.n > 3", "run": ["x"]}, {"n": 1}) == Skip(
        detail={"condition": "body.n > 3", "values": {"body.n": 1}}
    )


def test_a_step_that_has_begun_is_not_skipped_any_more() -> None:
    assert not isinstance(wants({"if": "body.n > 3", "run": ["x"]}, {"n": 1}, number=2), Skip)


def test_what_cannot_be_rendered_is_refused_by_name() -> None:
    intent = wants({"set": {"a": "{{ body.nix }}"}}, {})

    assert isinstance(intent, Refuse)
    assert "body.nix" in intent.error


def test_a_secret_of_somebody_else_is_refused_even_in_a_condition() -> None:
    secrets = {"mine": "s3cret"}

    assert wants({"set": {"a": "{{ secrets.mine }}"}}, secrets=secrets) == Settle(output={"a": "s3cret"})
    assert isinstance(wants({"set": {"a": "{{ secrets.yours }}"}}, secrets=secrets), Refuse)
    assert isinstance(wants({"if": "secrets.yours == 'a'", "set": {"a": 1}}, secrets=secrets), Refuse)
    assert isinstance(wants({"set": {"a": "{{ secrets.mine }}"}}, allow=None), Refuse)


def test_the_value_of_a_secret_in_a_condition_is_not_told() -> None:
    skip = wants({"if": "secrets.mine == body", "set": {"a": 1}}, "x", secrets={"mine": "s3cret"})

    assert isinstance(skip, Skip)
    assert "s3cret" not in str(skip)


@pytest.mark.parametrize(
    "step",
    [
        {"run": ["x", "{{ event.id }}"], "env": {"A": "{{ body.n }}"}},
        {"shell": "true", "stdin": "{{ event | tojson }}"},
        {"send": "shop"},
        {"send": ["shop"], "json": {"n": "{{ body }}", "of": "{{ event.source }}"}},
        {"emit": "order.paid"},
        {"http": "POST https://a.example/{{ headers['x-a'] }}", "json": "{{ files }}"},
        {"save": "body", "to": "{{ query.q }}"},
        {"set": {"all": "{{ event }}"}},
    ],
)
def test_a_step_wants_the_same_for_what_a_webhook_received_as_for_the_event_that_it_becomes(
    step: dict[str, Any],
) -> None:
    run = run_at(step)
    arrival = Arrival(
        id=EventId("evt_1"),
        type="push",
        subject="s",
        time=rfc3339(NOON),
        trust=Trust.SIGNED,
        webhook="w",
        delivery_id="d",
        headers={"x-a": "1"},
        query={"q": "name"},
        document=Document("application/json", b'{"n": 1}'),
    )
    rights = Rights(trust=Trust.SIGNED, role_name="deployer", role=Role(allow=(*ALL, "save:*")))

    received, stored = (
        prepare(replace(run, event=event), run.workflow.steps[0], 1, rights, "") for event in (arrival, arrival.event())
    )

    assert received == stored
    assert not isinstance(received, Refuse)
