"""`hooksd ping`: send an endpoint an event that says nothing, to see whether it works."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click

from hooksd.cli.client import problem_text
from hooksd.cli.invocation import shared_options
from hooksd.cli.loading import client_of, settings_of
from hooksd.cli.output import as_json, note, safe, say
from hooksd.errors import HooksdError

PATIENCE = 30.0


@click.command()
@shared_options
@click.argument("endpoint")
@click.option("--json", "as_object", is_flag=True, help="One JSON object.")
@click.pass_context
def command(ctx: click.Context, endpoint: str, as_object: bool) -> int:
    """Send an event of the type `ping` to an endpoint, whatever it subscribes to.

    It goes the way of every delivery: shaped, signed, tried again, and in the log.
    """
    client = client_of(settings_of(ctx))
    answer = client.post(f"/api/v1/endpoints/{quote(endpoint, safe='')}/ping", None, patience=PATIENCE)
    if not answer.ok:
        raise HooksdError(problem_text(answer.data))
    accepted: dict[str, Any] = answer.data
    if as_object:
        say(as_json(accepted))
        return 0
    say(f"event {safe(accepted['event'])}")
    say(f"delivery {safe(accepted['delivery'])}  {safe(endpoint)}")
    note(f"`hooksd explain {safe(accepted['delivery'])}` says what came of it")
    return 0
