"""Puts files on the disk for `save`: each entirely or not at all, below a directory that no link leads out of.

The directory that the role allows may be reached through links: whoever wrote the role chose it. Below it every part is
opened by itself, and one that is a link is refused, so that nobody who can write there can lead a file elsewhere. A
file is written beside its place under a name that belongs to the step, synced, and linked or renamed into place; doing
it again after a crash finds what is there already.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from hooksd.model.base import Json
from hooksd.model.effect import Performed, SavedFile, SaveFiles
from hooksd.model.received import numbered

_PIECE = 256 * 1024
_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class _Refused(Exception):
    """The file cannot be put there. The message says why."""


class FileSaver:
    """Puts files on the disk."""

    def __init__(self, *, locate: Callable[[str], Path], home: Path) -> None:
        """Take where things are.

        Args:
            locate: Returns the path of a blob.
            home: The directory that relative paths begin at; it is made when it is needed.
        """
        self._locate = locate
        self._home = home

    async def save(self, effect: SaveFiles) -> Performed:
        """Put files on the disk, one after the other; the first that cannot be put ends it, and those before stay."""
        return await asyncio.to_thread(self._save, effect)

    def _save(self, effect: SaveFiles) -> Performed:
        saved: list[Json] = []
        for index, (file, base) in enumerate(zip(effect.files, effect.bases, strict=True)):
            scratch = f".hooksd-{hashlib.sha256(f'{effect.id}/{index}'.encode()).hexdigest()[:24]}"
            try:
                saved.append(self._put(file, base, scratch, effect.on_exists))
            except (OSError, _Refused) as error:
                reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
                return Performed(ok=False, error=f"{file.path}: {reason}", output=saved)
        return Performed(ok=True, output=saved[0] if effect.is_one else saved)

    def _put(self, file: SavedFile, base: str, scratch: str, on_exists: str) -> Json:
        root = base
        if not file.path.startswith("/"):
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            root = str(self._home)
        below = file.path[len(base) :].strip("/") if file.path.startswith("/") else file.path
        *folders, name = below.split("/")
        with _folder(root or "/", folders) as folder:
            digest, size = self._write(file, scratch, folder)
            try:
                placed, state = _place(scratch, name, folder, on_exists, digest)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(scratch, dir_fd=folder)
            os.fsync(folder)
        path = "/".join([*([root.rstrip("/")] if root else []), *folders, placed])
        return {"path": path, "name": placed, "size": size, "sha256": digest, "state": state}

    def _write(self, file: SavedFile, scratch: str, folder: int) -> tuple[str, int]:
        """Write a file beside its place, and return its digest and size."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(scratch, dir_fd=folder)  # what a crash left of the same step
        found, size = hashlib.sha256(), 0
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o666, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "wb") as target:
                for piece in self._pieces(file):
                    target.write(piece)
                    found.update(piece)
                    size += len(piece)
                _check(file, found.hexdigest())
                target.flush()
                os.fsync(target.fileno())
        except BaseException:
            os.unlink(scratch, dir_fd=folder)
            raise
        return found.hexdigest(), size

    def _pieces(self, file: SavedFile) -> Iterator[bytes]:
        if file.digest is None:
            yield file.data
            return
        try:
            source = self._locate(file.digest).open("rb")
        except FileNotFoundError as error:
            raise _Refused("the file of the request is not there any more") from error
        with source:
            while piece := source.read(_PIECE):
                yield piece


def _check(file: SavedFile, sha256: str) -> None:
    if file.digest is not None and file.digest != f"sha256:{sha256}":
        raise _Refused("the file of the request is damaged")


@contextlib.contextmanager
def _folder(root: str, folders: list[str]) -> Iterator[int]:
    """Open a directory below another, making what is missing and following no link on the way."""
    descriptor = os.open(root, _FOLDER)
    try:
        for part in folders:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, dir_fd=descriptor)
                os.fsync(descriptor)
            try:
                inner = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=descriptor)
            except OSError as error:
                if error.errno in {errno.ELOOP, errno.ENOTDIR}:
                    raise _Refused(f"{part!r} on the way is a link, or no directory") from error
                raise
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def _place(scratch: str, name: str, folder: int, on_exists: str, digest: str) -> tuple[str, str]:
    """Give a written file its name; return the name, and whether it was `saved`, there already, or `kept` away."""
    if on_exists == "replace":
        os.replace(scratch, name, src_dir_fd=folder, dst_dir_fd=folder)
        return name, "saved"
    for candidate in numbered(name):
        try:
            os.link(scratch, candidate, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        except FileExistsError:
            if _digest(candidate, folder) == digest:
                return candidate, "unchanged"
            if on_exists == "keep":
                return candidate, "kept"
            if on_exists == "fail":
                raise _Refused("there is another file with this name; `on_exists` says what to do then") from None
        else:
            return candidate, "saved"
    raise _Refused("there are too many files with this name")


def _digest(name: str, folder: int) -> str | None:
    """Return the SHA-256 of a file; None of anything else."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | _FLAGS, dir_fd=folder)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
