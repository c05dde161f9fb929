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
    secrets = store(directory, allow_inline=allow_inline)
    loader = Loader(secrets=secrets, allow_inline_secrets=allow_inline, can_mail=False)
    return loader.load({name: text.encode() if isinstance(text, str) else text for name, text in files.items()})


def found(directory: Path, files: Mapping[str, bytes | str]) -> list[str]:
    """Load files and return `FILE:LINE:COLUMN CODE` of everything that is wrong with them."""
    diagnostics = load(directory, files).diagnostics
    return [f"{item.file}:{item.line}:{item.column} {item.code}" for item in diagnostics]


def hints(directory: Path, text: str, code: str) -> list[str | None]:
    """Load one TOML file and return the hints of its diagnostics of one code."""
    return [item.hint for item in load(directory, {"a.toml": text}).diagnostics if item.code == code]


def messages(directory: Path, text: str, *codes: str) -> list[str]:
    """Load one TOML file and return the messages of its diagnostics of some codes."""
    return [item.message for item in load(directory, {"a.toml": text}).diagnostics if item.code in codes]
