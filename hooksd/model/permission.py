"""What a workflow may do: checked when definitions are loaded, and again on every rendered value.

Without `run_as` the trust of the event decides; with it, the role does. `set`, `respond`, `sleep` and `fail` touch
nothing outside the run and are always allowed.
"""

from __future__ import annotations

from functools import lru_cache

from hooksd.model.patterns import matches
from hooksd.model.role import Role, split_url
from hooksd.model.trust import Trust

ALWAYS_ALLOWED = frozenset({"set", "respond", "sleep", "fail"})
"""Verbs that need no permission."""
NEEDS_ROLE = frozenset({"run", "shell", "http", "mail", "save"})
"""Verbs that no trust alone permits."""

CONFINED = frozenset({"run", "http", "save"})
"""Verbs whose targets are paths, in which `..` would make a permission like `run:/srv/app/bin/*` mean everything."""

KEPT = 1024
"""Roles, each with one verb, whose patterns are kept apart: each step asks for them."""


def denial(verb: str, target: str, *, role: Role | None, role_name: str | None, trust: Trust) -> str | None:
    """Return why a step may not do what it is about to do, or None when it may.

    Args:
        verb: The step's verb.
        target: The rendered value that matters: the program, the URL, the endpoint, the event type; "" for `shell`.
        role: The role that `run_as` names, or None without `run_as`.
        role_name: Its name, for the message.
        trust: The trust of the event that started the run.
    """
    if verb in ALWAYS_ALLOWED:
        return None
    if role is None:
        return _without_role(verb, trust)
    if verb in CONFINED and _climbs(target):
        return f"`{verb}:{target}` has `..` in its path, which could leave what the role `{role_name}` allows"
    patterns = _patterns(role.allow, verb)
    if verb == "emit" and not patterns:
        return None
    if (verb == "shell" and patterns) or any(_fits(verb, pattern, target) for pattern in patterns):
        return None
    wanted = verb if verb == "shell" else f"{verb}:{target}"
    return f"role `{role_name}` does not allow `{wanted}`: add it to `allow` of [roles.{role_name}] in roles.toml"


def base_of(verb: str, target: str, role: Role) -> str:
    """Return the directory that holds everything which a permission for a path allows: what stands before its `*`.

    Args:
        verb: The step's verb.
        target: A path that the role allows.
        role: The role.
    """
    pattern = next((pattern for pattern in _patterns(role.allow, verb) if matches(pattern, target)), target)
    return pattern.partition("*")[0].rpartition("/")[0] if target.startswith("/") else ""


@lru_cache(KEPT)
def _patterns(allow: tuple[str, ...], verb: str) -> tuple[str, ...]:
    """Return what a role says of one verb."""
    return tuple(pattern for kind, _, pattern in (item.partition(":") for item in allow) if kind == verb)


def _fits(verb: str, pattern: str, target: str) -> bool:
    """Tell whether a target fits a pattern. A `*` of a URL stays on its side of the first slash behind the host."""
    if verb != "http" or pattern == "*":
        return matches(pattern, target)
    origin, path = split_url(pattern)
    if origin.endswith("://*"):
        path = path or "*"
    asked = split_url(target)
    return matches(origin, asked[0]) and matches(path, asked[1])


def _climbs(target: str) -> bool:
    path = target.partition("?")[0].lower().replace("%2e", ".").replace("%2f", "/").replace("\\", "/")
    return ".." in path.split("/")


def _without_role(verb: str, trust: Trust) -> str | None:
    if verb == "emit":
        return None
    if verb in NEEDS_ROLE:
        return f"`{verb}` needs a role: set `run_as` and allow it in roles.toml"
    if trust < Trust.TOKEN:
        return f"`{verb}` needs a caller who proves something: this event is {trust.label}, and there is no `run_as`"
    return None


def secret_denial(name: str, *, role: Role | None, role_name: str | None) -> str | None:
    """Return why a workflow may not read `secrets.NAME`, or None when it may."""
    if role is None:
        return f"`secrets.{name}` needs a role: set `run_as` and name the secret in roles.toml"
    if name in role.secrets:
        return None
    return f'role `{role_name}` may not read `secrets.{name}`: add "{name}" to `secrets` of [roles.{role_name}]'


def least_trust(explicit: str | None, run_as: str | None) -> Trust:
    """Return the trust below which a workflow refuses events: as it says, else `token` with `run_as`."""
    if explicit is not None:
        return Trust[explicit.upper()]
    return Trust.TOKEN if run_as else Trust.ANONYMOUS
