"""`hooksd send`: one event for one endpoint, by hand."""

from __future__ import annotations

import mimetypes
import sys
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import orjson

from hooksd.cli.client import problem_text
from hooksd.cli.invocation import shared_options
from hooksd.cli.loading import client_of, settings_of
from hooksd.cli.outcome import seconds_from, waited
from hooksd.cli.output import as_json, note, safe, say
from hooksd.errors import HooksdError, UsageError

PATIENCE = 30.0
SOURCE = "hooksd/cli"
TYPE = "message"
JSON = "application/json"
BYTES = "application/octet-stream"


@click.command()
@shared_options
@click.argument("endpoint")
@click.option("--data", metavar="JSON", help="What to send: JSON.")
@click.option("--file", metavar="FILE", help="What to send: the bytes of a file; - reads standard input.")
@click.option("--media", metavar="TYPE", help="The media type of the file. Default: what its name says.")
@click.option("--type", "kind", metavar="EVENT-TYPE", default=TYPE, show_default=True, help="The type of the event.")
@click.option("--subject", metavar="TEXT", help="What the event is about.")
@click.option("--wait", is_flag=True, help="Wait for the end of the delivery; exit with 1 when it does not arrive.")
@click.option(
    "--timeout", default="1m", metavar="DURATION", help="How long --wait waits; then exit with 75. Default: 1m."
)
@click.option("--json", "as_object", is_flag=True, help="One JSON object.")
@click.pass_context
def command(ctx: click.Context, /, endpoint: str, *, wait: bool, timeout: str, as_object: bool, **content: Any) -> int:
    """Send an endpoint an event, whatever it subscribes to; no workflow starts.

    It goes the way of every delivery: shaped, signed, tried again, and in the log.
    """
    seconds = seconds_from("--timeout", timeout)
    raw, headers = _event(**content)
    client = client_of(settings_of(ctx))
    path = f"/api/v1/endpoints/{quote(endpoint, safe='')}/send"
    answer = client.publish(path, raw, headers, patience=PATIENCE)
    if not answer.ok:
        raise HooksdError(problem_text(answer.data))
    accepted: dict[str, Any] = answer.data
    if as_object:
        say(as_json(accepted))
    else:
        say(f"event {safe(accepted['event'])}")
        say(f"delivery {safe(accepted['delivery'])}  {safe(endpoint)}")
    if wait:
        return waited(client, str(accepted["delivery"]), seconds)
    if not as_object:
        note(f"`hooksd deliveries show {safe(accepted['delivery'])}` says what came of it")
    return 0


def _event(
    *, data: str | None, file: str | None, media: str | None, kind: str, subject: str | None
) -> tuple[bytes, dict[str, str]]:
    """Return an event as a request has it: its data, and its attributes as headers."""
    if (data is None) == (file is None):
        raise UsageError("say what to send, with --data JSON or with --file FILE")
    if data is not None and media is not None:
        raise UsageError("--media is about --file: what --data says is JSON")
    raw = _json(data) if data is not None else _read(str(file))
    headers = {
        "content-type": JSON if file is None else media or mimetypes.guess_type(file)[0] or BYTES,
        "ce-specversion": "1.0",
        "ce-id": str(uuid.uuid4()),
        "ce-source": SOURCE,
        "ce-type": quote(kind, safe="."),
        **({} if subject is None else {"ce-subject": quote(subject)}),
    }
    if not headers["content-type"].isprintable() or not headers["content-type"].isascii():
        raise UsageError(f"--media: `{safe(media)}` is no media type")
    return raw, headers


def _json(data: str) -> bytes:
    raw = data.encode("utf-8", "surrogateescape")
    try:
        orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        hint = "quote it for the shell, like --data '{\"a\": 1}', or send a file with --file"
        raise UsageError(f"--data is no JSON: {error}; {hint}") from error
    return raw


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UsageError(f"--file: cannot read {safe(file)}: {error.strerror}") from error
