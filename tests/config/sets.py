"""Sets of definitions from the texts of files, for tests of what is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hooksd.config.build import build
from hooksd.config.load import Loader
from hooksd.config.secrets import SecretStore
from hooksd.config.snapshot import Revision, Snapshot
from hooksd.model.definitions import Definitions

REVISION = Revision(tree="sha256:" + "0" * 64)


def store(directory: Path | None = None, **environment: str) -> SecretStore:
    return SecretStore(
        credentials_dir=directory,
        environment=environment,
        allow_inline=False,
        base_dir=directory or Path("/nonexistent"),
    )


def definitions(files: Mapping[str, str], secrets: SecretStore) -> Definitions:
    loaded = Loader(secrets=secrets, allow_inline_secrets=False).load(
        {name: text.encode() for name, text in files.items()}
    )
    assert loaded.definitions is not None, loaded.diagnostics
    return loaded.definitions


def snapshot(
    files: Mapping[str, str], secrets: SecretStore | None = None, previous: Snapshot | None = None
) -> Snapshot:
    known = secrets or store()
    return build(definitions(files, known), REVISION, known, previous)


def workflow(on: str, more: str = "") -> str:
    return f'version = 1\non = {on}\n{more}\n[[steps]]\nset.x = "1"\n'
