"""What a run may do and read right now: roles and secrets are looked up when a step begins, not when the run does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from urllib.parse import quote

from hooksd.config.snapshot import CompiledWorkflow, Snapshot
from hooksd.model.base import Json
from hooksd.model.permission import denial, secret_denial
from hooksd.model.role import Role
from hooksd.model.secret import Secret
from hooksd.model.trust import Trust
from hooksd.model.value import value

_SECRETS = "secrets."

KEPT = 256
"""So many permitted acts are known again, of at most so many characters: their targets may come from callers."""

SHORTEST_HIDDEN = 4
"""A secret shorter than this many characters is not looked for in texts: it would be found everywhere."""


@value
class Rights:
    """The permissions of a run at one moment."""

    trust: Trust
    """Of the event that started the run."""
    role_name: str | None = None
    """What the workflow's `run_as` says."""
    role: Role | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    """The secrets that the role may read, by name."""
    _permitted: set[tuple[str, str]] = field(default_factory=set, init=False, repr=False, compare=False)
    """Verbs and targets that were asked about: most steps do the same each time."""

    def denial(self, verb: str, target: str) -> str | None:
        """Return why a step may not do this, or None when it may; see `hooksd.model.permission.denial`."""
        act = (verb, target)
        if act in self._permitted:
            return None
        if self.is_gone:
            return f"role `{self.role_name}` does not exist any more, so nothing is allowed"
        reason = denial(verb, target, role=self.role, role_name=self.role_name, trust=self.trust)
        if reason is None and len(target) <= KEPT and len(self._permitted) < KEPT:
            self._permitted.add(act)
        return reason

    def secret_denial(self, names: Iterable[str]) -> str | None:
        """Return why one of the dotted names that an expression reads may not be read, or None."""
        for name in sorted(names):
            if name.startswith(_SECRETS):
                secret = name.removeprefix(_SECRETS).partition(".")[0]
                if (reason := secret_denial(secret, role=self.role, role_name=self.role_name)) is not None:
                    return reason
        return None

    def hide(self, told: Json) -> Json:
        """Return a JSON value with every secret of the role in it replaced, for what is told to people."""
        match told:
            case str():
                return self._hidden(told)
            case Mapping():
                return {key: self.hide(item) for key, item in told.items()}
            case list() | tuple():
                return [self.hide(item) for item in told]
            case _:
                return told

    def _hidden(self, text: str) -> str:
        for secret in sorted(self.secrets.values(), key=len, reverse=True):
            if len(secret) >= SHORTEST_HIDDEN:
                text = text.replace(secret, "***").replace(quote(secret, safe=""), "***")
        return text

    @property
    def is_gone(self) -> bool:
        """Tell whether the role was removed since the run was accepted."""
        return self.role_name is not None and self.role is None


def rights_of(snapshot: Snapshot, workflow: CompiledWorkflow, trust: Trust) -> Rights:
    """Return what a workflow may do for an event of some trust under the definitions in force."""
    name = workflow.value.run_as
    role = snapshot.roles.get(name) if name else None
    if role is None or not role.secrets:
        return Rights(trust=trust, role_name=name, role=role)
    readable = role.secrets
    secrets = {secret: _text(snapshot.secrets[secret]) for secret in readable if secret in snapshot.secrets}
    return Rights(trust=trust, role_name=name, role=role, secrets=secrets)


class Office:
    """The rights of runs, worked out once for as long as the definitions in force are the same."""

    def __init__(self, current: Callable[[], Snapshot]) -> None:
        """Take what returns the definitions in force."""
        self._current = current
        self._snapshot: Snapshot | None = None
        self._known: dict[tuple[str | None, Trust], Rights] = {}

    def rights(self, workflow: CompiledWorkflow, trust: Trust) -> Rights:
        """Return what a workflow may do now for an event of some trust."""
        snapshot = self._current()
        if snapshot is not self._snapshot:
            self._snapshot, self._known = snapshot, {}
        key = (workflow.value.run_as, trust)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = rights_of(snapshot, workflow, trust)
        return found


def _text(secret: Secret) -> str:
    # Bytes that are no text are good for signing only; in a template they are replaced rather than fatal.
    return secret.reveal().decode("utf-8", "replace")
