"""Records to write: one of every type, and whatever Hypothesis thinks of."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal

from hypothesis import strategies as st

from hooksd.model.ids import uuid7
from hooksd.model.record import (
    RECORD_TYPES,
    AttemptEnded,
    AttemptStarted,
    DeliveryCreated,
    DeliveryEnded,
    EventAccepted,
    Exchange,
    NotStarted,
    Origin,
    Record,
    RequestRefused,
    RunEnded,
    RunPlan,
    RunStarted,
    StepEnded,
    StepStarted,
)
from hooksd.model.stored import StoredBody, StoredCause, StoredEvent

AT = "2026-11-22T03:28:00.123Z"
UNIX = 1_795_318_080.123
REVISION = "sha256:5f1a"
PLACE = Origin(file="deploy.toml", line=7)


def identifier(prefix: str, number: int, unix: float = UNIX) -> str:
    """Return an id made at a time."""
    return f"{prefix}_{uuid7(unix, number)}"


def accepted(
    event: str = "evt_1",
    runs: tuple[str, ...] = ("run_1",),
    *,
    at: str = AT,
    cause: StoredCause | None = None,
    body: StoredBody | None = None,
    not_started: tuple[NotStarted, ...] = (),
    definition: str = "sha256:00",
) -> EventAccepted:
    """Return an event that starts some runs."""
    return EventAccepted(
        at=at,
        revision=REVISION,
        event=StoredEvent(
            id=event, type="github.push", source="webhook/github", subject=None, time=at, trust="signed", hop=0,
            cause=cause, webhook="github", delivery_id="72d3162e", headers={"x-github-event": "push"}, query={},
            body=body or StoredBody(media="application/json", size=9, encoding="json", content={"ref": 1}),
        ),
        origin=PLACE,
        runs=tuple(
            RunPlan(id=run, workflow="deploy", definition=definition, origin=PLACE, concurrency=None) for run in runs
        ),
        not_started=not_started,
    )  # fmt: skip


def stored_blob(digest: str, size: int) -> StoredBody:
    """Return a body that is kept beside the log."""
    return StoredBody(media="application/octet-stream", size=size, encoding="blob", content=digest)


def run_started(run: str = "run_1") -> RunStarted:
    return RunStarted(at=AT, run=run, workflow="deploy", revision=REVISION)


def step_started(run: str = "run_1", step: str = "build") -> StepStarted:
    return StepStarted(at=AT, run=run, step=step, attempt=1)


def step_ended(run: str = "run_1", step: str = "build", output_blob: str | None = None) -> StepEnded:
    return StepEnded(
        at=AT, run=run, step=step, verb="run", status="ok", attempts=1, ms=412.5, code=0,
        output="done" if output_blob is None else None, output_blob=output_blob,
    )  # fmt: skip


def run_ended(run: str = "run_1", event: str = "evt_1", at: str = AT) -> RunEnded:
    return RunEnded(
        at=at, run=run, workflow="deploy", event=event, status="succeeded", ms=5230.0, revision=REVISION, origin=PLACE
    )


def delivery_created(
    delivery: str = "dlv_1", run: str = "run_1", event: str = "evt_1", body: StoredBody | None = None
) -> DeliveryCreated:
    return DeliveryCreated(
        at=AT, delivery=delivery, endpoint="slack", event=event, run=run, step="tell", revision=REVISION, headers={},
        query={},
        body=body or StoredBody(media="application/json", size=11, encoding="json", content={"text": "x"}),
    )  # fmt: skip


def attempt_started(delivery: str = "dlv_1", number: int = 1) -> AttemptStarted:
    return AttemptStarted(at=AT, delivery=delivery, number=number, reason="first")


def attempt_ended(delivery: str = "dlv_1", number: int = 1) -> AttemptEnded:
    return AttemptEnded(
        at=AT, delivery=delivery, endpoint="slack", number=number, reason="first", outcome="http_5xx",
        exchange=Exchange(
            method="POST", url="https://slack.example.com/hook", request_headers={"webhook-id": delivery},
            request_size=11, request_sha256="9f", peer="192.0.2.1", status=503, total_ms=31.0,
        ),
        revision=REVISION, origin=PLACE, error="503 Service Unavailable", retry_at=AT,
    )  # fmt: skip


def delivery_ended(delivery: str = "dlv_1") -> DeliveryEnded:
    return DeliveryEnded(at=AT, delivery=delivery, endpoint="slack", status="delivered", attempts=2)


def refused(number: int = 0, size: int = 0) -> RequestRefused:
    """Return a record that can be told from others by its count, of about any size."""
    return RequestRefused(at=AT, webhook=None, reason="x" * size, status=401, peer="192.0.2.7", count=number)


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)


def records() -> st.SearchStrategy[Record]:
    """Any record of any type."""
    return st.one_of([_instances(kind) for kind in RECORD_TYPES.values()])


def _instances(kind: type[Any]) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{field.name: _values(hints[field.name]) for field in dataclasses.fields(kind)})


def _values(hint: Any) -> st.SearchStrategy[Any]:
    if hint is Any:
        return json_values
    if dataclasses.is_dataclass(hint):
        return _instances(typing.cast("type[Any]", hint))
    arguments = typing.get_args(hint)
    origin = typing.get_origin(hint)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (typing.Union, types.UnionType):
        return st.one_of([_values(argument) for argument in arguments])
    if origin is tuple:
        return st.lists(_values(arguments[0]), max_size=2).map(tuple)
    if origin is Mapping:
        return st.dictionaries(text, _values(arguments[1]), max_size=2)
    return _PLAIN[hint]


_PLAIN: Mapping[Any, st.SearchStrategy[Any]] = {
    str: text,
    int: st.integers(-(2**53), 2**53),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    type(None): st.none(),
}
