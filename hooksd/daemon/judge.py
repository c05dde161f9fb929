"""Judges the content of the directory: ready to be put in force, broken, to be held, or what runs already.

`daemon.reload` calls it in a thread. Nothing that runs is touched here, however long it takes and whatever goes wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hooksd.config import gaps
from hooksd.config.build import build
from hooksd.config.build_problem import BuildProblem
from hooksd.config.diagnostics import Diagnostic
from hooksd.config.diff import Difference, compare, is_mass_removal
from hooksd.config.load import Loaded
from hooksd.config.revision import revision_of, tree_digest
from hooksd.config.secrets import SecretStore
from hooksd.config.snapshot import Revision, Snapshot
from hooksd.config.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A set that can be put in force by one assignment."""

    snapshot: Snapshot
    difference: Difference
    """To what runs."""
    warnings: tuple[Diagnostic, ...]
    """About its files; what lies beside them changes without them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A set that has errors."""

    revision: Revision
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A set that is good and would remove so much that someone should agree first."""

    revision: Revision
    reason: str
    """For people."""
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    """The content is what runs."""


Verdict = Ready | Rejected | Held | Unchanged
Pause = Callable[[], None]
"""Called often, to let others have their turn."""


def at_once() -> None:
    """Do not pause: there are no others."""


class Checker(Protocol):
    """Checks sets of files: `hooksd.config.load.Loader`; tests hand in their own."""

    def load(self, files: Mapping[str, bytes], pause: Pause) -> Loaded:
        """Return the definitions that files hold, and what is wrong with them."""
        ...


class Judge:
    """Judges trees, one at a time."""

    def __init__(self, *, root: Path, loader: Checker, secrets: SecretStore) -> None:
        """Take what it needs.

        Args:
            root: The directory that trees are read from.
            loader: Checks sets of files.
            secrets: Where references to secrets are read.
        """
        self._root = root
        self._loader = loader
        self._secrets = secrets

    def judge(
        self, tree: Tree, running: Snapshot | None, *, accept: str | None, again: bool, pause: Pause = at_once
    ) -> Verdict:
        """Return the verdict on a tree. It blocks: call it in a thread.

        Args:
            tree: The content.
            running: What is in force, if anything is.
            accept: The revision that may remove as much as it does.
            again: Judge even what runs already: secrets may have changed outside of the directory.
            pause: Called often on the way.
        """
        is_whole = not tree.unreadable
        digest = tree_digest(tree.files)
        if is_whole and not again and running and digest == running.revision.tree:
            return Unchanged()
        revision = revision_of(self._root, tree.files, digest)
        if not is_whole:
            return Rejected(revision=revision, diagnostics=gaps.unreadable(tree.unreadable))
        loaded = self._loader.load(tree.files, pause)
        if loaded.definitions is None or not loaded.ok:
            return Rejected(revision=revision, diagnostics=loaded.diagnostics)
        old = running.definitions if running else None
        difference = compare(old, loaded.definitions)
        if is_mass_removal(old, difference) and accept not in (revision.id, revision.tree):
            before = sum(old.counts().values()) if old else 0
            return Held(revision=revision, reason=_reason(tree, before, difference), removed=difference.removed)
        try:
            snapshot = build(loaded.definitions, revision, self._secrets, running, loaded.verifiers, pause)
        except BuildProblem as problem:
            return Rejected(revision=revision, diagnostics=(*loaded.diagnostics, problem.diagnostic))
        return Ready(snapshot=snapshot, difference=difference, warnings=loaded.diagnostics)

    def failed(self, tree: Tree, error: Exception) -> Rejected:
        """Return the verdict on a tree that could not be judged because hooksd made an error."""
        text = f"the definitions cannot be judged, and that is an error of hooksd ({type(error).__name__})"
        diagnostic = gaps.about_file(
            "H017", ".", text, "error", "the traceback is in the daemon's log: please report it"
        )
        return Rejected(revision=Revision(tree=tree_digest(tree.files)), diagnostics=(diagnostic,))


def _reason(tree: Tree, before: int, difference: Difference) -> str:
    if not tree.exists:
        return "the directory of definitions is gone"
    removed = len(difference.removed)
    if removed == before and not difference.added:
        return "no definition is left"
    return f"it would remove {removed} of {before} definitions"
