"""What tests of loading share: secrets that are there, and loaders that know them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hooksd.config.load import Loaded, Loader
from hooksd.config.secrets import SecretStore

CREDENTIALS = {
    "github": b"a long enough secret\n",
    "api_token": b"another long secret\n",
    "empty": b"\n",
    "short": b"1234\n",
    "undecodable": b"whsec_!!!not base64!!!\n",
}
ENVIRONMENT = {"GITHUB_SECRET": "yet another long secret"}


def store(directory: Path, *, allow_inline: bool = False) -> SecretStore:
    """Return a store with `CREDENTIALS` as files in a directory, and `ENVIRONMENT`."""
    for name, value in CREDENTIALS.items():
        (directory / name).write_bytes(value)
    return SecretStore(
        credentials_dir=directory, environment=ENVIRONMENT, allow_inline=allow_inline, base_dir=directory
    )


def load(directory: Path, files: Mapping[str, bytes | str], *, allow_inline: bool = False) -> Loaded:
    """Load files with those secrets."""
    loader = Loader(secrets=store(directory, allow_inline=allow_inline), allow_inline_secrets=allow_inline)
    return loader.load({name: text.encode() if isinstance(text, str) else text for name, text in files.items()})
