"""What a caller learns of an accepted event: the runs that it started, or what a `respond` step said."""

from __future__ import annotations

import re
from typing import Final

import orjson

from hooksd.engine.ports import Accepted, Response
from hooksd.model import body
from hooksd.model.base import Json
from hooksd.model.ids import EventId
from hooksd.web.answer import Answer

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]+")
_OWN_HEADERS: Final = frozenset({"connection", "content-length", "date", "server", "transfer-encoding", "upgrade"})
"""What the server says itself; a `respond` step cannot."""


def accepted_alone(event: EventId) -> bytes:
    """Return the body of a 202 for an event that starts nothing, as most do: `accepted_document` without runs."""
    return b'{"event":"%b","runs":[]}' % event.encode()


def accepted_document(accepted: Accepted, created_at: str, base: str) -> dict[str, Json]:
    """Return the body of a 202: the event and the runs that it starts.

    Args:
        accepted: What became durable.
        created_at: When, RFC 3339.
        base: What run URLs start with; empty: they are paths on the admin listener.
    """
    runs = [
        {
            "id": plan.id,
            "workflow": plan.workflow,
            "status": "pending",
            "created_at": created_at,
            "url": f"{base}/api/v1/runs/{plan.id}",
        }
        for plan in accepted.runs
    ]
    return {"event": accepted.event, "runs": runs}


def started_document(accepted: Accepted, created_at: str, base: str) -> dict[str, Json]:
    """Return what an operator or a publisher is told: besides, what did not start and where the event is sent.

    Args:
        accepted: What became durable.
        created_at: When, RFC 3339.
        base: As in `accepted_document`.
    """
    return {
        **accepted_document(accepted, created_at, base),
        "not_started": [orjson.loads(orjson.dumps(item)) for item in accepted.not_started],
        "deliveries": [{"id": plan.id, "endpoint": plan.endpoint} for plan in accepted.deliveries],
    }


def responded(response: Response) -> Answer:
    """Answer with what a `respond` step said.

    A text with a `content-type` that is not JSON is sent as it is; everything else as JSON. Header names that are none
    and headers that the server sets itself are left out, and control characters in values become spaces: what a caller
    sent may have come this far.
    """
    headers = {name.lower(): value for name, value in response.headers.items() if _TOKEN.fullmatch(name)}
    media = headers.get("content-type", body.JSON).partition(";")[0].strip().lower()
    pairs = tuple(
        (name.encode(), _CONTROL.sub(" ", value).strip().encode("latin-1", "replace"))
        for name, value in headers.items()
        if name not in _OWN_HEADERS
    )
    if response.status in {204, 205, 304}:
        return Answer(status=response.status, headers=pairs)
    is_text = isinstance(response.body, str) and not body.is_json(media)
    content = response.body.encode() if is_text else orjson.dumps(response.body)
    if "content-type" not in headers:
        pairs = (*pairs, (b"content-type", b"application/json"))
    return Answer(status=response.status, headers=pairs, body=content)
