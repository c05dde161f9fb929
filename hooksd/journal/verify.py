"""Check every line of a log, whether a daemon writes it or none does. Used by `hooksd log verify`.

Nothing is written and no lock is taken. What recovery steps over is found here too, and more: files that are not what
they were when they were closed, and bodies that records name and that are not there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hooksd.journal import blobs, codec
from hooksd.journal.scan import START, Damage, Found, Link, torn_from, walk
from hooksd.journal.segment import segment_name, segment_number
from hooksd.model.record import DeliveryCreated, EventAccepted, Record, SegmentStarted, StepEnded
from hooksd.model.stored import StoredBody

Kind = Literal["torn", "flipped", "damaged", "missing", "unreadable", "changed", "body"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something in the log that is not as it was written."""

    segment: str
    """The name of the file."""
    offset: int
    """Where in it, in bytes."""
    line: int
    """The same, as a line from 1."""
    kind: Kind
    message: str
    """For people: what it is and what it means."""


class Verification:
    """One pass over a log. `records` and `segments` say how much was read so far."""

    def __init__(self, directory: Path, wait: Callable[[], None]) -> None:
        """Take the directory of the log.

        Args:
            directory: It need not exist.
            wait: Returns after a moment: the end of a log that is being written may be half written.
        """
        self._directory = directory
        self._wait = wait
        self._bodies: dict[str, str | None] = {}
        self.segments = 0
        self.records = 0

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong, in the order of the log.

        Raises:
            OSError: A file cannot be read.
        """
        numbers = self._numbers()
        link: Link | None = START if numbers[:1] == [1] else None
        digest: str | None = None
        for number in numbers:
            data = self._read(number, last=number == numbers[-1])
            if data is None:
                continue  # retention removed it meanwhile
            self.segments += 1
            torn = torn_from(data) if number == numbers[-1] else None
            for item in walk(data[:torn], link):
                if isinstance(item, Found):
                    link = item.link
                yield from (self._problem(number, data, *one) for one in self._judge(item, digest))
            if torn is not None:
                text = f"{len(data) - torn} bytes of a write that a crash cut off; the next start sets them aside"
                yield self._problem(number, data, torn, "torn", text)
            digest = hashlib.sha256(data).hexdigest()

    def _numbers(self) -> list[int]:
        if not self._directory.is_dir():
            return []
        return sorted(number for path in self._directory.iterdir() if (number := segment_number(path.name)) is not None)

    def _read(self, number: int, *, last: bool) -> bytes | None:
        path = self._directory / segment_name(number)
        try:
            data = path.read_bytes()
            if last and torn_from(data) is not None:
                self._wait()
                data = path.read_bytes()
        except FileNotFoundError:
            return None
        return data

    def _problem(self, number: int, data: bytes, offset: int, kind: Kind, message: str) -> Problem:
        line = data.count(b"\n", 0, offset) + 1
        return Problem(segment=segment_name(number), offset=offset, line=line, kind=kind, message=message)

    def _judge(self, item: Found | Damage, before: str | None) -> Iterator[tuple[int, Kind, str]]:
        match item:
            case Damage(size=0):
                yield item.offset, "missing", "records are missing before this line"
            case Damage():
                yield item.offset, "damaged", f"{item.size} bytes are not records; recovery steps over them"
            case Found():
                self.records += 1
                if item.flipped:
                    yield item.offset, "flipped", "one bit is wrong; recovery reads what was written"
                for kind, message in self._judge_record(item, before):
                    yield item.offset, kind, message

    def _judge_record(self, found: Found, before: str | None) -> Iterator[tuple[Kind, str]]:
        try:
            record = codec.record_of(codec.tree_of(found.line))
        except codec.UnknownRecord:
            return
        except ValueError as error:
            yield "unreadable", f"the line is whole and no record of this version: {error}"
            return
        if isinstance(record, SegmentStarted):
            if before is not None and record.previous_sha256 not in (None, before):
                yield "changed", "the file before this one is not what it was when this one began"
            return
        for digest in bodies_of(record):
            problem = self._body(digest)
            if problem is not None:
                yield "body", problem

    def _body(self, digest: str) -> str | None:
        if digest not in self._bodies:
            self._bodies[digest] = self._look_at(digest)
        return self._bodies[digest]

    def _look_at(self, digest: str) -> str | None:
        try:
            data = (self._directory / blobs.path_of(digest)).read_bytes()
        except FileNotFoundError:
            return f"the body {digest} is missing"
        except KeyError:
            return f"{digest!r} is not the name of a body"
        return None if blobs.digest_of(data) == digest else f"the body {digest} is damaged"


def bodies_of(record: Record) -> tuple[str, ...]:
    """Return the digests of the bodies and definitions that a record names."""
    match record:
        case EventAccepted():
            return (*_kept(record.event.body), *(plan.definition for plan in record.runs))
        case DeliveryCreated():
            return _kept(record.body)
        case StepEnded(output_blob=str(digest)):
            return (digest,)
        case _:
            return ()


def _kept(body: StoredBody) -> tuple[str, ...]:
    return (str(body.content),) if body.encoding == "blob" else ()
