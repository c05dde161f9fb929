"""`hooksd explain`: why something happened, or did not."""

from __future__ import annotations

from typing import Any

import click

from hooksd.cli.exchange import end_of
from hooksd.cli.history import log_of, unknown
from hooksd.cli.invocation import shared_options
from hooksd.cli.lines import DIM, Tree, error, status, took
from hooksd.cli.output import as_json, safe, say
from hooksd.cli.width import shortened
from hooksd.errors import UsageError
from hooksd.journal.reader import Entry, LogReader
from hooksd.model.ids import DELIVERY_PREFIX, EVENT_PREFIX, RUN_PREFIX

MAX_OUTPUT = 200
"""Characters of an output that are shown."""
MAX_EVENTS = 100
"""Events that are followed from one to the next."""


@click.command()
@shared_options
@click.argument("identifier", metavar="EVENT|RUN|DELIVERY")
@click.option("--json", "json_lines", is_flag=True, help="The records behind the answer, one JSON object a line.")
@click.pass_context
def command(ctx: click.Context, identifier: str, json_lines: bool) -> int:
    """Say why workflows ran or did not run for an event, and how each step went. Needs no daemon.

    For every workflow that listens to the event: it ran; or its condition was false, with the values it saw; or the
    event was not trusted enough.
    """
    trees = story(log_of(ctx), identifier)
    if json_lines:
        for tree in trees:
            say(as_json(tree))
        return 0
    _tell(trees)
    return 0


def story(reader: LogReader, identifier: str) -> list[dict[str, Any]]:
    """Return every record about an event, its runs and deliveries, and the events that they emitted, oldest first.

    Args:
        reader: Reads the log.
        identifier: Of the event, or of a run or delivery that it caused.

    Raises:
        UsageError: It is no identifier, or the log does not know it.
    """
    first = _found(reader, identifier)
    event = next((found for entry in first if (found := _event_of(entry.tree))), None)
    todo, seen = [event or identifier], set[str]()
    places = {_place(entry): entry.tree for entry in first}
    while todo and len(seen) < MAX_EVENTS:
        one = todo.pop(0)
        seen.add(one)
        for entry in first if one == identifier else reader.find(one):
            places[_place(entry)] = entry.tree
            if (emitted := _emitted(entry.tree)) is not None and emitted not in seen:
                todo.append(emitted)
    return [tree for _, tree in sorted(places.items())]


def _found(reader: LogReader, identifier: str) -> list[Entry]:
    if not identifier.startswith((EVENT_PREFIX, RUN_PREFIX, DELIVERY_PREFIX)):
        raise UsageError(f"`{safe(identifier)}` is no event, run or delivery: expected evt_..., run_... or dlv_...")
    try:
        entries = reader.find(identifier)
    except ValueError as problem:
        raise UsageError(f"`{safe(identifier)}` is no identifier: copy it whole from `hooksd tail`") from problem
    if not entries:
        raise unknown(identifier)
    return entries


def _place(entry: Entry) -> tuple[int, str, int]:
    # A longer name of a segment has a higher number.
    return (len(entry.segment), entry.segment, entry.offset)


def _emitted(tree: Tree) -> str | None:
    is_emitted = tree.get("type") == "event.accepted" and tree["event"].get("cause")
    return str(tree["event"]["id"]) if is_emitted else None


def _event_of(tree: Tree) -> str | None:
    if tree.get("type") == "event.accepted":
        return str(tree["event"]["id"])
    return tree.get("event") if isinstance(tree.get("event"), str) else None


def _tell(trees: list[dict[str, Any]]) -> None:
    for tree in trees:
        if tree["type"] == "event.accepted":
            _tell_accepted(tree, trees)
    for tree in trees:
        if tree["type"] == "delivery.created" and not tree.get("again"):
            _tell_delivery(tree, [other for other in trees if other.get("delivery") == tree["delivery"]])
    created = {tree["delivery"] for tree in trees if tree["type"] == "delivery.created"}
    for tree in trees:
        if tree["type"] == "delivery.ended" and tree["delivery"] not in created:
            _tell_delivery(tree, [tree])


def _tell_accepted(tree: Tree, trees: list[dict[str, Any]]) -> None:
    _tell_event(tree)
    for run in tree.get("runs", ()):
        _tell_run(run, [other for other in trees if other.get("run") == run["id"]])
    for absent in tree.get("not_started", ()):
        _tell_absent(absent)
    for absent in tree.get("not_sent", ()):
        _tell_not_sent(absent)
    if not any(tree.get(key) for key in ("runs", "not_started", "deliveries", "not_sent")):
        say(f"  no workflow listens to {safe(tree['event']['type'])}")


def _tell_not_sent(absent: Tree) -> None:
    why = {"trust": "anybody may have caused it", "loop": "it was sent there before, and came back"}
    say(f"  {safe(absent['endpoint'])} did not get it: {why.get(absent['reason'], safe(absent['reason']))}")


def _tell_event(tree: Tree) -> None:
    event = tree["event"]
    say(click.style(f"{safe(event['type'])}  {safe(event['id'])}", bold=True))
    say(f"  received {safe(event['time'])} from {safe(event['source'])}, trust {safe(event['trust'])}, {_body(event)}")
    if event.get("cause"):
        cause = event["cause"]
        say(f"  caused by step {safe(cause.get('step') or 'end')} of {safe(cause['run'])}")
    where = tree.get("origin")
    place = f", webhook defined at {safe(where['file'])}:{where['line']}" if where else ""
    say(f"  revision {safe(tree['revision'])}{place}")


def _body(event: Tree) -> str:
    stored = event["body"]
    return f"{stored['size']} bytes of {safe(stored['media'])}"


def _tell_run(run: Tree, records: list[dict[str, Any]]) -> None:
    end = next((tree for tree in records if tree["type"] == "run.ended"), None)
    state = status(end["status"]) if end else click.style("not over", fg="yellow")
    origin = run["origin"]
    say()
    say(f"  {click.style(safe(run['workflow']), bold=True)}  {state}  {safe(run['id'])}")
    say(click.style(f"    defined at {safe(origin['file'])}:{origin['line']}", fg=DIM))
    if run.get("concurrency"):
        say(click.style(f"    one of those that share the key {safe(run['concurrency'])}", fg=DIM))
    for tree in records:
        _tell_step(tree)
    if end and end.get("error"):
        say(f"   {error(end)}")


def _tell_step(tree: Tree) -> None:
    match tree["type"]:
        case "step.retried":
            say(f"    {safe(tree['step'])}  attempt {tree['attempt']} failed{error(tree)}")
        case "step.ended":
            code = f" ({tree['code']})" if tree.get("code") is not None else ""
            what = f"{safe(tree['step'])}  {safe(tree['verb'])}"
            say(f"    {what}  {status(tree['status'])}{code} in {took(tree)}{error(tree)}")
            if tree.get("output") not in (None, "", {}, []):
                say(click.style(f"      output: {_shown(tree['output'])}", fg=DIM))
            for name, value in (tree.get("detail") or {}).items():
                if value not in (None, "", 0, False, {}, []):
                    say(click.style(f"      {safe(name)}: {_shown(value)}", fg=DIM))


def _shown(value: object) -> str:
    return safe(shortened(value.strip() if isinstance(value, str) else as_json(value), MAX_OUTPUT))


def _tell_absent(absent: Tree) -> None:
    say()
    verdict = click.style("not started", fg="yellow")
    say(f"  {click.style(safe(absent['workflow']), bold=True)}  {verdict}: {_why(absent)}")
    if absent.get("condition"):
        say(f"    when {safe(absent['condition'])}")
    for name, value in (absent.get("values") or {}).items():
        say(f"      {safe(name)} = {_shown(as_json(value))}")


_REASONS = {
    "condition_false": "its condition was false",
    "condition_missing": "its condition reads something that the event does not have",
    "condition_error": "its condition could not be computed",
    "trust": "the event is not trusted enough",
    "key_error": "its concurrency key could not be computed",
}


def _why(absent: Tree) -> str:
    reason = _REASONS.get(str(absent["reason"]), safe(absent["reason"]))
    return f"{reason} ({safe(absent['detail'])})" if absent.get("detail") else reason


def _tell_delivery(created: Tree, records: list[dict[str, Any]]) -> None:
    end = end_of(records)
    state = status(end["status"]) if end else click.style("under way", fg="yellow")
    say()
    say(f"  delivery to {click.style(safe(created['endpoint']), bold=True)}  {state}  {safe(created['delivery'])}")
    if created.get("by"):
        say(f"    asked for by {safe(created['by'])}")
    if created is end:
        say(f"    nothing was sent{error(end)}")
    for tree in records:
        if tree["type"] == "attempt.ended":
            exchange = tree["exchange"]
            what = f"{safe(exchange['method'])} {safe(exchange['url'])}"
            again = f"; again at {safe(tree['retry_at'])}" if tree.get("retry_at") else ""
            outcome = f"{exchange.get('status') or ''} {safe(tree['outcome'])}".strip()
            say(f"    attempt {tree['number']}: {what} -> {outcome}{error(tree)}{again}")
