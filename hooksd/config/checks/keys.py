"""Keys that a table does not know: misspelt, in the wrong table, or of a later version."""

from __future__ import annotations

from collections.abc import Mapping

from hooksd.config.checks.words import listing
from hooksd.config.checks.written import PHASES, Kind
from hooksd.config.diagnostics import did_you_mean
from hooksd.config.finding import Finding
from hooksd.config.position import Path
from hooksd.model.auth import AUTH_MODELS, auth_kind
from hooksd.model.base import Definition, Json, keys_of
from hooksd.model.egress import Egress
from hooksd.model.endpoint import BasicAuth, EndpointTls, OAuth2
from hooksd.model.file import FILE_KEYS, LEVELS, RESERVED_KEYS
from hooksd.model.greeting import Handshake, Reply
from hooksd.model.retry import Retry
from hooksd.model.step import STEP_MODELS, verb_of
from hooksd.model.webhook import Limits

LATER: Mapping[str, frozenset[str]] = {
    "step": frozenset({"files"}),
    "webhook": frozenset({"name"}),
}
"""Keys of the format that this version does not know, by the table where they belong, besides `RESERVED_KEYS`."""

_AUTH_KEYS: frozenset[str] = frozenset().union(*(keys_of(model) for model in AUTH_MODELS.values()))
_INNER: Mapping[str, type[Definition]] = {
    "egress": Egress, "tls": EndpointTls, "oauth2": OAuth2, "basic_auth": BasicAuth,
}  # fmt: skip
_ARTICLE = {**{name: f"`{name}`" for name in _INNER},
            "workflow": "a workflow", "step": "a step", "webhook": "a webhook", "endpoint": "an endpoint",
            "role": "a role", "file": "a file", "auth": "`auth`", "retry": "`retry`", "limits": "`limits`",
            "handshake": "a handshake", "reply": "`reply`"}  # fmt: skip


def unknown_key(kind: Kind | None, file: str, base: Path, inner: Path, table: Mapping[str, Json]) -> Finding:
    """Explain a key that its table does not know.

    Args:
        kind: Of the definition that the key stands in; None for the top of a file without a workflow.
        file: The file.
        base: The path of the definition.
        inner: The path of the key within the definition.
        table: The definition.
    """
    key = str(inner[-1])
    level, known = _level(kind, base, inner, table)
    code, message, hint = _verdict(key, level, known, file, base)
    if level == "step" and code == "H012" and key in LEVELS["step"]:
        verb = verb_of(_at(table, inner[:-1]))
        users = [name for name, model in STEP_MODELS.items() if key in keys_of(model)]
        code, message, hint = "H013", f"`{key}` is no key of a `{verb}` step", f"it goes with {listing(users)}"
    return Finding(code=code, message=message, file=file, path=base + inner, part="key", hint=hint)


def _level(kind: Kind | None, base: Path, inner: Path, table: Mapping[str, Json]) -> tuple[str, frozenset[str]]:
    """Return the kind of table that a key stands in, and the keys that it knows."""
    if kind is None:
        return "file", FILE_KEYS
    match inner:
        case (*_, "retry", _):
            return "retry", keys_of(Retry)
        case ("limits", _):
            return "limits", keys_of(Limits)
        case (str(name), _) if name in _INNER:
            return name, keys_of(_INNER[name])
        case ("auth", _, *_):
            return _auth_level(inner, table)
        case (phase, int(), _) if phase in PHASES:
            verb = verb_of(_at(table, inner[:-1]))
            return "step", keys_of(STEP_MODELS[verb]) if verb else LEVELS["step"]
        case _:
            return kind, LEVELS[kind] | (FILE_KEYS if kind == "workflow" and not base else frozenset())


def _auth_level(inner: Path, table: Mapping[str, Json]) -> tuple[str, frozenset[str]]:
    match inner:
        case (*_, "handshake", int(), _):
            return "handshake", keys_of(Handshake)
        case (*_, "handshake", int(), "reply", _):
            return "reply", keys_of(Reply)
    model = AUTH_MODELS.get(auth_kind(_at(table, inner[:-1])) or "")
    return "auth", keys_of(model) if model else _AUTH_KEYS


def _verdict(key: str, level: str, known: frozenset[str], file: str, base: Path) -> tuple[str, str, str | None]:
    """Return code, message and hint."""
    homes = [name for name, keys in LEVELS.items() if key in keys and name != level]
    if key in LATER.get(level, ()) or (key in RESERVED_KEYS and not homes):
        home = _ARTICLE[level if key in LATER.get(level, ()) else RESERVED_KEYS[key]]
        hint = f"it will be a key of {home}; this version would ignore it, so it refuses it: remove it"
        return "H014", f"`{key}` belongs to a later version of hooksd", hint
    if level == "webhook" and key in _AUTH_KEYS:
        return "H013", f"`{key}` is a key of `auth`", f"write `auth.{key} = ...`"
    if level == "auth" and key in _AUTH_KEYS:
        users = [name for name, model in AUTH_MODELS.items() if key in keys_of(model)]
        return "H013", f"`{key}` does not go with this kind of `auth`", f"it goes with {listing(users)}"
    if close := did_you_mean(key, known, likeness=0.85):
        return "H012", f"unknown key `{key}`", close
    if homes and key not in LEVELS.get(level, ()) and level not in ("retry", "limits", "auth", *_INNER):
        names = " or ".join(_ARTICLE[name] for name in homes)
        return "H013", f"`{key}` is {names} key, not {_ARTICLE[level]} key", _move(homes[0], file, base)
    suggestion = did_you_mean(key, known)
    every = f"{_ARTICLE[level]} has the keys {listing(sorted(known - {'$schema'}))}"
    return "H012", f"unknown key `{key}`", suggestion or every


def _move(home: str, file: str, base: Path) -> str:
    """Say where a key has to go."""
    if file.endswith(".json"):
        return f"move it into {_ARTICLE[home]}"
    if home == "workflow":
        if base[:1] == ("workflows",):
            return f"move it directly below `[workflows.{base[1]}]`"
        return "move it above the first `[...]`"
    return "move it below a `[[steps]]` line" if home == "step" else f"move it below a `[{home}s.NAME]` line"


def _at(table: Json, path: Path) -> Mapping[str, Json]:
    for part in path:
        table = table[part]
    return table if isinstance(table, Mapping) else {}
