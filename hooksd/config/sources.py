"""Where settings are written: `hooksd.toml`, then HOOKSD_* variables, then flags, in rising order. Not yet checked.

The only module that reads the environment. `config.settings` checks the values; commands that only need the directory
of the log take it from here and start fast.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli

from hooksd.config.diagnostics import did_you_mean
from hooksd.config.syntax import toml_slip

PREFIX = "HOOKSD_"
DEFAULT_FILE = Path("hooksd.toml")
"""Read from the current directory when no other file is named."""

NAMES = frozenset(
    {"hooks_dir", "log_dir", "state_dir", "credentials_dir", "listen", "admin", "admin_token", "public_url"}
    | {"admin_keys", "admin_write", "smtp", "smtp_security", "smtp_username", "smtp_password", "smtp_from"}
    | {"durability", "allow_inline_secrets", "segment_size", "retention_age", "retention_size"}
    | {"max_connections", "max_connections_per_address", "max_headers", "max_header_bytes", "max_buffered"}
    | {"header_timeout", "body_timeout", "write_timeout", "idle_timeout", "trusted_proxies", "forwarded_header"}
    | {"trigger_keys", "publish_keys"}
)
"""Every setting."""

_STEP = "EVENT_FILE EVENT_ID EVENT_SOURCE EVENT_SUBJECT EVENT_TIME EVENT_TYPE WORKFLOW RUN_ID STEP ATTEMPT HOP PROCESS"
OTHER_VARIABLES = frozenset(f"{PREFIX}{name}" for name in ("CONFIG", *_STEP.split()))
"""HOOKSD_* names that are no settings: where the file of settings is, and what programs of steps find in their
environment. Such a program may call `hooksd`, so these names are not unknown."""

_PATHS = ("hooks_dir", "log_dir", "state_dir", "credentials_dir")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What all sources say together."""

    values: Mapping[str, Any]
    """By the name of the setting."""
    file: Mapping[str, Any]
    """Those of the file alone."""
    problems: tuple[str, ...]
    """Sources that cannot be read, and names that are no settings."""


def process_environment() -> Mapping[str, str]:
    """Return a copy of the environment of this process, for `env:NAME` secrets."""
    return dict(os.environ)  # noqa: TID251 - this is the place


def read_sources(file: Path | None, flags: Mapping[str, str]) -> Sources:
    """Read all sources.

    Paths in the file are relative to the file; all others to the current directory.

    Args:
        file: The file of settings; None for `hooksd.toml` in the current directory if there is one.
        flags: Values from the command line by the name of the setting; they win.
    """
    environment = process_environment()
    values, problems = _from_file(file)
    problems += _unknown(PREFIX, (name for name in environment if name.startswith(PREFIX)), "the environment")
    problems += _unknown("", flags, "the flags")
    merged = {**_from_systemd(environment), **values, **_from_variables(environment), **flags}
    return Sources(values=merged, file=values, problems=tuple(problems))


def _from_systemd(environment: Mapping[str, str]) -> dict[str, Any]:
    names = {"LOGS_DIRECTORY": "log_dir", "STATE_DIRECTORY": "state_dir", "CREDENTIALS_DIRECTORY": "credentials_dir"}
    # systemd separates several directories with colons; the first is ours (systemd.exec(5)).
    return {setting: environment[name].split(":")[0] for name, setting in names.items() if environment.get(name)}


def _from_variables(environment: Mapping[str, str]) -> dict[str, str]:
    variables = {name: f"{PREFIX}{name.upper()}" for name in NAMES}
    return {name: environment[variable] for name, variable in variables.items() if variable in environment}


def _from_file(file: Path | None) -> tuple[dict[str, Any], list[str]]:
    path = file or DEFAULT_FILE
    try:
        values = tomli.loads(path.read_bytes().decode())
    except FileNotFoundError:
        return ({}, []) if file is None else ({}, [f"{path}: there is no such file"])
    except OSError as error:
        return {}, [f"{path}: cannot be read: {error.strerror}"]
    except UnicodeDecodeError as error:
        return {}, [f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8"]
    except tomli.TOMLDecodeError as error:
        return {}, [f"{path}{_slipped(error)}"]
    except ValueError as error:  # a whole number with thousands of digits
        return {}, [f"{path}: {error}"]
    for name in _PATHS:
        if isinstance(values.get(name), str):
            values[name] = path.parent / values[name]
    return values, _unknown("", values, str(path))


def _slipped(error: tomli.TOMLDecodeError) -> str:
    if error.doc.startswith("\ufeff"):
        return ': it starts with a byte order mark; save the file as UTF-8 without "BOM"'
    slip = toml_slip(error.doc, error.pos, error.msg)
    before = error.doc[: slip.start]
    place = f":{before.count(chr(10)) + 1}:{slip.start - before.rfind(chr(10))}"
    return f"{place}: {slip.message}" + (f"; {slip.hint}" if slip.hint else "")


def _unknown(prefix: str, names: Iterable[str], where: str) -> list[str]:
    known = {f"{prefix}{name.upper() if prefix else name}" for name in NAMES}
    accepted = known | OTHER_VARIABLES
    return [
        f"{where}: unknown setting `{name}`" + (f": {hint}" if (hint := did_you_mean(name, known)) else "")
        for name in sorted(names)
        if name not in accepted
    ]
