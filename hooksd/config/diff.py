"""The difference between two sets of definitions, and whether it removes so much that someone should agree first.

Called by `daemon.reload` for records and for the HELD state, and by the command line to show a plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hooksd.model.definitions import Defined, Definitions

MASS = 5
"""Sets smaller than this are not held for losing more than half: small sets change as a whole every day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a new set changes, as names like `webhook/github`, sorted."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def compare(old: Definitions | None, new: Definitions) -> Difference:
    """Return what `new` changes of `old`; where a definition stands does not matter, only what it says."""
    added: list[str] = []
    changed: list[str] = []
    removed: list[str] = []
    for kind, before, after in _kinds(old or Definitions(), new):
        removed += [f"{kind}/{name}" for name in before.keys() - after.keys()]
        for name, item in after.items():
            known = before.get(name)
            if known is None:
                added.append(f"{kind}/{name}")
            elif known is not item and known.digest != item.digest:
                changed.append(f"{kind}/{name}")
    return Difference(added=tuple(sorted(added)), changed=tuple(sorted(changed)), removed=tuple(sorted(removed)))


def _kinds(
    old: Definitions, new: Definitions
) -> tuple[tuple[str, Mapping[str, Defined[Any]], Mapping[str, Defined[Any]]], ...]:
    return (
        ("webhook", old.webhooks, new.webhooks),
        ("endpoint", old.endpoints, new.endpoints),
        ("workflow", old.workflows, new.workflows),
        ("role", old.roles, new.roles),
    )


def is_mass_removal(old: Definitions | None, difference: Difference) -> bool:
    """Tell whether a difference leaves nothing of `old`, or removes more than half of at least `MASS` definitions.

    Nobody commits that every day, and a checkout gone wrong looks just like it.
    """
    before = 0 if old is None else sum(old.counts().values())
    removed = len(difference.removed)
    if removed == 0:
        return False
    left = before - removed + len(difference.added)
    return left == 0 or (before >= MASS and removed * 2 > before)
