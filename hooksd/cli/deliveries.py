"""`hooksd deliveries`: what came in and what went out."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import click

from hooksd.cli.history import log_of
from hooksd.cli.invocation import shared_options
from hooksd.cli.lines import Tree
from hooksd.cli.output import as_json, note, say, shortened, table
from hooksd.model.spans import format_duration

HEADER = ("TIME", "", "WHO", "WHAT", "RESULT", "DETAIL")


@click.command()
@shared_options
@click.option("--webhook", metavar="NAME", help="Only what came in through this webhook.")
@click.option("--endpoint", metavar="NAME", help="Only what went out to this endpoint.")
@click.option("--failed", is_flag=True, help="Only what was refused or did not arrive.")
@click.option("-n", "--lines", "count", type=click.IntRange(min=1), default=100, help="How many. Default: 100.")
@click.option("--json", "json_lines", is_flag=True, help="The records themselves, one JSON object a line.")
@click.pass_context
def command(
    ctx: click.Context, webhook: str | None, endpoint: str | None, failed: bool, count: int, json_lines: bool
) -> None:
    """Show what came in and what went out, newest first. Needs no daemon.

    In: requests that were accepted or refused. Out: attempts to deliver to endpoints, with what came back.
    """
    reader = log_of(ctx)
    wanted = _filter(webhook, endpoint, failed=failed)
    trees = (entry.tree for entry in reader.backward(_marks(webhook, endpoint)))
    found = list(itertools.islice(filter(wanted, trees), count))
    if json_lines:
        for tree in found:
            say(as_json(tree))
        return
    if not found:
        note("nothing of that kind is in the log")
        return
    for row in table(HEADER, [_row(tree) for tree in found]):
        say(row)


def _filter(webhook: str | None, endpoint: str | None, *, failed: bool) -> Callable[[Tree], bool]:
    both = webhook is None and endpoint is None

    def is_wanted(tree: Tree) -> bool:
        match tree.get("type"):
            case "event.accepted":
                name = tree["event"].get("webhook")
                return name is not None and not failed and (both or name == webhook)
            case "request.refused":
                return both or (webhook is not None and tree.get("webhook") == webhook)
            case "attempt.ended":
                return (both or tree["endpoint"] == endpoint) and not (failed and tree["outcome"] == "ok")
            case _:
                return False

    return is_wanted


def _marks(webhook: str | None, endpoint: str | None) -> list[bytes]:
    """Return what the line of a record holds that comes from a webhook or went to an endpoint, as the log writes it."""
    names = (("webhook", webhook), ("endpoint", endpoint))
    # A name that had to be escaped is the name of nothing.
    return [f'"{key}":"{name}"'.encode(errors="surrogateescape") for key, name in names if name is not None]


def _row(tree: Tree) -> tuple[object, ...]:
    match tree["type"]:
        case "event.accepted":
            return _accepted(tree)
        case "request.refused":
            times = f"{tree['count']} times, " if tree.get("count", 1) > 1 else ""
            who = tree.get("webhook") or "?"
            return (
                tree["at"],
                "in",
                who,
                "",
                f"{tree['status']} refused",
                f"{times}{tree['reason']} from {tree['peer']}",
            )
        case _:
            return _attempt(tree)


def _accepted(tree: Tree) -> tuple[object, ...]:
    event: dict[str, Any] = tree["event"]
    runs = ", ".join(run["workflow"] for run in tree.get("runs", ())) or "starts nothing"
    detail = f"{event['id']} -> {runs}"
    return (tree["at"], "in", event["webhook"], event["type"], "accepted", detail)


def _attempt(tree: Tree) -> tuple[object, ...]:
    exchange: dict[str, Any] = tree["exchange"]
    result = f"{exchange.get('status') or ''} {tree['outcome']}".strip()
    took = format_duration(float(exchange.get("total_ms") or 0) / 1000)
    detail = f"{tree['delivery']} attempt {tree['number']} in {took}"
    if tree.get("error"):
        detail += f": {shortened(str(tree['error']), 120)}"
    return (tree["at"], "out", tree["endpoint"], f"{exchange['method']} {exchange['url']}", result, detail)
