"""Which bodies a segment names, so that those which no segment names any more can be removed.

Found by looking for digests anywhere in its bytes, whatever record they stand in: a type of a later version may name a
body too, and a digest in somebody's data costs a file that is kept too long, never one that is needed. What a closed
segment names is noted beside it in `log-<n>.names`: a cache.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from hooksd.clock import Clock
from hooksd.journal import blobs, codec
from hooksd.journal.disk import Disk
from hooksd.journal.segment import segment_name

NAMES = ".names"
"""What a closed segment names is noted in a file of its name and this."""
FRESH = 600.0
"""Seconds for which a body stays that was stored and not named yet. Its record follows at once, or when a full disk has
room again: then these seconds begin anew."""

_DIGEST = re.compile(rb"sha256:[0-9a-f]{64}")
_DEFINITION = re.compile(rb'"definition":"(sha256:[0-9a-f]{64})"')
_SLICE = 256 * 1024
"""Bytes that are searched at once: the event loop gets its turn in between."""
_LONGEST = 100
"""Bytes of the longest thing that is looked for, and some."""
_TURN = threading.Event()


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What one segment names."""

    blobs: Mapping[str, int]
    """The bodies that are kept: their digests and sizes in bytes."""
    definitions: frozenset[str]
    """Those of them that are definitions of workflows."""


class Fresh:
    """Bodies that were stored a short while ago. Safe to use from several threads."""

    def __init__(self, clock: Clock) -> None:
        """Take the clock that says what a while is."""
        self._clock = clock
        self._since: dict[str, float] = {}
        self.lock = threading.Lock()
        """Held while a body is marked, and while one is found unmarked and removed."""

    def mark(self, digest: str) -> None:
        """Say that a body is about to be stored."""
        with self.lock:
            self._since[digest] = self._clock.monotonic()

    def renew(self) -> None:
        """Take everything that is fresh for just stored: its records may have had to wait."""
        now = self._clock.monotonic()
        with self.lock:
            self._since = dict.fromkeys(self._since, now)

    def forget(self) -> None:
        """Let go of what was stored long ago."""
        before = self._clock.monotonic() - FRESH
        with self.lock:
            self._since = {digest: since for digest, since in self._since.items() if since > before}

    def __contains__(self, digest: str) -> bool:
        return digest in self._since


def of_closed(disk: Disk, number: int) -> Named:
    """Return what a closed segment names: as noted, or by reading it, and then it is noted.

    Raises:
        OSError: The segment does not let itself be read.
    """
    noted = _noted(disk, number)
    if noted is not None:
        return noted
    named = of(disk, number)
    tree = {"blobs": named.blobs, "definitions": sorted(named.definitions)}
    line, _ = codec.seal(orjson.dumps(tree), 0, 0, 0)
    try:
        disk.save(segment_name(number) + NAMES, line)
    except OSError:
        return named  # it will be read again
    return named


def _noted(disk: Disk, number: int) -> Named | None:
    name = segment_name(number) + NAMES
    if disk.size(name) is None:
        return None
    line = codec.unseal(disk.read(name).removesuffix(b"\n"))
    if line is None:
        return None
    tree = orjson.loads(line.text)
    return Named(blobs=tree["blobs"], definitions=frozenset(tree["definitions"]))


def of(disk: Disk, number: int) -> Named:
    """Return what a segment names, by reading it.

    Raises:
        OSError: It does not let itself be read.
    """
    data = disk.read(segment_name(number))
    digests: set[str] = set()
    definitions: set[str] = set()
    for start in range(0, len(data), _SLICE):
        end = start + _SLICE + _LONGEST
        digests.update(match[0].decode() for match in _DIGEST.finditer(data, start, end))
        definitions.update(match[1].decode() for match in _DEFINITION.finditer(data, start, end))
        _TURN.wait(0.0005)
    sizes = {digest: disk.size(blobs.path_of(digest)) for digest in sorted(digests)}
    return Named(
        blobs={digest: size for digest, size in sizes.items() if size is not None},
        definitions=frozenset(definitions),
    )
