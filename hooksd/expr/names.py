"""The names that an expression reads, for checks that need no data."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One place where an expression reads a value of its scope."""

    path: tuple[str | int, ...]
    """The name in scope, then keys and positions as far as they are constant: `("steps", "build", "ok")`."""
    start: int
    """Where it stands: characters from the beginning of the source."""
    end: int

    @property
    def name(self) -> str:
        """The path with dots: `steps.build.ok`."""
        return ".".join(map(str, self.path))


def names_of(references: Iterable[Reference]) -> frozenset[str]:
    """Return the dotted names that are read."""
    return frozenset(reference.name for reference in references)


def members_of(references: Iterable[Reference], root: str) -> frozenset[str]:
    """Return what is read directly under a name: `{"build"}` for `root="steps"` and `steps.build.ok`."""
    return frozenset(str(item.path[1]) for item in references if item.path[0] == root and len(item.path) > 1)


def unknown_members(references: Iterable[Reference], root: str, known: Iterable[str]) -> tuple[Reference, ...]:
    """Return the references under `root` whose member is none of `known`, in the order of the source."""
    allowed = frozenset(known)
    return tuple(
        item for item in references if item.path[0] == root and len(item.path) > 1 and str(item.path[1]) not in allowed
    )


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that somebody who wrote `word` most likely meant, if one is near enough."""
    candidates = sorted(known)
    folded = {candidate.lower(): candidate for candidate in reversed(candidates)}
    found = difflib.get_close_matches(word.lower()[:64], folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return `did you mean ...?` for `word`, or None when nothing is near."""
    found = closest(word, known)
    return f"did you mean `{found}`?" if found is not None else None
