"""What the options of `hooksd webhook create` and `edit` say a webhook shall be."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
import tomli

from hooksd.cli.output import safe
from hooksd.errors import UsageError
from hooksd.model.base import Json

F = TypeVar("F", bound=Callable[..., Any])


def content_options(function: F) -> F:
    """Give a command the options that say what a webhook shall be."""
    for option in reversed((
        click.option("--event", metavar="TYPE", help="The type of its events, like webhook.salesforce.lead.created."),
        click.option("--preset", metavar="PROVIDER", help="Who calls: github, gitlab, stripe, ..."),
        click.option("--secret", metavar="REFERENCE", help="Of the provider, or a bearer token: credential:NAME."),
        click.option("--open", "is_open", is_flag=True, help="Let anybody call it."),
        click.option("--set", "keys", metavar="KEY=VALUE", multiple=True, help="Any key, like answer=wait:10s."),
        click.option("--file", "file", metavar="FILE", help="A TOML file that defines it; - reads standard input."),
    )):  # fmt: skip
        function = option(function)
    return function


def wanted_of(content: Mapping[str, Any]) -> dict[str, Json] | bytes:
    """Return what the options say: keys of a webhook, null for those that go; or a whole file.

    Raises:
        UsageError: The options cannot be meant together, or a file cannot be read.
    """
    file, given = content["file"], {key: value for key, value in content.items() if value and key != "file"}
    if file is not None:
        if given:
            raise UsageError("--file says everything: leave the other options out")
        try:
            return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        except OSError as error:
            raise UsageError(f"--file: cannot read {file}: {error.strerror}") from error
    wanted = _auth(content)
    if content["event"] is not None:
        wanted["event"] = content["event"] or None
    for pair in content["keys"]:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"--set: write KEY=VALUE, not {safe(pair)}")
        wanted = merged(wanted, _nested(key.split("."), _value(value)))
    return wanted


def _auth(content: Mapping[str, Any]) -> dict[str, Json]:
    preset, secret = content["preset"], content["secret"]
    if content["is_open"] and (preset or secret):
        raise UsageError("--open lets anybody in: leave --preset and --secret out")
    if content["is_open"]:
        return {"auth": {"type": "none"}}
    if preset:
        return {"auth": {"preset": preset, **({"secret": secret} if secret else {})}}
    return {"auth": {"type": "bearer", "secret": secret}} if secret else {}


def _nested(path: Sequence[str], value: Json) -> dict[str, Json]:
    return {path[0]: _nested(path[1:], value) if len(path) > 1 else value}


def _value(text: str) -> Json:
    """Read a value as TOML would; what is none is text. Nothing removes the key."""
    if not text:
        return None
    try:
        return tomli.loads(f"value = {text}")["value"]
    except tomli.TOMLDecodeError:
        return text


def merged(before: Mapping[str, Json], change: Mapping[str, Json]) -> dict[str, Json]:
    """Return a table with some keys changed, tables in it too; another kind of `auth` replaces all of it."""
    result = dict(before)
    for key, value in change.items():
        known = result.get(key)
        is_whole = key == "auth" and isinstance(value, Mapping) and ("type" in value or "preset" in value)
        if isinstance(known, Mapping) and isinstance(value, Mapping) and not is_whole:
            value = merged(known, value)  # noqa: PLW2901 - the value, changed
        result[key] = value
    return result
