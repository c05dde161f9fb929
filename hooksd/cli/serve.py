"""`hooksd serve`: the daemon."""

from __future__ import annotations

import click

from hooksd.cli.invocation import shared_options
from hooksd.cli.loading import settings_of
from hooksd.daemon import wiring
from hooksd.telemetry import log
from hooksd.telemetry.log import Level


@click.command()
@shared_options
@click.option(
    "--log-format",
    type=click.Choice(["auto", "console", "json"]),
    default="auto",
    help="Of messages on standard error. Default: console on a terminal, else json.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    help="Which of them. Default: info.",
)
@click.pass_context
def command(ctx: click.Context, log_format: str, log_level: Level) -> None:
    """Receive webhooks, run workflows and deliver until stopped.

    SIGTERM and SIGINT end it in order: requests and steps under way may finish; a second signal ends it at once.
    SIGHUP reads the definitions anew. Whatever had not finished is taken up by the next start.
    """
    settings = settings_of(ctx)
    as_json = {"auto": None, "console": False, "json": True}[log_format]
    log.configure(json=as_json, level=log_level, color=ctx.color is not False)
    wiring.serve(settings)
