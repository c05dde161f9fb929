"""A journal that forgets: for tests, and for trying things out without a directory."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

import orjson

from hooksd.errors import JournalBroken, JournalError
from hooksd.journal import codec
from hooksd.journal.protocol import Durable, Journal
from hooksd.journal.receipt import Receipt, settled
from hooksd.model.arrival import EventLine
from hooksd.model.record import Record


class MemoryJournal:
    """Keeps every record in a list. What the codec could not write is refused here too."""

    def __init__(self, records: Iterable[Record] = (), blobs: Mapping[str, bytes] | None = None) -> None:
        """Begin with what an earlier life left.

        Args:
            records: What `read` yields, oldest first.
            blobs: Bytes by digest (`sha256:<hex>`).
        """
        self.records: list[Record] = list(records)
        """Every record, oldest first, as it was given."""
        self.blobs: dict[str, bytes] = dict(blobs or {})
        """Bytes by digest."""
        self._error: JournalError | None = None
        self._closed = False

    def fail_with(self, error: JournalError | None) -> None:
        """Refuse what is appended from now on with `error`; None: take it again."""
        self._error = error

    def append(self, records: Sequence[Record | EventLine]) -> Durable:  # noqa: D102 - see Journal
        for record in records:
            codec.dump(record)
        if self._refusal is not None:
            return settled(self._refusal)
        self.records.extend(_whole(record) for record in records)
        receipt = Receipt()
        # Not at once: a caller who relies on it would find out only with the real log.
        asyncio.get_running_loop().call_soon(receipt.settle, None)
        return receipt

    def read(self) -> Iterator[Record]:  # noqa: D102 - see Journal
        for record in tuple(self.records):
            yield codec.record_of(orjson.loads(codec.dump(record)))

    async def put_blob(self, data: bytes) -> str:  # noqa: D102 - see Journal
        if self._refusal is not None:
            raise self._refusal
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.blobs[digest] = bytes(data)
        return digest

    @property
    def folder(self) -> str:
        """Where blobs would be if they were anywhere."""
        return "/nowhere"

    def receive(self) -> MemoryIncoming:
        """Begin a body that comes piece by piece and becomes a blob.

        Raises:
            JournalError: Nothing is taken.
        """
        if self._refusal is not None:
            raise self._refusal
        return MemoryIncoming(self)

    def blob(self, digest: str) -> bytes:  # noqa: D102 - see Journal
        return self.blobs[digest]

    async def close(self) -> None:  # noqa: D102 - see Journal
        self._closed = True

    @property
    def _refusal(self) -> JournalError | None:
        return JournalBroken("the log is closed") if self._closed else self._error


class MemoryIncoming:
    """A body on its way, as `journal.incoming.Incoming`."""

    def __init__(self, journal: MemoryJournal) -> None:
        self._journal = journal
        self._data = b""
        self.size = 0
        """Bytes so far."""

    async def write(self, data: bytes) -> None:
        """Add a piece."""
        self._data += data
        self.size += len(data)

    async def keep(self) -> str:
        """Make it a blob and return its digest."""
        return await self._journal.put_blob(self._data)

    def discard(self) -> None:
        """Throw it away, unless it is a blob already."""
        self._data = b""


def _whole(record: Record | EventLine) -> Record:
    return codec.record_of(orjson.loads(record.text)) if isinstance(record, EventLine) else record


_: type[Journal] = MemoryJournal
