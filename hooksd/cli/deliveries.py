"""`hooksd deliveries`: what came in and what went out; one delivery with all that was said."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import click

from hooksd.cli.defined import Kind
from hooksd.cli.exchange import told
from hooksd.cli.history import log_of, unknown
from hooksd.cli.invocation import shared_options
from hooksd.cli.lines import DIM, Tree, refuser, started
from hooksd.cli.misspelt import doubt, mark
from hooksd.cli.moments import brief, happened, since_and_until
from hooksd.cli.output import IDENTIFIED, LEAST, as_json, note, safe, say, table, terminal_width
from hooksd.cli.secrecy import hidden_texts
from hooksd.cli.selection import FAILED, STATUSES, Selection, ended, statuses_of
from hooksd.cli.width import shortened
from hooksd.errors import UsageError
from hooksd.journal.reader import LogReader
from hooksd.model.ids import DELIVERY_PREFIX
from hooksd.model.spans import format_duration

HEADER = ("TIME", "", "WHO", "WHAT", "RESULT", "DETAIL")
HINT = "identifiers are cut here; with `| cat` behind it they are whole"
CUTS = ((-1, IDENTIFIED), (3, 4), (2, LEAST))


class _Deliveries(click.Group):
    """A group that knows what is meant by an identifier alone."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0].startswith(DELIVERY_PREFIX):
            ctx.fail(f"Did you mean 'hooksd deliveries show {safe(args[0])}'?")
        return super().resolve_command(ctx, args)


@click.group(cls=_Deliveries, invoke_without_command=True)
@shared_options
@click.option("--webhook", metavar="NAME", help="Only what came in through this webhook.")
@click.option("--endpoint", metavar="NAME", help="Only what went out to this endpoint.")
@click.option("--failed", is_flag=True, help="Only what was refused or did not arrive.")
@click.option("--status", type=click.Choice((*STATUSES, FAILED)), help="Deliveries that ended so, not attempts.")
@since_and_until
@click.option(
    "-n", "--lines", "count", metavar="N", type=click.IntRange(min=1), default=100, help="How many. Default: 100."
)
@click.option("--json", "json_lines", is_flag=True, help="The records themselves, one JSON object a line.")
@click.pass_context
def command(ctx: click.Context, /, count: int, *, json_lines: bool, **filters: Any) -> None:
    """Show what came in and what went out, newest first. Needs no daemon.

    In: requests that were accepted or refused. Out: attempts to deliver to endpoints, with what came back.
    """
    if ctx.invoked_subcommand is not None:
        return
    reader = log_of(ctx)
    fitting, in_log = _fitting(reader, **filters)
    found = list(itertools.islice(fitting, count))
    doubt(ctx, reader, "webhook", filters["webhook"], in_log=in_log)
    doubt(ctx, reader, "endpoint", filters["endpoint"], in_log=in_log)
    if json_lines:
        for tree in found:
            say(as_json(tree))
        return
    if not found:
        note("nothing of that kind is in the log")
        return
    width = terminal_width()
    rows = [_row(tree) for tree in found]
    if width is not None:
        rows = [(brief(str(at)), *others) for at, *others in rows]
    lines = table(HEADER, rows, width=width, cuts=CUTS)
    for line in lines:
        say(line)
    if any(identifier not in line for line, identifier in zip(lines[1:], map(_identifier, found), strict=True)):
        note(click.style(HINT, fg=DIM))


@command.command(short_help="Show one delivery as curl -v would.")
@shared_options
@click.argument("delivery")
@click.option("--whole", is_flag=True, help="Bodies to their end, however long they are.")
@click.option("--json", "json_lines", is_flag=True, help="Its records, one JSON object a line.")
@click.pass_context
def show(ctx: click.Context, delivery: str, whole: bool, json_lines: bool) -> None:
    """Show a delivery as curl -v would: what was sent, what came back, attempt by attempt. Needs no daemon."""
    reader = log_of(ctx)
    trees = records_of(reader, delivery)
    if json_lines:
        for tree in trees:
            say(as_json(tree))
        return
    for text in told(trees, reader.blob, whole=whole, hidden=hidden_texts(ctx)):
        say(text)


def records_of(reader: LogReader, delivery: str) -> list[Tree]:
    """Return the records of one delivery, oldest first.

    Raises:
        UsageError: It is no id of a delivery, or the log does not know it.
    """
    if not delivery.startswith(DELIVERY_PREFIX):
        raise UsageError(
            f"`{safe(delivery)}` is no delivery: expected {DELIVERY_PREFIX}..., as `hooksd deliveries` shows"
        )
    try:
        entries = reader.find(delivery)
    except ValueError as problem:
        raise UsageError(f"`{safe(delivery)}` is no identifier: copy it whole from `hooksd deliveries`") from problem
    trees = [entry.tree for entry in entries if entry.tree.get("delivery") == delivery]
    if not any(tree["type"] == "delivery.created" for tree in trees):
        raise unknown(delivery)
    return list(trees)


def _fitting(
    reader: LogReader,
    *,
    webhook: str | None,
    endpoint: str | None,
    failed: bool,
    status: str | None,
    since: float | None,
    until: float | None,
) -> tuple[Iterator[Tree], bool | None]:
    """Return what was asked for, and whether the log has the names that were; None: it was not searched for each."""
    if status is not None:
        if webhook is not None or failed:
            raise UsageError("--status is about deliveries: leave --webhook and --failed out")
        selection = Selection(since=since, until=until, statuses=statuses_of(status), endpoint=endpoint)
        return (one.tree for one in ended(reader, selection)), None
    entries = reader.backward(_marks(webhook, endpoint))
    first = next(entries, None)
    if first is None:
        return iter(()), False
    wanted = _filter(webhook, endpoint, failed=failed)
    trees = (entry.tree for entry in itertools.chain((first,), entries))
    recent = itertools.takewhile(lambda tree: since is None or happened(tree) >= since, trees)
    fitting = (tree for tree in recent if wanted(tree) and (until is None or happened(tree) < until))
    # Of two names it was the one or the other.
    return fitting, None if webhook is not None and endpoint is not None else True


def _filter(webhook: str | None, endpoint: str | None, *, failed: bool) -> Callable[[Tree], bool]:
    both = webhook is None and endpoint is None

    def is_wanted(tree: Tree) -> bool:
        match tree.get("type"):
            case "event.accepted":
                name = tree["event"].get("webhook")
                return name is not None and not failed and (both or name == webhook)
            case "request.refused":
                # No name is empty: what was not asked for is the name of nothing.
                return both or (webhook or "") == tree.get("webhook") or (endpoint or "") == tree.get("endpoint")
            case "attempt.ended":
                return (both or tree["endpoint"] == endpoint) and not (failed and tree["outcome"] == "ok")
            case _:
                return False

    return is_wanted


def _marks(webhook: str | None, endpoint: str | None) -> list[bytes]:
    """Return what the line of a record holds that comes from a webhook or went to an endpoint, as the log writes it."""
    names: tuple[tuple[Kind, str | None], ...] = (("webhook", webhook), ("endpoint", endpoint))
    return [mark(kind, name) for kind, name in names if name is not None]


def _identifier(tree: Tree) -> str:
    """Return what a row can be asked for with; nothing for what was refused."""
    event = tree.get("event")
    return str(event["id"]) if isinstance(event, dict) else str(tree.get("delivery", ""))


def _row(tree: Tree) -> tuple[object, ...]:
    match tree["type"]:
        case "event.accepted":
            return _accepted(tree)
        case "request.refused":
            times = f"{tree['count']} times, " if tree.get("count", 1) > 1 else ""
            endpoint = tree.get("endpoint")
            return (
                tree["at"],
                "out" if endpoint else "in",
                refuser(tree),
                "",
                f"{tree['status']} refused",
                f"{times}{tree['reason']} from {tree['peer']}",
            )
        case "delivery.ended":
            return _ended(tree)
        case _:
            return _attempt(tree)


def _accepted(tree: Tree) -> tuple[object, ...]:
    event: dict[str, Any] = tree["event"]
    return (tree["at"], "in", event["webhook"], event["type"], "accepted", f"{event['id']} -> {started(tree)}")


def _ended(tree: Tree) -> tuple[object, ...]:
    detail = f"{tree['delivery']} after {tree['attempts']} attempt{'s' if tree['attempts'] != 1 else ''}"
    if tree.get("error"):
        detail += f": {shortened(str(tree['error']), 120)}"
    return (tree["at"], "out", tree["endpoint"], "", tree["status"], detail)


def _attempt(tree: Tree) -> tuple[object, ...]:
    exchange: dict[str, Any] = tree["exchange"]
    result = f"{exchange.get('status') or ''} {tree['outcome']}".strip()
    took = format_duration(float(exchange.get("total_ms") or 0) / 1000)
    detail = f"{tree['delivery']} attempt {tree['number']} in {took}"
    if tree.get("error"):
        detail += f": {shortened(str(tree['error']), 120)}"
    return (tree["at"], "out", tree["endpoint"], f"{exchange['method']} {exchange['url']}", result, detail)
