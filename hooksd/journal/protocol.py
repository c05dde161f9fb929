"""What the engine, deliveries and the web know of the log. Implementations: `journal.file`, `journal.memory`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from typing import Any, Protocol

from hooksd.errors import JournalError
from hooksd.model.arrival import EventLine
from hooksd.model.record import Record


class Durable(Protocol):
    """What becomes of records that were queued. Implementation: `journal.receipt`."""

    def __await__(self) -> Generator[Any, None, None]:
        """Return when they are durable; raise what `Journal.append` says."""
        ...

    def then(self, told: Callable[[JournalError | None], None]) -> None:
        """Call a function when they are durable, or with the reason why they will not be; at once if that is known.

        Functions are called in the order of these calls, on the event loop's thread, which waits for them.
        """
        ...


class Journal(Protocol):
    """An append-only sequence of records, with blobs beside it."""

    def append(self, records: Sequence[Record | EventLine]) -> Durable:
        """Queue records, in order; the result is done when they are durable.

        Records are in the log in the order of the calls, so what a later one builds on is durable before it. A caller
        who answers somebody awaits; who drops the result can do without the record, because a full log refuses it
        together with everything that waits behind it. On the event loop's thread only; never blocks.

        Raises:
            JournalFull: (when awaited) nothing was written; try again later.
            JournalBroken: (when awaited) the log is at its end; the process must stop.
            ValueError: (at once) a record holds what JSON cannot. None of the records is queued.
        """
        ...

    def read(self) -> Iterator[Record]:
        """Yield every record that recovery needs, oldest first. Called once, before the first append."""
        ...

    def put_blob(self, data: bytes) -> Awaitable[str]:
        """Keep bytes under their SHA-256 (`sha256:<hex>`), durable when the result is done; the same bytes once.

        Raises:
            JournalFull: (when awaited) there is no room.
        """
        ...

    def blob(self, digest: str) -> bytes:
        """Return the bytes of a blob.

        Raises:
            KeyError: There is no such blob.
        """
        ...

    async def close(self) -> None:
        """Make everything queued durable and let go of the files."""
        ...
