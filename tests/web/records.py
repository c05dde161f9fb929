"""The records of one run, from its acceptance to its end, for the tests of the web."""

from __future__ import annotations

from typing import Any

import orjson

from hooksd.model.record import (
    AttemptEnded,
    DeliveryCreated,
    DeliveryEnded,
    EventAccepted,
    Exchange,
    NotStarted,
    Record,
    RunEnded,
    RunStarted,
    StepEnded,
    StepRetried,
    StepStarted,
)
from hooksd.model.stored import StoredBody, StoredEvent
from tests.web.doubles import ORIGIN, plan

RUN = plan().id
BODY = StoredBody(media="application/json", size=2, encoding="json", content={})
EVENT = StoredEvent(
    id="evt_1", type="github.push", source="webhook/github", subject=None, time="t0", trust="signed", hop=0, cause=None,
    webhook="github", delivery_id=None, headers={}, query={}, body=BODY,
)  # fmt: skip
ACCEPTED = EventAccepted(
    at="t0", revision="abc", event=EVENT, origin=ORIGIN, runs=(plan(), plan(2, "notify")),
    not_started=(NotStarted(workflow="nightly", reason="condition_false", detail="", condition="body.x"),),
)  # fmt: skip
STARTED = RunStarted(at="t1", run=RUN, workflow="deploy", revision="abc")
STEP = StepStarted(at="t2", run=RUN, step="build", attempt=1)
RETRIED = StepRetried(at="t3", run=RUN, step="build", attempt=1, error="exit 1", retry_at="t9")
AGAIN = StepStarted(at="t4", run=RUN, step="build", attempt=2)
DONE = StepEnded(
    at="t5", run=RUN, step="build", verb="run", status="ok", attempts=2, ms=7.5, code=0, output="text",
    detail={"stderr": "warning"},
)  # fmt: skip
CREATED = DeliveryCreated(
    at="t5", delivery="dlv_1", endpoint="slack", event="evt_1", run=RUN, step="tell", revision="abc", headers={},
    query={}, body=BODY,
)  # fmt: skip
ATTEMPT = AttemptEnded(
    at="t6", delivery="dlv_1", endpoint="slack", number=1, reason="first", outcome="http_5xx", revision="abc",
    origin=ORIGIN, error="500", retry_at="t8",
    exchange=Exchange(method="POST", url="u", request_headers={}, request_size=0, request_sha256=""),
)  # fmt: skip
DELIVERED = DeliveryEnded(at="t7", delivery="dlv_1", endpoint="slack", status="delivered", attempts=2)
ENDED = RunEnded(
    at="t9", run=RUN, workflow="deploy", event="evt_1", status="failed", ms=900.0, revision="abc", origin=ORIGIN,
    step="smoke", error="404",
)  # fmt: skip


def trees(*records: Record) -> list[dict[str, Any]]:
    """Return records as the log has them."""
    return [orjson.loads(orjson.dumps(record)) for record in records]
