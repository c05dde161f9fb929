"""All definitions of all files by kind and name: what checks across files look up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from hooksd.config.checks.written import Kind, Written, text_of
from hooksd.config.finding import Elsewhere, Finding
from hooksd.model.webhook import default_path

T = TypeVar("T")

KINDS: tuple[Kind, ...] = ("webhook", "endpoint", "workflow", "role")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """Definitions by name; of those that share a name the first, by file."""

    webhooks: Mapping[str, Written]
    endpoints: Mapping[str, Written]
    workflows: Mapping[str, Written]
    roles: Mapping[str, Written]

    def of(self, kind: Kind) -> Mapping[str, Written]:
        """Return the definitions of a kind."""
        return {
            "webhook": self.webhooks,
            "endpoint": self.endpoints,
            "workflow": self.workflows,
            "role": self.roles,
        }[kind]

    def value(self, kind: Kind, name: str, model: type[T]) -> T | None:
        """Return the model of a definition; None when there is none, or it has errors."""
        written = self.of(kind).get(name)
        return written.value if written is not None and isinstance(written.value, model) else None


def collect(written: Iterable[Written]) -> tuple[Collection, list[Finding]]:
    """Put definitions together.

    Returns:
        The definitions by kind and name, and a finding for each name that is defined again.
    """
    found: dict[Kind, dict[str, Written]] = {"webhook": {}, "endpoint": {}, "workflow": {}, "role": {}}
    findings: list[Finding] = []
    for item in written:
        first = found[item.kind].setdefault(item.name, item)
        if first is not item:
            findings.append(_twice(first, item))
    collection = Collection(
        webhooks=found["webhook"], endpoints=found["endpoint"], workflows=found["workflow"], roles=found["role"]
    )
    return collection, [*findings, *_paths(collection)]


def renew(known: Collection, written: Iterable[Written]) -> Collection | None:
    """Return what `collect` would give when some definitions say something else; None when only `collect` can tell.

    Args:
        known: What it gave, without a finding.
        written: The definitions. Others of their kinds and names are among the known ones.
    """
    found = {kind: dict(known.of(kind)) for kind in KINDS}
    for item in written:
        first = found[item.kind][item.name]
        if first.file != item.file or (item.kind == "webhook" and _address(first) != _address(item)):
            return None
        found[item.kind][item.name] = item
    return Collection(
        webhooks=found["webhook"], endpoints=found["endpoint"], workflows=found["workflow"], roles=found["role"]
    )


def _address(item: Written) -> tuple[str, str | None]:
    """Return where a webhook is reached: its path and `uuid`."""
    uuid = text_of(item.table, "uuid")
    return text_of(item.table, "path") or default_path(item.name, has_uuid=uuid is not None), uuid


def _twice(first: Written, again: Written) -> Finding:
    hint = "rename one of them"
    if first.is_file or again.is_file:
        hint = "a file with `steps` at the top is a workflow named after the file: rename one of them"
    return Finding(
        code="H030",
        message=f"{again.kind} `{again.name}` is defined twice",
        file=again.file,
        path=again.path,
        part="header" if again.is_file else "key",
        hint=hint,
        related=(Elsewhere(file=first.file, path=first.path, message="first here"),),
    )


def _paths(collection: Collection) -> Iterator[Finding]:
    """Find webhooks that share a path, disabled ones included: enabling one must not break the other."""
    first: dict[str, dict[str | None, Written]] = {}
    for name, item in collection.webhooks.items():
        path, uuid = _address(item)
        known = first.setdefault(path, {})
        # Webhooks that only their `uuid` leads to share a path with each other, and with no other one.
        other = known.get(uuid) or known.get(None) or (next(iter(known.values()), None) if uuid is None else None)
        known.setdefault(uuid, item)
        if other is not None:
            where = (*item.path, "path")
            related = (Elsewhere(file=other.file, path=(*other.path, "path"), message=f"webhook `{other.name}`"),)
            message = f"webhook `{name}` has the path `{path}` of webhook `{other.name}`"
            hint = "a path leads to one webhook, or to several by different `uuid`s: change one of them"
            yield Finding(code="H031", message=message, file=item.file, path=where, related=related, hint=hint)
