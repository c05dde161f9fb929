"""Deliveries as the admin listener shows them: records folded into documents. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hooksd.instant import rfc3339, unix
from hooksd.model.base import Json

Tree = Mapping[str, Json]
"""A record as the log has it."""

_KINDS = frozenset({"delivery.created", "attempt.ended", "delivery.ended"})


def deliveries_of(records: Iterable[Tree]) -> dict[str, dict[str, Json]]:
    """Return the state of every delivery in some records, by id, in the order in which they were created.

    Args:
        records: Oldest first. A delivery that somebody asked for again was created several times.
    """
    found: dict[str, dict[str, Json]] = {}
    for record in records:
        if record["type"] in _KINDS:
            _fold(found, record)
    return found


def _fold(found: dict[str, dict[str, Json]], record: Tree) -> None:
    identifier = record["delivery"]
    state = found.setdefault(identifier, _planned(identifier, record.get("endpoint")))
    match record["type"]:
        case "delivery.created":
            state.update(
                endpoint=record["endpoint"],
                run=record["run"] or None,
                step=record["step"] or None,
                status="pending",
                attempts=record.get("attempts", 0),
                error=None,
            )
        case "attempt.ended":
            state.update(attempts=record["number"], error=record.get("error"))
        case _:
            state.update(status=record["status"], attempts=record["attempts"], error=record.get("error"))


def _planned(identifier: str, endpoint: Json) -> dict[str, Json]:
    return {
        "id": identifier,
        "endpoint": endpoint,
        "run": None,
        "step": None,
        "status": "pending",
        "attempts": 0,
        "error": None,
    }


def planned_view(plans: Iterable[Tree], records: Iterable[Tree]) -> list[Json]:
    """Show the deliveries that an event goes out by, those that were not created yet included.

    Args:
        plans: What its record names: `id` and `endpoint` of each.
        records: Everything about the event, oldest first.
    """
    known = deliveries_of(records)
    states = (known.get(plan["id"]) or _planned(plan["id"], plan["endpoint"]) for plan in plans)
    return [{key: state[key] for key in ("id", "endpoint", "status", "attempts", "error")} for state in states]


def delivery_view(identifier: str, records: Sequence[Tree]) -> dict[str, Json] | None:
    """Show a delivery with every exchange, or None when no record plans or creates it.

    Args:
        identifier: The delivery.
        records: Everything about it, oldest first.
    """
    plan = next((plan for plan in _plans(records) if plan["id"] == identifier), None)
    created = [one for one in records if one["type"] == "delivery.created" and one["delivery"] == identifier]
    if plan is None and not created:
        return None
    state = deliveries_of(records).get(identifier) or _planned(identifier, plan and plan["endpoint"])
    mine = [one for one in records if one.get("delivery") == identifier]
    last = mine[-1] if mine else {}
    first = created[0] if created else {}
    return {
        **state,
        "event": (first.get("event") or None) if first else _planner(identifier, records),
        "by": first.get("by"),
        "created_at": first.get("at"),
        "ended_at": last["at"] if last.get("type") == "delivery.ended" else None,
        "next_attempt_at": last.get("retry_at"),
        **{key: first.get(key) for key in ("headers", "query", "body", "subject", "revision")},
        "exchanges": [_exchange(one) for one in mine if one["type"] == "attempt.ended"],
    }


def _planner(identifier: str, records: Iterable[Tree]) -> Json:
    """Return the event that goes out by a delivery."""
    accepted = (one for one in records if one["type"] == "event.accepted")
    return next(one["event"]["id"] for one in accepted if any(plan["id"] == identifier for plan in _plans((one,))))


def _plans(records: Iterable[Tree]) -> Iterable[Tree]:
    for record in records:
        if record["type"] == "event.accepted":
            yield from record.get("deliveries", ())  # records of older versions have none


def _exchange(record: Tree) -> dict[str, Json]:
    told = {key: record.get(key) for key in ("number", "reason", "outcome", "at", "error", "retry_at", "retry_why")}
    return {**told, "began_at": _began(record), **record["exchange"]}


def _began(record: Tree) -> str | None:
    """Return when a request was made; None when a later version of the log says it in another way."""
    try:
        return rfc3339(unix(record["at"]) - record["exchange"]["total_ms"] / 1000)
    except (KeyError, TypeError, ValueError):
        return None
