"""Verifiers that are kept as long as the definition and its secrets stay what they are.

Making one costs more than all else that is checked of a webhook, and a change concerns few of them. `config.load` tries
them all, `config.build` puts the same ones in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hooksd.auth.build import build_verifier
from hooksd.auth.remote import Remotes
from hooksd.auth.verdict import Verifier
from hooksd.config.remembered import RememberedSecrets, Secrets
from hooksd.model.auth import Auth
from hooksd.model.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A verifier and what it was made of."""

    auth: Auth
    """Kept, so that no other definition can get its identity."""
    secrets: Mapping[str, Secret]
    verifier: Verifier


class Verifiers:
    """Makes the verifiers of one set of definitions after the other. Each set reads each secret anew, once."""

    def __init__(self, store: Secrets, remotes: Remotes | None = None) -> None:
        """Take where references to secrets are read, and what has keys fetched that are kept elsewhere."""
        self.remotes = remotes or Remotes()
        self.secrets = RememberedSecrets(store)
        """What the set reads, for everything else that reads secrets of it."""
        self._made: dict[int, _Made] = {}
        self._before: dict[int, _Made] = {}

    def begin(self) -> None:
        """Begin with a new set: secrets are read anew, and what the set before the last one needed is forgotten."""
        self.secrets.forget()
        while self._before:  # freed one by one: all at once would hold up every thread
            self._before.popitem()
        self._before, self._made = self._made, {}

    def go_on(self) -> bool:
        """Begin with a set that differs little from the one before: what was made stays, if no secret has changed.

        Returns:
            Whether it stays; if not, `begin` is next.
        """
        return self.secrets.is_unchanged()

    def drop(self, auth: Auth) -> None:
        """Forget what was made of a definition that is gone."""
        self._made.pop(id(auth), None)

    def secret(self, reference: str) -> Secret:
        """Return the secret that a reference names.

        Raises:
            SecretProblem: As `SecretStore.get` does.
        """
        return self.secrets.get(reference)

    def of(self, auth: Auth) -> Verifier:
        """Return what judges the requests of a webhook.

        Raises:
            AuthProblem: The definition is wrong, or a secret is unusable.
            SecretProblem: A secret cannot be had.
        """
        known = self._made.get(id(auth))
        if known is None:
            known = self._before.get(id(auth))
            if known is None or any(self.secret(reference) != value for reference, value in known.secrets.items()):
                known = self._make(auth)
            self._made[id(auth)] = known
        return known.verifier

    def has(self, auth: Auth, verifier: Verifier) -> bool:
        """Tell whether a verifier is the one that `of` would return."""
        known = self._made.get(id(auth))
        return known is not None and known.verifier is verifier

    def _make(self, auth: Auth) -> _Made:
        used: dict[str, Secret] = {}

        def secret(reference: str) -> Secret:
            used[reference] = self.secret(reference)
            return used[reference]

        verifier = build_verifier(auth, secret, self.remotes)
        return _Made(auth=auth, secrets=used, verifier=verifier)
