"""What a workflow may do, as far as it is known before any event: the engine checks the rendered values again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from hooksd.config.checks.collection import Collection
from hooksd.config.checks.events import pattern_of
from hooksd.config.checks.names import place_of
from hooksd.config.checks.written import Reading, Written, raw_steps, text_of, texts_of
from hooksd.config.diagnostics import did_you_mean
from hooksd.config.finding import Finding
from hooksd.config.position import Path
from hooksd.model.base import Json
from hooksd.model.mailbox import lowered
from hooksd.model.patterns import can_overlap
from hooksd.model.permission import NEEDS_ROLE, denial, secret_denial
from hooksd.model.role import Role
from hooksd.model.trust import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """Something that a step is going to do."""

    path: Path
    verb: str
    target: str
    """With `*` where data comes in."""


def check(collection: Collection, workflows: Iterable[Written]) -> Iterator[Finding]:
    """Return every step of some workflows that can never be allowed, and every secret that may not be read.

    Args:
        collection: All definitions.
        workflows: Those to look at.
    """
    for workflow in workflows:
        run_as = text_of(workflow.table, "run_as")
        role = collection.value("role", run_as, Role) if run_as else None
        if run_as and role is None:
            continue  # an unknown role, or one with errors: reported as such
        for wish in _wishes(workflow):
            yield from _judge(workflow, wish, role, run_as)
        for reading in workflow.readings:
            yield from _secrets(workflow, reading, role, run_as)


def _wishes(workflow: Written) -> Iterator[_Wish]:
    for phase, index, step in raw_steps(workflow.table):
        yield from _of_step(step, (*workflow.path, phase, index))
        if "save" in step and (to := text_of(step, "to")):
            yield _Wish(path=(*workflow.path, phase, index, "to"), verb="save", target=f"{pattern_of(to)}*")


def _of_step(step: Mapping[str, Json], path: Path) -> Iterator[_Wish]:
    argv = step.get("run")
    if isinstance(argv, list) and argv and isinstance(argv[0], str):
        yield _Wish(path=(*path, "run", 0), verb="run", target=pattern_of(argv[0]))
    if text_of(step, "shell"):
        yield _Wish(path=(*path, "shell"), verb="shell", target="")
    request = text_of(step, "http")
    if request:
        yield _Wish(path=(*path, "http"), verb="http", target=pattern_of(request.partition(" ")[2].strip()))
    yield from _deliveries(step, path)
    for key in ("mail", "cc", "bcc") if "mail" in step else ():
        for where, address in texts_of(step.get(key), (*path, key)):
            yield _Wish(path=where, verb="mail", target=lowered(pattern_of(address)))
    kind = text_of(step, "emit")
    if kind:
        yield _Wish(path=(*path, "emit"), verb="emit", target=pattern_of(kind))


def _deliveries(step: Mapping[str, Json], path: Path) -> Iterator[_Wish]:
    for verb in ("send", "call"):
        for where, name in texts_of(step.get(verb), (*path, verb)):
            yield _Wish(path=where, verb="send", target=name)


def _judge(workflow: Written, wish: _Wish, role: Role | None, run_as: str | None) -> Iterator[Finding]:
    # Whether the caller of a future event proves enough is known only then: here nothing fails for want of trust.
    reason = denial(wish.verb, wish.target, role=role, role_name=run_as, trust=Trust.LOCAL)
    if reason is None or (role is not None and "*" in wish.target and _may_fit(wish, role)):
        return
    message, _, hint = reason.partition(": ")
    if role is None and wish.verb in NEEDS_ROLE:
        message, hint = f"`{wish.verb}` needs a role", f"set `run_as` and allow `{_permission(wish)}` in roles.toml"
    elif role is not None and (close := _close(wish, role)):
        hint = f"{hint}, or {close}"
    yield Finding(code="H060", message=message, file=workflow.file, path=wish.path, hint=hint or None)


def _permission(wish: _Wish) -> str:
    return f"{wish.verb}:{wish.target}" if wish.target else wish.verb


def _may_fit(wish: _Wish, role: Role) -> bool:
    """Tell whether the target might be allowed once data is put in."""
    return any(can_overlap(permission, _permission(wish)) for permission in role.allow)


def _close(wish: _Wish, role: Role) -> str | None:
    return did_you_mean(_permission(wish), (item for item in role.allow if item.startswith(f"{wish.verb}:")))


def _secrets(workflow: Written, reading: Reading, role: Role | None, run_as: str | None) -> Iterator[Finding]:
    for name in secrets_in(reading):
        reason = secret_denial(name, role=role, role_name=run_as)
        if reason is None:
            continue
        message, _, hint = reason.partition(": ")
        hint = (did_you_mean(name, role.secrets) if role else None) or hint
        within = place_of(f"secrets.{name}", reading.source)
        yield Finding(code="H060", message=message, file=workflow.file, path=reading.path, within=within, hint=hint)


def secrets_in(reading: Reading) -> list[str]:
    """Return the names of the secrets that an expression reads."""
    found = {name.split(".")[1] for name in reading.names if name.startswith("secrets.")}
    return sorted(found - {""})
