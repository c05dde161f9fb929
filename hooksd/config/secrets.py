"""Where secrets come from: systemd credentials, the environment and files, by reference.

The loader asks it to check that every secret is there; `config.build` asks it again for the values. Each call reads
anew, so that a rotated secret takes effect with the next load. Values are never part of a message.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from hooksd.config.diagnostics import did_you_mean
from hooksd.model.secret import Secret, is_reference

MAX_SIZE = 65536
"""The longest secret in bytes: a reference to something else by mistake must not be read whole."""

DIRECTORY_ID = "hooksd"
"""`LoadCredential=hooksd:DIRECTORY` of the unit makes each file NAME of a directory the credential `hooksd_NAME`
(systemd.exec(5)); it is found under both names."""

_CREDENTIAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class SecretProblem(Exception):
    """A secret cannot be had.

    Attributes:
        message: What is wrong; never holds a value.
        hint: What to do.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class SecretStore:
    """Reads secrets by reference."""

    def __init__(
        self, *, credentials_dir: Path | None, environment: Mapping[str, str], allow_inline: bool, base_dir: Path
    ) -> None:
        """Take the places to look in.

        Args:
            credentials_dir: Where `credential:NAME` finds the file NAME; None when there is none.
            environment: Where `env:NAME` looks.
            allow_inline: Take a text that is no reference as the secret itself, for trying things out.
            base_dir: What a relative `file:PATH` is relative to.
        """
        self._credentials_dir = credentials_dir
        self._environment = environment
        self._allow_inline = allow_inline
        self._base_dir = base_dir

    def get(self, ref: str) -> Secret:
        """Return the secret that a reference names, without the line end of its file.

        Raises:
            SecretProblem: It is missing, empty, unreadable or too long, or `ref` is a literal that is not allowed.
        """
        kind, _, name = ref.partition(":")
        if not is_reference(ref):
            if self._allow_inline:
                return Secret(_not_empty(ref.encode(), "the secret"))
            raise SecretProblem(
                "a secret stands in the file itself", 'refer to it: "credential:NAME", "env:NAME" or "file:PATH"'
            )
        if kind == "credential":
            return Secret(self._credential(name))
        if kind == "env":
            return Secret(self._variable(name))
        return Secret(_read(self._base_dir / name, f"`{ref}`"))

    def named(self, name: str) -> Secret:
        """Return what `{{ secrets.NAME }}` reads: the credential of that name.

        Raises:
            SecretProblem: As `get` does.
        """
        return self.get(f"credential:{name}")

    def _credential(self, name: str) -> bytes:
        where = f"`credential:{name}`"
        if not _CREDENTIAL.fullmatch(name):
            raise SecretProblem(f"{where} is no name of a credential", "letters, digits, `.`, `_` and `-` only")
        if self._credentials_dir is None:
            raise SecretProblem(
                f"{where} cannot be found: there is no credentials directory",
                "set `credentials_dir` (HOOKSD_CREDENTIALS_DIR), which a daemon reads when it starts, or let systemd "
                "provide one with LoadCredential=",
            )
        path = self._credentials_dir / name
        if not path.exists() and (prefixed := self._credentials_dir / f"{DIRECTORY_ID}_{name}").exists():
            path = prefixed
        if not path.exists():
            hint = did_you_mean(name, self._names()) or f"put a file `{name}` into the credentials directory"
            raise SecretProblem(f"{where} does not exist", hint)
        return _read(path, where)

    def _names(self) -> list[str]:
        try:
            return [entry.name for entry in os.scandir(self._credentials_dir)]
        except OSError:
            return []

    def _variable(self, name: str) -> bytes:
        where = f"`env:{name}`"
        if not _VARIABLE.fullmatch(name):
            raise SecretProblem(f"{where} is no name of an environment variable", "letters, digits and `_` only")
        if name not in self._environment:
            close = (other for other in self._environment if not other.startswith("_"))
            hint = did_you_mean(name, close) or "set it where hooksd is started"
            raise SecretProblem(f"{where} is not set in the environment", hint)
        return _not_empty(os.fsencode(self._environment[name]), where)


def _read(path: Path, where: str) -> bytes:
    try:
        # Non-blocking: a reference to a named pipe must not stop the load.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise SecretProblem(f"{where} is not a regular file", "name a file that holds the secret alone")
            data = file.read(MAX_SIZE + 1)
    except ValueError as error:  # a NUL in the path
        raise SecretProblem(f"{where} is no path", "name a file that holds the secret alone") from error
    except OSError as error:
        hint = "the user that hooksd runs as must be able to read it" if isinstance(error, PermissionError) else None
        raise SecretProblem(f"{where} cannot be read: {error.strerror}", hint) from error
    if len(data) > MAX_SIZE:
        raise SecretProblem(f"{where} is longer than {MAX_SIZE} bytes", "name a file that holds the secret alone")
    return _not_empty(data.removesuffix(b"\n").removesuffix(b"\r"), where)


def _not_empty(value: bytes, where: str) -> bytes:
    if not value.strip():
        raise SecretProblem(f"{where} is empty", "an empty secret protects nothing: put a random value there")
    return value
