"""hooksd that kills itself at one boundary of a delivery: what is in front of `python -m hooksd serve`.

A boundary is the write of a record, or the reading of an answer. `before` it the record is with the writer and not in
the file, or the answer is there and nobody has looked at it; `after` it the record is on disk and nobody knows, or the
answer has been read to its end and nothing came of it yet. What the kill found is left with a witness.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import runpy
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from hooksd.delivery import transport
from hooksd.delivery.transport_connection import Connection
from hooksd.delivery.transport_wire import Wire
from hooksd.journal import file
from hooksd.journal.disk import FileDisk, Handle

RECORDS = {
    "accepted": "event.accepted",
    "started": "attempt.started",
    "finished": "delivery.ended",
}
"""Boundaries that are the write of a record."""
ANSWERED = "answered"
"""The boundary that is the reading of an answer."""
BOUNDARIES = ("accepted", "started", ANSWERED, "finished")
"""In the order in which a delivery comes to them."""
SIDES = ("before", "after")
Place = tuple[str, str]
"""A delivery, and the seal of the record that is the boundary, which no other record has; empty for an answer."""


class Trap:
    """Counts how often one boundary is reached, and kills the process at one of them."""

    def __init__(self, boundary: str, side: str, number: int, witness: Path) -> None:
        """Set it.

        Args:
            boundary: One of `RECORDS`, or `ANSWERED`.
            side: Of the boundary: one of `SIDES`.
            number: Which one of this life, from 1.
            witness: A file for the places at which the process was killed.
        """
        self._boundary = boundary
        self._side = side
        self._left = number
        self._witness = witness
        self._caught: list[Place] = []

    def reach(self, places: list[Place]) -> None:
        """Kill the process, or get ready for it, if these are the ones."""
        if self._caught or not places:
            return
        self._left -= len(places)
        if self._left <= 0:
            self._caught = places
            self._spring("before")

    def leave(self) -> None:
        """Kill the process behind the boundary that was reached."""
        if self._caught:
            self._spring("after")

    def _spring(self, side: str) -> None:
        if side == self._side:
            self._witness.write_bytes(orjson.dumps(self._caught))
            os.kill(os.getpid(), signal.SIGKILL)

    def at_writes(self, data: bytes) -> None:
        """Look for the boundary in lines that are about to be written."""
        kind = RECORDS.get(self._boundary)
        records = [orjson.loads(line) for line in data.splitlines()] if kind else []
        found = [place for record in records if record["type"] == kind for place in _places(record)]
        if kind == "attempt.started":
            # Nobody waits for this record, so what follows may be in the same write: then there is nothing between.
            ended = {record["delivery"] for record in records if record["type"] == "attempt.ended"}
            found = [place for place in found if place[0] not in ended]
        self.reach(found)

    def at_answer(self, delivery: str) -> None:
        """Look whether the boundary is the answer to this delivery."""
        if self._boundary == ANSWERED:
            self.reach([(delivery, "")])

    def behind_answer(self) -> None:
        """The answer has been read."""
        if self._boundary == ANSWERED:
            self.leave()

    def behind_sync(self) -> None:
        """What was written is on disk."""
        if self._boundary in RECORDS:
            self.leave()


def _places(record: dict[str, Any]) -> Iterator[Place]:
    if record["type"] == "event.accepted":
        yield from ((plan["id"], record["_"]) for plan in record["deliveries"])
    else:
        yield record["delivery"], record["_"]


class TrappedHandle:
    """A file of the log."""

    def __init__(self, handle: Handle, trap: Trap) -> None:
        self._handle = handle
        self._trap = trap
        self.truncate = handle.truncate
        self.is_in_place = handle.is_in_place
        self.close = handle.close

    def write(self, data: memoryview) -> int:
        self._trap.at_writes(bytes(data))
        return self._handle.write(data)

    def sync(self) -> None:
        self._handle.sync()
        self._trap.behind_sync()


def trapped_disk(trap: Trap) -> type[FileDisk]:
    """Return a disk whose files are trapped."""

    class TrappedDisk(FileDisk):
        def open(self, name: str, *, new: bool) -> Handle:
            return TrappedHandle(super().open(name, new=new), trap)

    return TrappedDisk


def trapped_connection(trap: Trap) -> type[Connection]:
    """Return a connection that is trapped where its answers come."""

    class TrappedConnection(Connection):
        asked: tuple[str, Wire] | None = None

        def ask(self, written: bytes, wire: Wire) -> asyncio.Future[None]:
            self.asked = _header(written, b"webhook-id"), wire
            return super().ask(written, wire)

        def data_received(self, data: bytes) -> None:
            delivery, wire = self.asked or ("", None)
            if wire is not None and "first_byte" not in wire.reached:
                trap.at_answer(delivery)
            super().data_received(data)
            if wire is not None and wire.is_whole:
                trap.behind_answer()

    return TrappedConnection


def _header(written: bytes, name: bytes) -> str:
    lines = (line.partition(b":") for line in written.partition(b"\r\n\r\n")[0].splitlines())
    return next(value.strip() for key, _, value in lines if key == name).decode()


def command(boundary: str, side: str, number: int, witness: Path) -> tuple[str, ...]:
    """Return what to put in front of the command that starts the daemon; the arguments are those of `Trap`."""
    return (sys.executable, __file__, boundary, side, str(number), str(witness))


def main() -> None:
    """Set the trap and become `python -m hooksd ...`."""
    boundary, side, number, witness, *rest = sys.argv[1:]
    trap = Trap(boundary, side, int(number), Path(witness))
    vars(file)["FileDisk"] = trapped_disk(trap)
    vars(transport)["Connection"] = trapped_connection(trap)
    sys.argv = list(itertools.dropwhile(lambda argument: argument != "hooksd", rest))
    sys.path[0] = ""
    runpy.run_module("hooksd", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
