"""Bytes too large for a record, kept in files named after their SHA-256: `blobs/ab/<sha256>`."""

from __future__ import annotations

import hashlib
import re

from hooksd.errors import JournalBroken, JournalFull
from hooksd.journal.disk import Disk
from hooksd.journal.segment import is_no_room

FOLDER = "blobs"

PROBE = 64 * 1024
"""Bytes of the body that is tried when it is asked whether there is room."""

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


def digest_of(data: bytes) -> str:
    """Return the name under which bytes are kept: `sha256:<hex>`."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def path_of(digest: str) -> str:
    """Return where the bytes of a digest are, relative to the directory of the log.

    Raises:
        KeyError: It is not a digest. Digests come from records; no other text becomes a path.
    """
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise KeyError(f"not a digest: {digest!r}")
    return f"{FOLDER}/{match[1][:2]}/{match[1]}"


def put(disk: Disk, data: bytes) -> str:
    """Keep bytes, durable on return, and return their digest. May run in any thread, several at a time.

    Raises:
        JournalFull: There is no room.
        JournalBroken: The medium does not take them.
    """
    digest = digest_of(data)
    path = path_of(digest)
    try:
        # Known bytes too: that a file has the name is no proof that it is on the medium.
        disk.save(path, data)
    except OSError as error:
        if is_no_room(error):
            raise JournalFull(f"no room for a body of {len(data)} bytes: {error.strerror}") from error
        raise JournalBroken(f"{path} cannot be written: {error}") from error
    return digest


def get(disk: Disk, digest: str) -> bytes:
    """Return the bytes of a digest.

    Raises:
        KeyError: There are none, or they are damaged.
    """
    path = path_of(digest)
    if disk.size(path) is None:
        raise KeyError(f"no blob {digest}")
    data = disk.read(path)
    if digest_of(data) != digest:
        raise KeyError(f"blob {digest} is damaged")
    return data


def is_room(disk: Disk) -> bool:
    """Tell whether a body finds room, by trying: files or a quota may be used up while bytes are free.

    What else is wrong, the next body will say.
    """
    try:
        scratch = disk.scratch()
        try:
            scratch.write(bytes(PROBE))
        finally:
            scratch.discard()
    except OSError as error:
        return not is_no_room(error)
    return True
