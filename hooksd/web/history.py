"""Events and runs as the admin listener shows them: records folded into one document. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hooksd.model.base import Json
from hooksd.web.delivery_history import deliveries_of, planned_view

Tree = Mapping[str, Json]
"""A record as the log has it."""

_STEP_KEYS = ("status", "verb", "attempts", "ms", "code", "output", "output_blob", "error", "detail")


def run_view(identifier: str, records: Sequence[Tree]) -> dict[str, Json] | None:
    """Show a run with its steps and deliveries, or None when no record plans it.

    Args:
        identifier: The run.
        records: Everything about it, oldest first.
    """
    planned = _planned(identifier, records)
    if planned is None:
        return None
    accepted, plan = planned
    view: dict[str, Json] = {
        "id": identifier,
        "workflow": plan["workflow"],
        "status": "pending",
        "event": accepted["event"]["id"],
        "created_at": accepted["at"],
        "started_at": None,
        "ended_at": None,
        "ms": None,
        "step": None,
        "error": None,
        "revision": accepted["revision"],
        "origin": plan["origin"],
    }
    steps: dict[str, dict[str, Json]] = {}
    for record in records:
        if record.get("run") == identifier:
            _fold_run(view, record)
            _fold_step(steps, record)
    return {**view, "steps": list(steps.values()), "deliveries": _deliveries(identifier, records)}


def _planned(identifier: str, records: Iterable[Tree]) -> tuple[Tree, Tree] | None:
    for record in records:
        if record["type"] == "event.accepted":
            for plan in record["runs"]:
                if plan["id"] == identifier:
                    return record, plan
    return None


def _fold_run(view: dict[str, Json], record: Tree) -> None:
    match record["type"]:
        case "run.started":
            view.update(status="running", started_at=record["at"])
        case "run.ended":
            view.update(
                status=record["status"],
                ended_at=record["at"],
                ms=record["ms"],
                step=record.get("step"),
                error=record.get("error"),
            )


def _fold_step(steps: dict[str, dict[str, Json]], record: Tree) -> None:
    if record["type"] not in {"step.started", "step.retried", "step.ended"}:
        return
    step = steps.setdefault(record["step"], {"step": record["step"], "status": "running", "started_at": record["at"]})
    match record["type"]:
        case "step.started":
            step.update(status="running", attempts=record["attempt"], wake_at=record.get("wake_at"))
        case "step.retried":
            step.update(status="pending", error=record["error"], retry_at=record["retry_at"])
        case _:
            started_at = step["started_at"]
            step.clear()
            step.update(step=record["step"], started_at=started_at, ended_at=record["at"])
            step.update({key: record[key] for key in _STEP_KEYS if record.get(key) not in (None, {})})


def _deliveries(run: str, records: Iterable[Tree]) -> list[Json]:
    mine = (state for state in deliveries_of(records).values() if state["run"] == run)
    return [{key: state[key] for key in ("id", "endpoint", "step", "status", "attempts", "error")} for state in mine]


def _accepted(event: str, records: Iterable[Tree]) -> Tree | None:
    return next((one for one in records if one["type"] == "event.accepted" and one["event"]["id"] == event), None)


def event_view(identifier: str, records: Sequence[Tree]) -> dict[str, Json] | None:
    """Show an event with its runs and with the workflows that it did not start, or None when nothing accepted it.

    Args:
        identifier: The event.
        records: Everything about it and about its runs, oldest first.
    """
    accepted = _accepted(identifier, records)
    if accepted is None:
        return None
    runs = [run_view(plan["id"], records) for plan in accepted["runs"]]
    return {
        **accepted["event"],
        "revision": accepted["revision"],
        "origin": accepted["origin"],
        "runs": [{key: run[key] for key in ("id", "workflow", "status", "step", "error", "ms")} for run in runs if run],
        "not_started": accepted["not_started"],
        # Records of older versions have neither.
        "deliveries": planned_view(accepted.get("deliveries", ()), records),
        "not_sent": accepted.get("not_sent", []),
    }
