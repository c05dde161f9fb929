"""`hooksd reload`: read the definitions now."""

from __future__ import annotations

import operator
from itertools import dropwhile

import click

from hooksd.cli.client import problem_text
from hooksd.cli.invocation import shared_options
from hooksd.cli.loading import client_of, settings_of
from hooksd.cli.output import as_json, note, say
from hooksd.cli.verdict import diagnostic_lines
from hooksd.errors import HooksdError

PATIENCE = 60.0
"""Seconds to wait for the verdict: thousands of files take a few, a checkout that is under way some more."""
REJECTED = 1


@click.command()
@shared_options
@click.option("--wait", is_flag=True, help="Wait for the verdict. It always does: the option is for units that say so.")
@click.option("--accept", metavar="REVISION", help="Agree to a set that was held because it removes much.")
@click.option("--json", "as_object", is_flag=True, help="One JSON object.")
@click.pass_context
def command(ctx: click.Context, wait: bool, accept: str | None, as_object: bool) -> int:  # noqa: ARG001 - see its help
    """Make the daemon read its definitions and secrets now, and print the verdict.

    Exits with 1 when the files are rejected or held; the set before them stays in force.
    """
    client = client_of(settings_of(ctx))
    answer = client.post("/api/v1/reload", {"accept": accept} if accept else {}, patience=PATIENCE)
    if not isinstance(answer.data, dict) or "state" not in answer.data:
        raise HooksdError(problem_text(answer.data))
    verdict = answer.data
    if as_object:
        say(as_json(verdict))
    elif answer.ok:
        say(f"{verdict['state']}: revision {verdict.get('revision')}")
    else:
        for line in dropwhile(operator.not_, diagnostic_lines(verdict)):
            note(line)
        note(f"{verdict['state']}: revision {verdict.get('running')} stays in force")
    return 0 if answer.ok else REJECTED
