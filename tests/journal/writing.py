"""A process that writes a log until it is killed, and says on standard output what is durable.

python writing.py DIRECTORY TASKS FIRST SEGMENT_SIZE
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from pathlib import Path

from hooksd.journal.file import FileJournal
from hooksd.model.record import RequestRefused


async def write(directory: Path, tasks: int, first: int, segment_size: int) -> None:
    journal = FileJournal(directory, segment_size=segment_size)
    journal.open()
    for _ in journal.read():
        pass
    numbers = itertools.count(first)

    async def one() -> None:
        for number in numbers:
            await journal.append(
                [RequestRefused(at="2026-11-22T03:28:00.123Z", webhook=None, reason="x" * (number % 700),
                                status=401, peer="192.0.2.7", count=number)]
            )  # fmt: skip
            os.write(1, b"%d\n" % number)

    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(one())


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
