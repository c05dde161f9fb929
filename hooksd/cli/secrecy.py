"""The secrets that steps may put into payloads, for commands that show payloads: the log must hold them as they are."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, quote_plus

import click
import orjson

from hooksd.cli.output import note
from hooksd.errors import HooksdError

SHORTEST = 8
"""Characters; a shorter secret would be found in everything."""


def hidden_texts(ctx: click.Context) -> tuple[str, ...]:
    """Return how the secrets of the definitions may be spelled in a payload, the longest first.

    Where definitions or secrets cannot be read from here, that is said, and none are returned.
    """
    # What reads definitions takes longer to import than to find a delivery.
    from hooksd.cli.loading import directory, settings_of
    from hooksd.config.build import build
    from hooksd.config.build_problem import BuildProblem
    from hooksd.config.secrets import SecretProblem
    from hooksd.config.snapshot import Revision
    from hooksd.daemon.sources import loader, secret_store

    try:
        settings = settings_of(ctx)
        store = secret_store(settings)
        loaded = loader(settings, store).load(directory(settings.hooks_dir).files)
        if loaded.definitions is None:
            note("the definitions cannot be put in force here: secrets that a step put into a payload are shown")
            return ()
        snapshot = build(loaded.definitions, Revision(tree=""), store, None, loaded.verifiers)
    except (HooksdError, BuildProblem, SecretProblem):
        note("definitions or secrets cannot be read here: secrets that a step put into a payload are shown")
        return ()
    return spellings([secret.reveal().decode("utf-8", "replace") for secret in snapshot.secrets.values()])


def spellings(secrets: Sequence[str]) -> tuple[str, ...]:
    """Return how secrets stand in texts, JSON and forms, the longest first: one may be the beginning of another."""
    found: set[str] = set()
    for secret in secrets:
        if len(secret) >= SHORTEST:
            found |= {secret, orjson.dumps(secret).decode()[1:-1], quote(secret, safe=""), quote_plus(secret)}
    return tuple(sorted(found, key=lambda text: (-len(text), text)))
