"""Which ids of deliveries were accepted a while ago, in as little memory as can be: 132 bytes for each.

An id is kept as a hash of 16 bytes, in one of a few generations, so that forgetting is letting go of the oldest one.
`web.duplicates` says what it means that an id is known.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

KEEP = 72 * 3600.0
"""Seconds. The longest schedule of retries that providers are known to have is three days."""
MOST = 1_000_000
"""Ids, of all webhooks: 132 MB. Beyond it the oldest are forgotten before their time."""
_LOW = (1 << 64) - 1
_GENERATIONS = 8
_FREED = 8
"""Entries of a forgotten generation that are let go of with each new one: all at once would hold up every caller."""

Entry = int | tuple[int, int]
"""The UUID of the event, alone or with a digest of the request."""


def key_of(webhook: str, delivery_id: str) -> int:
    """Return what stands for the id of a delivery to a webhook, in this process.

    Python's own hash of a text is SipHash with a key that no caller knows; two of them make 128 bits, at a tenth of the
    cost of a digest.
    """
    text = f"{webhook}\0{delivery_id}"
    return hash(text) << 64 ^ hash(text + "\1") & _LOW


def published_key(source: str, identifier: str) -> int:
    """Return what stands for the id of an event that was published: its source says whose id it is."""
    return key_of(f"\0{source}", identifier)  # no webhook has such a name


class _Generation(NamedTuple):
    began: float
    entries: dict[int, Entry]


class Remembered:
    """Entries by key, each for `keep` seconds and a little more."""

    def __init__(self, *, keep: float = KEEP, most: int = MOST) -> None:
        """Begin with nothing.

        Args:
            keep: For how many seconds, at least.
            most: How many entries, at most.
        """
        self.most = most
        """How many entries there can be."""
        self._span = keep / (_GENERATIONS - 1)
        self._keep = keep
        self._size = max(1, most // _GENERATIONS)
        self._generations: deque[_Generation] = deque()
        """The newest first."""
        self._newest: dict[int, Entry] = {}
        self._until = float("-inf")
        """When it is over."""
        self._dying: list[dict[int, Entry]] = []

    def __len__(self) -> int:
        """Return how many entries there are."""
        return sum(len(generation.entries) for generation in self._generations)

    def get(self, key: int) -> Entry | None:
        """Return what was put last; None when nothing was, or it is forgotten."""
        for _, entries in self._generations:
            if key in entries:
                return entries[key]
        return None

    def put(self, key: int, entry: Entry, now: float) -> None:
        """Remember.

        Args:
            key: From `key_of`.
            entry: What to remember.
            now: Unix seconds.
        """
        if now >= self._until or len(self._newest) >= self._size:
            self._begin(now)
        self._newest[key] = entry
        if self._dying:
            self._free()

    def drop(self, key: int) -> None:
        """Forget one."""
        for generation in self._generations:
            generation.entries.pop(key, None)

    def _begin(self, now: float) -> None:
        self._newest, self._until = {}, now + self._span
        self._generations.appendleft(_Generation(now, self._newest))
        while len(self._generations) > _GENERATIONS or self._is_over(self._generations[-1], now):
            self._dying.append(self._generations.pop().entries)

    def _is_over(self, generation: _Generation, now: float) -> bool:
        return generation.began + self._span + self._keep < now

    def _free(self) -> None:
        for _ in range(_FREED):
            if not self._dying[-1]:
                self._dying.pop()
                return
            self._dying[-1].popitem()
