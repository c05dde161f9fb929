"""`hooksd new`: a first file that works, with comments that say what to change."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

import click

from hooksd.auth.presets import PRESETS, describe, preset_names
from hooksd.cli.invocation import shared_options
from hooksd.cli.loading import settings_of
from hooksd.cli.output import note, safe, say
from hooksd.config.diagnostics import did_you_mean
from hooksd.config.settings import Settings
from hooksd.daemon.listen import named
from hooksd.errors import HooksdError, UsageError
from hooksd.model.base import NAME_PATTERN

SECRET_BYTES = 32
"""Of a new secret: as many as the hash that it keys gives."""

WEBHOOK = """\
# {title}
# `hooksd validate` checks this file; the daemon takes it over as soon as it is saved.
version = 1
on      = "{on}"{on_comment}
# when  = "body.ref == 'refs/heads/main'"     # start only if this is true of the event

[webhooks.{name}]
{auth}

# What happens. docs/workflows.md lists every verb; `run` and `http` need `run_as` and a role in roles.toml.
[[steps]]
id  = "note"
set = {{ seen = "{{{{ event.type }}}}" }}
"""

WORKFLOW = """\
# `hooksd trigger {name} --data '{{"who": "Ada"}}'` starts it by hand.
# `hooksd validate` checks this file; the daemon takes it over as soon as it is saved.
version = 1
on      = "manual"                            # or an event type like "github.push", "webhook:NAME", "shop.*"

# What happens. docs/workflows.md lists every verb; `run` and `http` need `run_as` and a role in roles.toml.
[[steps]]
id  = "greet"
set = {{ greeting = "Hello, {{{{ body.who | default('world') }}}}!" }}
"""

ENDPOINT = """\
# Steps deliver to it: send = "{name}". Each delivery is tried again until the receiver answers 2xx.
version = 1

[endpoints.{name}]
url = "{url}"
# secret = "credential:{name}"                # signs every request (Standard Webhooks): docs/delivery.md
"""


@click.group()
@shared_options
def command() -> None:
    """Write a commented file for a new webhook, workflow or endpoint."""


@command.command(short_help="Write NAME.toml with a webhook and a first workflow.")
@shared_options
@click.argument("name")
@click.option("--preset", metavar="PROVIDER", help="Who calls: github, gitlab, stripe, ... Default: a bearer token.")
@click.option("--event", "key", metavar="KEY", help="Only this event of the provider, like push.")
@click.option("--secret", "with_secret", is_flag=True, help="Make a random secret in the credentials directory.")
@click.pass_context
def webhook(ctx: click.Context, name: str, preset: str | None, key: str | None, with_secret: bool) -> None:
    """Write NAME.toml with a webhook and a first workflow, and say what to tell the provider."""
    settings = settings_of(ctx)
    _checked(name)
    if preset is not None and preset not in preset_names():
        hint = did_you_mean(preset, preset_names()) or f"choose one of {', '.join(preset_names())}"
        raise UsageError(f"there is no preset `{safe(preset)}`: {hint}")
    if key is not None and not re.fullmatch(r"[A-Za-z0-9._-]+", key):
        raise UsageError(f"`{safe(key)}` cannot be part of an event type: letters, digits, `.`, `_` and `-` only")
    if key is not None and preset is None:
        raise UsageError("--event: callers with a token do not say what happened: name the provider with --preset")
    if key is not None and "event" not in PRESETS[str(preset)]:
        raise UsageError(f"--event: requests of {describe(str(preset)).title} do not say what happened: leave it out")
    path = _write(settings, name, _webhook_text(name, preset, key))
    say(f"wrote {path}")
    if _has_secret(preset):
        _tell_secret(settings, name, preset, make=with_secret)
    _tell_provider(settings, name, preset)


@command.command(short_help="Write NAME.toml with a first workflow.")
@shared_options
@click.argument("name")
@click.pass_context
def workflow(ctx: click.Context, name: str) -> None:
    """Write NAME.toml with a workflow that can be started by hand."""
    settings = settings_of(ctx)
    _checked(name)
    say(f"wrote {_write(settings, name, WORKFLOW.format(name=name))}")
    note(f"start it: hooksd trigger {name} --wait")


@command.command(short_help="Write NAME.toml with an endpoint.")
@shared_options
@click.argument("name")
@click.argument("url")
@click.pass_context
def endpoint(ctx: click.Context, name: str, url: str) -> None:
    """Write NAME.toml with an endpoint that deliveries go to."""
    settings = settings_of(ctx)
    _checked(name)
    if not re.fullmatch(r"https?://[^\s\"\\{}\x00-\x20]+", url):
        raise UsageError(f"`{url}` is no URL to deliver to: expected https://HOST/PATH")
    say(f"wrote {_write(settings, name, ENDPOINT.format(name=name, url=url))}")
    note(f'deliver to it: send = "{name}" in a step')


def _checked(name: str) -> None:
    # A dot would nest tables in TOML, so that names made here have none.
    if not re.fullmatch(NAME_PATTERN, name) or "." in name or len(name) > 64:
        raise UsageError(
            f"`{name}` cannot be a name here: letters, digits, `_` and `-`, beginning with a letter or digit"
        )


def _webhook_text(name: str, preset: str | None, key: str | None) -> str:
    if preset is None:
        auth = 'auth.type   = "bearer"                        # callers send `Authorization: Bearer SECRET`\n'
        title, on, comment = "Receives requests of callers who know a token.", f"webhook:{name}", ""
    else:
        auth = f'auth.preset = "{preset}"\n'
        title = f"Receives webhooks of {describe(preset).title}."
        on = f"{name}.{key}*" if key else f"{name}.*"
        comment = "" if key else f'  # every event; one kind is "{name}.KEY*"'
        if "event" not in PRESETS[preset]:
            on, comment = f"webhook:{name}", ""
    auth += "\n".join(_proof_lines(name, preset))
    return WEBHOOK.format(title=title, name=name, on=on, on_comment=comment, auth=auth)


def _proof_lines(name: str, preset: str | None) -> list[str]:
    """Return what a definition says besides its preset."""
    if preset is not None and (example := describe(preset).example):
        return [f'auth.{key} = "{value}"  # yours' for key, value in example.items()]
    match PRESETS[preset]["type"] if preset else "bearer":
        case "basic":
            sent = f'auth.username = "{name}"                     # as the provider sends it'
            return [sent, f'auth.password = "credential:{name}"']
        case "signature":
            return [f'auth.public_key = "credential:{name}"       # the key that the provider shows']
    return [f'auth.secret = "credential:{name}"']


def _has_secret(preset: str | None) -> bool:
    return preset is None or not (describe(preset).example or PRESETS[preset]["type"] == "signature")


def _write(settings: Settings, name: str, text: str) -> Path:
    path = settings.hooks_dir / f"{name}.toml"
    if path.exists():
        raise HooksdError(f"{path} exists already; choose another name, or edit it")
    try:
        settings.hooks_dir.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise HooksdError(f"cannot write {path}: {error.strerror}") from error
    return path


def _tell_secret(settings: Settings, name: str, preset: str | None, *, make: bool) -> None:
    directory = settings.credentials_dir
    source = "make a secret" if preset is None else "put what the provider shows there, or make one"
    if directory is None:
        note(f"`credential:{name}` needs a directory: set HOOKSD_CREDENTIALS_DIR or `credentials_dir`, {source}:")
        note(f'  (umask 077; openssl rand -hex {SECRET_BYTES} > "$HOOKSD_CREDENTIALS_DIR/{name}")')
        note("and start the daemon with it: settings are read at its start")
        return
    path = directory / name
    if path.exists():
        note(f"the secret is in {path}, as it was")
    elif make:
        _make_secret(path)
        whom = "those who call" if preset is None else "the provider, or write there what it made"
        note(f"made a random secret in {path}; give it to {whom}")
    else:
        note(f"{path} is missing, {source}: (umask 077; openssl rand -hex {SECRET_BYTES} > {path})")


def _make_secret(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(SECRET_BYTES) + "\n")
    except OSError as error:
        raise HooksdError(f"cannot write {path}: {error.strerror}") from error


def _tell_provider(settings: Settings, name: str, preset: str | None) -> None:
    base = settings.public_url or f"http://{named(settings.listen_address)}"
    note(f"URL for the provider: {base}/hooks/{name}")
    if not settings.public_url:
        note("  (as seen from this machine; set `public_url` to what callers use)")
    if preset is not None:
        provider = describe(preset)
        what = "has the secret" if _has_secret(preset) else "says what to write"
        note(f"where {provider.title} {what}: {provider.secret_at}")
