"""Presets: providers by name, as data. Called when definitions are checked and built, and by `hooksd new`."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hooksd.auth.problem import AuthProblem
from hooksd.model.auth import AllAuth, AnyAuth, Auth, ConcreteAuth, PresetAuth

_DOCUMENT: Mapping[str, Mapping[str, Any]] = tomllib.loads(
    files("hooksd.auth").joinpath("presets.toml").read_text("utf-8")
)


def _auth_of(name: str) -> dict[str, Any]:
    entry = _DOCUMENT[name]
    above = _auth_of(entry["extends"]) if "extends" in entry else {}
    return {**above, **entry.get("auth", {})}


PRESETS: Mapping[str, Mapping[str, Any]] = {name: _auth_of(name) for name in _DOCUMENT}
"""What each preset stands for, in the spelling of files."""

HANDSHAKES: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    name: tuple(entry["handshake"]) for name, entry in _DOCUMENT.items() if "handshake" in entry
}
"""How each provider that asks for it is answered when a URL is set up: see `hooksd.auth.handshake`."""

_AUTH: TypeAdapter[Auth] = TypeAdapter(Auth)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A provider, for people."""

    name: str
    title: str
    """How the provider calls itself."""
    proof: str
    """What proves who calls: a header by its name, anything else as a source."""
    event: tuple[str, ...]
    """Where the event type is."""
    secret_at: str
    """Where the provider shows or wants the secret."""
    source: str
    """The document or program that says how the provider signs."""
    example: Mapping[str, str]
    """What a definition says in place of a secret, by keys of `auth`; empty where there is a secret."""
    verified: str | None
    """A page on the web that was read and says the same."""


def preset_names() -> tuple[str, ...]:
    """Return the names of all presets, in order."""
    return tuple(sorted(PRESETS))


def describe(name: str) -> Preset:
    """Return what people want to know of a preset.

    Raises:
        KeyError: There is no such preset.
    """
    about, auth = _DOCUMENT[name], PRESETS[name]
    event = auth.get("event", [])
    proof = auth.get("header") or auth.get("signature") or auth.get("token") or about.get("proof", "Authorization")
    return Preset(
        name=name,
        title=about["title"],
        proof=str(proof).removeprefix("header:"),
        event=(event,) if isinstance(event, str) else tuple(event),
        secret_at=about["secret_at"],
        source=about["source"],
        example=about.get("example", {}),
        verified=about.get("verified"),
    )


def expand(auth: Auth) -> ConcreteAuth:
    """Return what a preset stands for, with the keys that the file wrote in place of the preset's.

    Raises:
        AuthProblem: There is no such preset, or it does not have a key that the file wrote.
    """
    if isinstance(auth, AllAuth | AnyAuth):
        return auth.model_copy(update={"of": tuple(_part(place, part) for place, part in enumerate(auth.of))})
    if not isinstance(auth, PresetAuth):
        return auth
    if auth.preset not in PRESETS:
        near = difflib.get_close_matches(auth.preset.lower(), PRESETS, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(preset_names())}"
        raise AuthProblem("preset", f"unknown preset `{auth.preset}`", hint)
    if auth.verify_token and not any("token" in handshake for handshake in HANDSHAKES.get(auth.preset, ())):
        message = f"the preset `{auth.preset}` does not take `verify_token`"
        raise AuthProblem("verify_token", message, "remove the key")
    try:
        concrete = _AUTH.validate_python({**PRESETS[auth.preset], **_written(auth)})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "missing":
            key = str(first["loc"][-1])
            raise AuthProblem("", f"the preset `{auth.preset}` needs `{key}`", f"add `auth.{key}`") from error
        key = next((str(part) for part in reversed(first["loc"])), "preset")
        raise AuthProblem(key, f"the preset `{auth.preset}` does not take `{key}`", "remove the key") from error
    if isinstance(concrete, PresetAuth):
        raise TypeError("a preset stands for a type")
    return concrete.model_copy(update={"handshake": auth.handshake}) if auth.handshake else concrete


def _part(place: int, part: Auth) -> ConcreteAuth:
    try:
        return expand(part)
    except AuthProblem as problem:
        problem.within = ("of", place, *problem.within)
        raise


def _written(auth: PresetAuth) -> dict[str, Any]:
    written = auth.overrides()
    if isinstance(tolerance := written.get("tolerance"), float):
        # The vocabulary wants durations with a unit; the model has already read this one.
        written["tolerance"] = f"{tolerance:.3f}s"
    if "claims" in written:
        written["claims"] = {**PRESETS[auth.preset].get("claims", {}), **written["claims"]}
    return {key: value for key, value in written.items() if value is not None}
