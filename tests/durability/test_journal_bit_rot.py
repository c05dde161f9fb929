"""One flipped bit at each of 2,000 places of a log: it is noticed, its place is named, and no record is lost."""

from __future__ import annotations

import copy
import random

from hooksd.model.record import RequestRefused
from tests.durability.simulated_disk import SimulatedDisk
from tests.durability.synchronous_log import SynchronousLog
from tests.journal import samples

PLACES = 2000
LIVES = 2
RECORDS = 20
"""In each life, in batches of one to three."""


def written(chance: random.Random) -> tuple[SimulatedDisk, int]:
    """Return a log with a segment for each life, and how many records it has."""
    disk = SimulatedDisk()
    number = 0
    for _ in range(LIVES):
        log = SynchronousLog(disk)
        for _ in range(RECORDS):
            batch = [samples.refused(number + index, chance.randrange(90)) for index in range(chance.randrange(1, 4))]
            log.append(batch)
            number += len(batch)
    return disk, number


def test_one_flipped_bit_is_always_noticed_and_never_costs_a_record() -> None:
    chance = random.Random(11)  # noqa: S311 - a test, not a secret
    whole, records = written(chance)
    segments = [name for name in whole.names() if name.endswith(".jsonl")]
    for index in range(PLACES):
        # Half of the places lie in the last segment, where a torn end is looked for.
        name = segments[index % LIVES]
        disk = SimulatedDisk(copy.deepcopy(whole.state))
        data = bytearray(disk.file(name).live)
        offset = chance.randrange(len(data))
        data[offset] ^= 1 << chance.randrange(8)
        disk.file(name).live = disk.file(name).medium = bytes(data)

        log = SynchronousLog(disk)

        counts = [record.count for record in log.records if isinstance(record, RequestRefused)]
        assert counts == list(range(records)), f"lost by {name} {offset}"
        places = [(damage.offset, damage.offset + damage.size) for damage in log.damages if damage.segment == name]
        assert any(start <= offset < end for start, end in places), f"nobody was told of {name} {offset}"
