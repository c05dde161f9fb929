"""Keys that are kept elsewhere: fetched in the background, used while they are not too old. Does no I/O itself.

A verifier asks a `Remote` for its keys and never waits; `daemon.keys` fetches what is due. Where nothing has been
fetched yet, the verdict is `keys_unavailable`, which callers are answered 503: they come back a moment later.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

REFRESH = 3600.0
"""Seconds after which keys are fetched anew."""
MAX_AGE = 24 * 3600.0
"""Seconds for which keys are used when they cannot be fetched anew: longer than most outages."""
RETRY = 60.0
"""Seconds between two requests for the same keys, whatever callers send."""
FIRST_RETRY = 10.0
"""Seconds between two attempts to get keys that there are none of yet."""
MAX_VISITS = 16
"""How many URLs may wait to be visited once; more are dropped."""

T = TypeVar("T")


class Remote(Generic[T]):
    """One document of keys elsewhere."""

    __slots__ = ("__weakref__", "_data", "_fetched", "_is_wanted", "_parse", "_tried", "_value", "url")

    def __init__(self, url: str, parse: Callable[[bytes], T]) -> None:
        """Name a document.

        Args:
            url: Where it is.
            parse: Makes keys of its bytes; raises ValueError when they are none.
        """
        self.url = url
        self._parse = parse
        self._data = b""
        self._value: T | None = None
        self._fetched = 0.0
        self._tried: float | None = None
        self._is_wanted = False

    @property
    def is_tried(self) -> bool:
        """Tell whether it was fetched, or could not be."""
        return self._tried is not None

    def value(self, now: float) -> T | None:
        """Return the keys at a Unix time; None: there are none that may be used now."""
        return None if self._value is None or now - self._fetched > MAX_AGE else self._value

    def ask_again(self, now: float) -> bool:
        """Ask for newer keys, because a key is not known; tell whether they come: at most one request a minute."""
        if self._tried is not None and 0 <= now - self._tried < RETRY:
            return False
        self._is_wanted = True
        return True

    def due(self, now: float) -> bool:
        """Tell whether the document should be fetched now."""
        if self._tried is None or now < self._tried:
            return True
        pause = FIRST_RETRY if self._value is None else RETRY
        is_old = self._value is None or self._is_wanted or now - self._fetched >= REFRESH
        return is_old and now - self._tried >= pause

    def received(self, data: bytes | None, now: float) -> bool:
        """Take what was fetched, None for nothing; tell whether there are keys in it. Older ones stay otherwise."""
        self._tried = now
        self._is_wanted = False
        try:
            found = None if data is None else self._parse(data)
        except ValueError:
            found = None
        if found is None:
            return False
        self._value, self._fetched, self._data = found, now, data or b""
        return True

    def learn(self, other: Remote[object]) -> None:
        """Take what another one of the same document has fetched, so that a changed definition need not wait for it."""
        if other.url == self.url and other._value is not None:
            self.received(other._data, other._fetched)


class Remotes:
    """All documents that verifiers in force want. One that nobody holds any more is not fetched again."""

    def __init__(self) -> None:
        """Begin with none."""
        self._known: weakref.WeakValueDictionary[str, Remote[object]] = weakref.WeakValueDictionary()
        self._visits: deque[str] = deque(maxlen=MAX_VISITS)

    def want(self, remote: Remote[T]) -> Remote[T]:
        """Have a document fetched as long as somebody holds what is returned. Any thread may call it."""
        for known in list(self._known.values()):
            remote.learn(known)
        self._known[f"{remote.url} {id(remote)}"] = remote  # type: ignore[assignment]  # it is only read as an object
        return remote

    def due(self, now: float) -> list[Remote[object]]:
        """Return what should be fetched now."""
        return [remote for remote in list(self._known.values()) if remote.due(now)]

    def visit(self, url: str) -> None:
        """Have a URL requested once, for what that makes the other side do."""
        if url not in self._visits:
            self._visits.append(url)

    def visits(self) -> list[str]:
        """Return the URLs to request, and forget them."""
        found = list(self._visits)
        self._visits.clear()
        return found
