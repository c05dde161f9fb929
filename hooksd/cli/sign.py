"""`hooksd sign`: the request that a provider would send, as a curl that can be run."""

from __future__ import annotations

import secrets as randomness
import shlex
import sys
import time
from pathlib import Path

import click

from hooksd.auth.coverage import coverage
from hooksd.auth.presets import expand
from hooksd.auth.problem import AuthProblem
from hooksd.auth.sign import Occasion, Outgoing, signed
from hooksd.cli.invocation import shared_options
from hooksd.cli.loading import definitions_of, settings_of
from hooksd.cli.output import note, say
from hooksd.cli.verify import webhook_named
from hooksd.config.settings import Settings
from hooksd.daemon.listen import named
from hooksd.daemon.sources import secret_store
from hooksd.errors import UsageError
from hooksd.model.webhook import Webhook


@click.command()
@shared_options
@click.argument("webhook")
@click.option("--body", "body", metavar="FILE", required=True, help="What to send; - reads standard input.")
@click.option("--event", metavar="KIND", help="The provider's word for what happened, where a header says it.")
@click.option("--id", "identity", metavar="ID", help="The delivery id. Default: a random one.")
@click.option("--type", "media", metavar="MEDIA", default="application/json", show_default=True, help="The media type.")
@click.option("--url", metavar="URL", help="Where to send it. Default: the webhook's URL under `public_url`.")
@click.option("--now", type=float, metavar="UNIX", help="When it is signed. Default: now.")
@click.pass_context
def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    ctx: click.Context,
    webhook: str,
    body: str,
    event: str | None,
    identity: str | None,
    media: str,
    url: str | None,
    now: float | None,
) -> None:
    """Print a curl that sends FILE to WEBHOOK as its provider would. Needs no daemon.

    Secrets are read from where the definition says; what proves the request stands in what is printed.
    """
    settings = settings_of(ctx)
    value = webhook_named(definitions_of(settings), webhook).value
    known = expand(value.auth)
    if coverage(known).url and url is None and settings.public_url is None:
        raise UsageError("the URL is signed: say which with --url, or set `public_url`")
    draft = Outgoing(
        url=url or _url(settings, webhook, value),
        headers=(("Content-Type", media),),
        body=_read(body),
        media=media.partition(";")[0].strip().lower(),
        method="POST" if "POST" in value.methods else value.methods[0],
    )
    moment = time.time() if now is None else now  # noqa: TID251 - a command has no clock handed in
    occasion = Occasion(now=moment, id=identity or randomness.token_hex(16), event=event)
    try:
        made = signed(known, secret_store(settings).get, draft, occasion)
    except AuthProblem as problem:
        raise UsageError(f"{problem.message}{f': {problem.hint}' if problem.hint else ''}") from problem
    say(" \\\n  ".join(_curl(made, body if made.body == draft.body else None)))
    if value.auth.mode == "observe":
        note("the webhook only observes: it would let any request in")


def _url(settings: Settings, name: str, webhook: Webhook) -> str:
    base = settings.public_url or f"http://{named(settings.listen_address)}"
    return f"{base.rstrip('/')}{webhook.path_as(name)}{'?uuid=UUID' if webhook.uuid else ''}"


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error


def _curl(made: Outgoing, file: str | None) -> list[str]:
    """Return the words of the command, line by line."""
    method = [] if made.method == "POST" else [f"-X {made.method}"]
    headers = [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in made.headers]
    if file is not None:
        sent = f"--data-binary {shlex.quote(f'@{file}')}"
    else:
        sent = f"--data-raw {shlex.quote(made.body.decode())}"
    return [f"curl {shlex.quote(made.url)}", *method, *headers, sent]
