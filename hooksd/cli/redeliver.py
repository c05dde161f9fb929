"""`hooksd redeliver`: deliveries once more, one at once or many in their turn."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import click

from hooksd.cli.client import Client, TooLate, problem_text
from hooksd.cli.history import log_of
from hooksd.cli.invocation import shared_options
from hooksd.cli.loading import client_of, settings_of
from hooksd.cli.misspelt import doubt
from hooksd.cli.moments import brief, since_and_until
from hooksd.cli.outcome import seconds_from, waited
from hooksd.cli.output import LEAST, as_json, note, safe, say, table, terminal_width
from hooksd.cli.selection import FAILED, STATUSES, Ended, Selection, ended, statuses_of
from hooksd.errors import HooksdError, Unreachable, UsageError

PATIENCE = 30.0
TRIES = 12
PAUSE = 5.0
"""How often, and with how many seconds between, a daemon is asked whose log is full."""
PART = 50
"""Deliveries that are asked for at a time."""
INTERRUPTED = 130
REST = "the same command goes on with the rest"
HEADER = ("ENDPOINT", "STATUS", "DELIVERIES", "FIRST ENDED", "LAST ENDED")


@click.command()
@shared_options
@click.argument("deliveries", metavar="[DELIVERY]...", nargs=-1)
@click.option("--endpoint", metavar="NAME", help="All that went to this endpoint.")
@click.option("--status", type=click.Choice((*STATUSES, FAILED)), help="All that ended so. Default: failed.")
@since_and_until
@click.option("--again", is_flag=True, help="Those too that were asked for again since then.")
@click.option("--dry-run", is_flag=True, help="Show what would be delivered again, and do nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--wait", is_flag=True, help="Wait for the end of each DELIVERY; exit with 1 when one does not arrive.")
@click.option(
    "--timeout",
    default="1m",
    metavar="DURATION",
    help="How long --wait waits for each; then exit with 75. Default: 1m.",
)
@click.option("--json", "json_lines", is_flag=True, help="One JSON object for each delivery.")
@click.pass_context
def command(
    ctx: click.Context, /, deliveries: tuple[str, ...], *, wait: bool, timeout: str, json_lines: bool, **chosen: Any
) -> int:
    """Deliver again: single deliveries at once, or all that fit in their turn.

    A delivery begins anew under the same id, with its whole schedule. Many are chosen by when and how they ended, shown
    and confirmed first. After an interruption the same command goes on with the rest.
    """
    given = [name for name in ("endpoint", "status", "since", "until") if chosen[name] is not None]
    if bool(deliveries) == bool(given):
        raise UsageError("name deliveries, or choose them by --endpoint, --status, --since and --until")
    if deliveries and (chosen["dry_run"] or chosen["again"]):
        raise UsageError("--dry-run and --again are for deliveries that are chosen")
    if deliveries:
        seconds = seconds_from("--timeout", timeout) if wait else None
        return _one_by_one(client_of(settings_of(ctx)), deliveries, seconds, json_lines=json_lines)
    if wait:
        raise UsageError("--wait is for deliveries that are named")
    selection = Selection(
        since=chosen.pop("since"),
        until=chosen.pop("until"),
        statuses=statuses_of(chosen.pop("status") or FAILED),
        endpoint=chosen.pop("endpoint"),
    )
    return _many(ctx, selection, json_lines=json_lines, **chosen)


def _one_by_one(client: Client, deliveries: Sequence[str], seconds: float | None, *, json_lines: bool) -> int:
    status = 0
    for delivery in deliveries:
        answer = client.post(_path(delivery), None, patience=PATIENCE)
        if not answer.ok:
            note(f"error: {problem_text(answer.data)}")
            status = 1
            continue
        say(as_json(answer.data) if json_lines else f"delivery {safe(delivery)}  {safe(answer.data['endpoint'])}")
        if seconds is not None:
            status = max(status, waited(client, delivery, seconds))
    return status


def _many(ctx: click.Context, selection: Selection, *, again: bool, dry_run: bool, yes: bool, json_lines: bool) -> int:
    reader = log_of(ctx)
    fitting = list(ended(reader, selection))[::-1]
    doubt(ctx, reader, "endpoint", selection.endpoint)
    chosen = [one for one in fitting if again or not one.is_again]
    _preview(chosen, left=len(fitting) - len(chosen), is_result=dry_run and not json_lines)
    if dry_run:
        for one in chosen if json_lines else ():
            say(as_json(dict(one.tree)))
        return 0
    if not chosen:
        return 0
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("nobody is here to be asked: say --yes to go on, or --dry-run to look")
        click.confirm(f"Deliver {_count(len(chosen))} again?", abort=True, err=True)
    return _ask(client_of(settings_of(ctx)), chosen, json_lines=json_lines)


def _preview(chosen: Sequence[Ended], *, left: int, is_result: bool) -> None:
    tell = say if is_result else note
    if chosen:
        groups: dict[tuple[str, str], list[str]] = {}
        for one in chosen:
            groups.setdefault((one.tree["endpoint"], one.tree["status"]), []).append(one.tree["at"])
        width = terminal_width()
        when = str if width is None else brief
        rows = [(*group, len(times), when(times[0]), when(times[-1])) for group, times in sorted(groups.items())]
        for row in table(HEADER, rows, width=width, cuts=((0, LEAST),)):
            tell(row)
    elif not left:
        tell("nothing of that kind is in the log")
    if left:
        tell(f"left out: {_count(left)}, asked for again since then; --again takes them too")


def _count(number: int) -> str:
    return "1 delivery" if number == 1 else f"{number:,} deliveries"


def _ask(client: Client, chosen: Sequence[Ended], *, json_lines: bool) -> int:
    """Ask for all, oldest first, and say how far it came whatever happens."""
    done = 0
    refused: Counter[str] = Counter()
    try:
        for told in _shown(client, chosen):
            done += told["asked"]
            refused.update(() if told["asked"] else (str(told["detail"]),))
            if json_lines:
                say(as_json(told))
    except (KeyboardInterrupt, click.Abort):
        note(f"\ninterrupted: {done:,} of {_count(len(chosen))} asked for; {REST}")
        return INTERRUPTED
    except (Unreachable, TooLate) as error:
        raise type(error)(f"{error}; {done:,} of {_count(len(chosen))} asked for; {REST}") from error
    note(f"{_count(done)} asked for again; `hooksd endpoints` shows what waits")
    for reason, count in refused.most_common(5):
        note(f"{_count(count)} left as {'it is' if count == 1 else 'they are'}: {safe(reason)}")
    return 1 if refused else 0


def _shown(client: Client, chosen: Sequence[Ended]) -> Iterator[dict[str, Any]]:
    """Ask for a part at a time and yield what is told of each, with a bar on a terminal."""
    hidden = not sys.stderr.isatty()
    bar = click.progressbar(length=len(chosen), label="asking", file=sys.stderr, hidden=hidden, show_pos=True)
    with bar:
        for first in range(0, len(chosen), PART):
            part = chosen[first : first + PART]
            yield from _asked(client, part)
            bar.update(len(part))


def _asked(client: Client, part: Sequence[Ended]) -> list[dict[str, Any]]:
    wanted = {"deliveries": [{"id": one.delivery, "attempts": one.tree["attempts"]} for one in part]}
    for _ in range(TRIES):
        answer = client.post("/api/v1/redeliveries", wanted, patience=PATIENCE)
        if answer.ok:
            told: list[dict[str, Any]] = answer.data["deliveries"]
            return told
        if answer.status != 503:
            raise HooksdError(problem_text(answer.data))
        time.sleep(PAUSE)  # noqa: TID251 - a command waits; there is no loop to block
    raise HooksdError(f"the log of the daemon takes no records: look at `hooksd status`; {REST}")


def _path(delivery: str) -> str:
    if (
        not delivery.startswith("dlv_")
        or not delivery.isascii()
        or not delivery.replace("-", "").replace("_", "").isalnum()
    ):
        raise UsageError(f"`{safe(delivery)}` is no delivery: expected dlv_..., as `hooksd deliveries` shows")
    return f"/api/v1/deliveries/{delivery}/redeliver"
