"""Secrets as one set of definitions sees them: each is read once, and kept to tell whether the next set sees the same.

`config.verifiers` reads through it, and so do the checks of `config.load`.
"""

from __future__ import annotations

from typing import Protocol

from hooksd.config.secrets import SecretProblem
from hooksd.model.secret import Secret


class Secrets(Protocol):
    """Where references to secrets are read: `hooksd.config.secrets.SecretStore`, or `RememberedSecrets`."""

    def get(self, ref: str) -> Secret:
        """Return the secret that a reference names.

        Raises:
            SecretProblem: It cannot be had.
        """
        ...

    def named(self, name: str) -> Secret:
        """Return what `{{ secrets.NAME }}` reads.

        Raises:
            SecretProblem: As `get` does.
        """
        ...


class RememberedSecrets:
    """Reads each secret once, until it is told to read anew."""

    def __init__(self, store: Secrets) -> None:
        """Take where references are read."""
        self._store = store
        self._read: dict[str, Secret | SecretProblem] = {}
        """What each reference gave that was asked for."""

    def get(self, ref: str) -> Secret:  # noqa: D102 - see Secrets
        found = self._read.get(ref)
        if found is None:
            found = self._read[ref] = self._look(ref)
        if isinstance(found, SecretProblem):
            raise found
        return found

    def named(self, name: str) -> Secret:  # noqa: D102 - see Secrets
        return self.get(f"credential:{name}")

    def forget(self) -> None:
        """Read everything anew when it is asked for."""
        self._read = {}

    def is_unchanged(self) -> bool:
        """Read everything again that was asked for, and tell whether each answer is the same; if not, forget."""
        if all(_is_same(found, self._look(ref)) for ref, found in self._read.items()):
            return True
        self.forget()
        return False

    def _look(self, ref: str) -> Secret | SecretProblem:
        try:
            return self._store.get(ref)
        except SecretProblem as problem:
            return problem


def _is_same(one: Secret | SecretProblem, other: Secret | SecretProblem) -> bool:
    if isinstance(one, SecretProblem) and isinstance(other, SecretProblem):
        return (one.message, one.hint) == (other.message, other.hint)
    return one == other


_: type[Secrets] = RememberedSecrets
