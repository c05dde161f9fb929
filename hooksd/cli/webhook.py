"""`hooksd webhook`: webhooks of a running daemon, which writes them as files."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import click

from hooksd.cli.client import Answer, Client, problem_text
from hooksd.cli.invocation import shared_options
from hooksd.cli.loading import client_of, settings_of
from hooksd.cli.output import LEAST, as_json, note, safe, say, table, terminal_width
from hooksd.cli.verdict import diagnostic_lines
from hooksd.cli.webhook_content import content_options, merged, wanted_of
from hooksd.cli.webhook_draft import Draft, edited, kept
from hooksd.config.writing import TOML
from hooksd.daemon.listen import named
from hooksd.errors import HooksdError
from hooksd.model.webhook import UUID

PATH = "/api/v1/webhooks"
_HIDDEN = "***"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
PATIENCE = 60.0
"""Seconds for the daemon to judge a large set of definitions."""


@click.group()
@shared_options
def command() -> None:
    """Create, show, change and remove webhooks of a running daemon.

    They are files: what these commands change, the daemon writes there, if its setting `admin_write` lets it.
    """


@command.command()
@shared_options
@click.argument("name", required=False)
@content_options
@click.option("--edit", "by_hand", is_flag=True, help="Look at it in $EDITOR first.")
@click.option("-j", "--json", "as_object", is_flag=True, help="One JSON object.")
@click.pass_context
def create(ctx: click.Context, /, name: str | None, by_hand: bool, as_object: bool, **content: Any) -> int:
    """Create a webhook.

    Without a name it gets a random one. Without --preset, --secret or --open anybody may call it who has its URL, which
    nobody can guess.
    """
    client = client_of(settings_of(ctx))
    wanted = wanted_of(content)
    if isinstance(wanted, bytes):
        answer = client.change("POST", PATH, wanted, patience=PATIENCE, media=TOML)
    elif by_hand:
        draft = Draft.of(name, wanted)
        answer = _in_editor(draft, lambda text: client.change("POST", PATH, text, patience=PATIENCE, media=TOML))
    else:
        answer = client.change("POST", PATH, {"name": name, **wanted}, patience=PATIENCE)
    return _told(answer, as_object=as_object)


@command.command(name="list")
@shared_options
@click.option("-j", "--json", "json_lines", is_flag=True, help="One JSON object a line.")
@click.pass_context
def list_(ctx: click.Context, json_lines: bool) -> int:
    """Show all webhooks that are in force."""
    webhooks = _asked(client_of(settings_of(ctx)), PATH)["webhooks"]
    if json_lines:
        for webhook in webhooks:
            say(as_json(webhook))
    elif not webhooks:
        note("there is no webhook yet; `hooksd webhook create` makes one")
    else:
        rows = [
            (one["name"], _reached(one), one["auth"], one.get("events") or "", one["updated_at"] or "", _where(one))
            for one in webhooks
        ]
        header = ("WEBHOOK", "PATH", "AUTH", "EVENT", "UPDATED", "DEFINED AT")
        for line in table(header, rows, width=terminal_width(), cuts=[(index, LEAST) for index in (3, 4, 1)]):
            say(line)
    return 0


@command.command()
@shared_options
@click.argument("name", metavar="NAME|UUID")
@click.option("-j", "--json", "as_object", is_flag=True, help="One JSON object.")
@click.option("--toml", "as_file", is_flag=True, help="The file that defines it.")
@click.pass_context
def get(ctx: click.Context, /, name: str, as_object: bool, as_file: bool) -> int:
    """Show one webhook."""
    client = client_of(settings_of(ctx))
    name = _named(client, name)
    if as_file:
        say(_file(client, name).raw.decode(), nl=False)
        return 0
    _show(_asked(client, _path(name)), as_object=as_object)
    return 0


@command.command()
@shared_options
@click.argument("name", metavar="NAME|UUID")
@content_options
@click.option("-j", "--json", "as_object", is_flag=True, help="One JSON object.")
@click.pass_context
def edit(ctx: click.Context, /, name: str, as_object: bool, **content: Any) -> int:
    """Change a webhook.

    With options it changes what they say; without any the file is opened in $EDITOR.
    """
    client = client_of(settings_of(ctx))
    name = _named(client, name)
    wanted = wanted_of(content)
    if isinstance(wanted, bytes):
        answer = client.change("PUT", _path(name), wanted, patience=PATIENCE, media=TOML)
    elif wanted:
        known = _asked(client, _path(name))
        document = merged(known["definition"], wanted)
        answer = client.change("PUT", _path(name), document, patience=PATIENCE, match=f'"{known["digest"]}"')
    else:
        found = _file(client, name)
        answer = _in_editor(
            Draft(name=name, text=found.raw.decode()),
            lambda text: client.change("PUT", _path(name), text, patience=PATIENCE, media=TOML, match=found.etag),
        )
    return _told(answer, as_object=as_object)


@command.command()
@shared_options
@click.argument("names", metavar="NAME|UUID...", nargs=-1, required=True)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def delete(ctx: click.Context, /, names: Sequence[str], yes: bool) -> int:
    """Remove webhooks and their files."""
    client = client_of(settings_of(ctx))
    for name in [_named(client, name) for name in names]:
        known = _asked(client, _path(name))
        if not yes:
            click.confirm(f"remove webhook {safe(name)} ({_where(known)})?", abort=True, err=True)
        answer = client.change("DELETE", _path(name), None, patience=PATIENCE)
        if not answer.ok:
            return _told(answer, as_object=False)
        note(f"webhook {safe(name)} is gone")
    return 0


def _in_editor(draft: Draft, send: Callable[[bytes], Answer]) -> Answer:
    """Let a person change a text until the daemon takes it, or the person gives up."""
    while True:
        text = edited(draft)
        if text is None:
            raise HooksdError("nothing was changed")
        answer = send(text.encode())
        if answer.status != 422 or not _is_terminal():
            return answer if answer.ok else _given_up(answer, draft.name, text)
        _problems(answer)
        if not _wants_more():
            raise HooksdError(f"nothing was changed; your text is in {kept(draft.name, text)}")
        draft = Draft(name=draft.name, text=text, is_new=True)


def _wants_more() -> bool:
    try:
        return click.confirm("edit it again?", default=True, err=True)
    except click.Abort:  # Ctrl-C says no, and the text is kept all the same
        note("")
        return False


def _given_up(answer: Answer, name: str, text: str) -> Answer:
    note(f"nothing was changed; your text is in {kept(name, text)}")
    return answer


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _asked(client: Client, path: str) -> dict[str, Any]:
    answer = client.get(path)
    if not answer.ok:
        raise HooksdError(problem_text(answer.data))
    found: dict[str, Any] = answer.data
    return found


def _named(client: Client, text: str) -> str:
    """Return the name of a webhook that is meant by it, or by the `uuid` that leads to it."""
    if not _UUID.fullmatch(text):
        return text
    found = _asked(client, f"{PATH}?{UUID}={text}")["webhooks"]
    return str(found[0]["name"]) if found else text


def _file(client: Client, name: str) -> Answer:
    answer = client.text(_path(name), TOML)
    if not answer.ok:
        raise HooksdError(problem_text(answer.data))
    return answer


def _path(name: str) -> str:
    return f"{PATH}/{quote(name, safe='')}"


def _told(answer: Answer, *, as_object: bool) -> int:
    if not answer.ok:
        if as_object:
            say(as_json(answer.data))
        _problems(answer)
        return 1
    _show(answer.data, as_object=as_object)
    return 0


def _problems(answer: Answer) -> None:
    for line in diagnostic_lines(answer.data if isinstance(answer.data, dict) else {}):
        note(line)
    note(f"error: {problem_text(answer.data)}")


def _show(webhook: Mapping[str, Any], *, as_object: bool) -> None:
    if as_object:
        say(as_json(webhook))
        return
    settings = settings_of(click.get_current_context())
    facts = {
        "webhook": webhook["name"],
        "url": webhook["url"] or f"http://{named(settings.listen_address)}{_reached(webhook)}",
        "auth": webhook["auth"],
        "event": webhook.get("events"),
        "created": _when(webhook, "created"),
        "updated": _when(webhook, "updated"),
        "file": _where(webhook),
    }
    for title, fact in facts.items():
        if fact:
            say(f"{click.style(title.ljust(7), bold=True)}  {safe(fact)}")
    if webhook[UUID] not in (None, _HIDDEN):
        note("Keep the URL: only its hash is written down, so it is shown this once.")


def _reached(webhook: Mapping[str, Any]) -> str:
    return f"{webhook['path']}?{UUID}={webhook[UUID]}" if webhook[UUID] else str(webhook["path"])


def _when(webhook: Mapping[str, Any], what: str) -> str:
    at, by = webhook[f"{what}_at"], webhook[f"{what}_by"]
    return " by ".join(part for part in (at, by) if part)


def _where(webhook: Mapping[str, Any]) -> str:
    return f"{webhook['origin']['file']}:{webhook['origin']['line']}"
