"""A disk in memory that can lose power at any step, and says what it may hold then.

It is worse than any real one: what was not synced is lost, kept, cut anywhere, filled with zeros or noise, or kept
sector by sector in any order; and a name that was not synced is there or not, independently of all others.
"""

from __future__ import annotations

import copy
import errno
import itertools
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hooksd.journal.disk import Disk, Handle, Scratch

SECTOR = 512
PLENTY = 1 << 40


@dataclass(slots=True, kw_only=True)
class File:
    """One file: what processes see, and what is certain to survive."""

    live: bytes = b""
    medium: bytes = b""
    ghosts: list[bytes] = field(default_factory=list)
    """What it held before it was cut, since it was last synced: that may have reached the medium."""
    lies: bool = False
    """A sync failed: the cache shows what the medium does not hold."""

    @property
    def is_certain(self) -> bool:
        return self.live == self.medium and not self.ghosts


@dataclass(slots=True, kw_only=True)
class State:
    """Everything that survives, or may."""

    files: list[File] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    """As processes see them: the place of the file in `files`."""
    pending: list[tuple[str, int | None]] = field(default_factory=list)
    """Changes of names that were not synced, in order; None: removed."""
    certain: dict[str, int] = field(default_factory=dict)
    """Names that are certain to survive."""


class SimulatedDisk:
    """One directory. `on_step` is called before each thing that reaches the medium, and may look at `state`."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or State()
        self.on_step: Callable[[str], None] = lambda _: None
        self.room: int | None = None
        """Bytes that can still be written; None for as many as you like."""
        self.chance = random.Random(1)  # noqa: S311 - a test, not a secret
        self._faults: dict[str, list[int]] = {}

    def fail(self, operation: str, *errors: int) -> None:
        """Let the next calls of an operation fail, each with its error."""
        self._faults.setdefault(operation, []).extend(errors)

    def heal(self) -> None:
        self._faults.clear()
        self.room = None

    def step(self, operation: str) -> None:
        self.on_step(operation)
        faults = self._faults.get(operation)
        if faults:
            code = faults.pop(0)
            raise OSError(code, os.strerror(code))

    def file(self, name: str) -> File:
        if name not in self.state.names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        return self.state.files[self.state.names[name]]

    def lock(self) -> None:
        pass

    def unlock(self) -> None:
        pass

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(name for name in self.state.names if "/" not in name))

    def tree(self, folder: str) -> Iterator[str]:
        return iter([name for name in self.state.names if name.startswith(f"{folder}/")])

    def size(self, name: str) -> int | None:
        return len(self.file(name).live) if name in self.state.names else None

    def head(self, name: str, size: int) -> bytes:
        return self.file(name).live[:size]

    def read(self, name: str, *, medium: bool = False) -> bytes:
        file = self.file(name)
        if medium:
            if file.lies:
                file.live = file.medium
                file.lies = False
            file.medium = file.live
            file.ghosts = []
        return file.live

    def open(self, name: str, *, new: bool) -> Handle:
        self.step("open")
        if new:
            if name in self.state.names:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)
            self._link(name, File())
            self._sync_names()
        return SimulatedHandle(self, self.file(name))

    def save(self, name: str, data: bytes) -> None:
        self.step("save")
        self._link(name, File(live=data, medium=data))
        self._sync_names()

    def scratch(self) -> Scratch:
        return SimulatedScratch(self)

    def remove(self, name: str, *, sync: bool = True) -> None:
        self.step("remove")
        self.file(name)
        del self.state.names[name]
        self.state.pending.append((name, None))
        if sync:
            self._sync_names()

    def free(self) -> int:
        return PLENTY

    def _link(self, name: str, file: File) -> None:
        self.state.files.append(file)
        self.state.names[name] = len(self.state.files) - 1
        self.state.pending.append((name, len(self.state.files) - 1))

    def _sync_names(self) -> None:
        self.step("sync names")
        self.state.certain = dict(self.state.names)
        self.state.pending = []


class SimulatedScratch:
    """A file that is nowhere until it is kept."""

    def __init__(self, disk: SimulatedDisk) -> None:
        self._disk = disk
        self._data = b""

    def write(self, data: bytes) -> None:
        self._disk.step("write scratch")
        self._data += data

    def keep(self, name: str) -> None:
        self._disk.save(name, self._data)

    def discard(self) -> None:
        self._data = b""


class SimulatedHandle:
    def __init__(self, disk: SimulatedDisk, file: File) -> None:
        self._disk = disk
        self._file = file

    def write(self, data: memoryview) -> int:
        self._disk.step("write")
        if self._disk.room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = bytes(data if self._disk.room is None else data[: self._disk.room])
        if self._disk.room is not None:
            self._disk.room -= len(written)
        self._file.live += written
        return len(written)

    def truncate(self, size: int) -> None:
        self._disk.step("truncate")
        self._file.ghosts.append(self._file.live)
        self._file.live = self._file.live[:size]

    def sync(self) -> None:
        try:
            self._disk.step("sync")
        except OSError:
            self._file.medium = self._disk.chance.choice(list(contents(self._file, self._disk.chance, 64)))
            self._file.lies = True
            raise
        self._file.medium = self._file.live
        self._file.ghosts = []

    def is_in_place(self, size: int) -> bool:
        return len(self._file.live) == size and any(
            self._disk.state.files[place] is self._file for place in self._disk.state.names.values()
        )

    def close(self) -> None:
        pass


def after_power_cut(state: State, chance: random.Random, stride: int) -> Iterator[SimulatedDisk]:
    """Yield what the disk may hold when the power comes back.

    Args:
        state: When it went.
        chance: For noise, and for the order of many sectors.
        stride: Files are cut at every so many bytes.
    """
    for names in _names(state):
        used = sorted(set(names.values()))
        uncertain = [place for place in used if not state.files[place].is_certain]
        choices = [list(contents(state.files[place], chance, stride)) for place in uncertain]
        for chosen in itertools.product(*choices):
            held = dict(zip(uncertain, chosen, strict=True))
            files = [File(live=held.get(place, state.files[place].medium)) for place in used]
            for file in files:
                file.medium = file.live
            there = {name: used.index(place) for name, place in names.items()}
            yield SimulatedDisk(State(files=files, names=there, certain=dict(there)))


def _names(state: State) -> Iterator[dict[str, int]]:
    """Yield the names that there may be: each change that was not synced happened, or not."""
    seen: list[dict[str, int]] = []
    for happened in itertools.product((False, True), repeat=len(state.pending)):
        names = dict(state.certain)
        for (name, place), did in zip(state.pending, happened, strict=True):
            if did and place is None:
                names.pop(name, None)
            elif did and place is not None:
                names[name] = place
        if names not in seen:
            seen.append(names)
            yield names


def contents(file: File, chance: random.Random, stride: int) -> Iterator[bytes]:
    """Yield what a file may hold after a power cut."""
    yield file.medium
    if file.is_certain:
        return
    yield file.live
    yield from file.ghosts
    differs = (index for index, (one, other) in enumerate(zip(file.medium, file.live, strict=False)) if one != other)
    sure = next(differs, min(len(file.medium), len(file.live)))
    unsure = file.live[sure:]
    for size in range(0, len(unsure), stride):
        kept = file.live[: sure + size]
        yield kept
        yield kept + bytes(len(unsure) - size)
        yield kept + _noise(unsure[size:], chance)
    yield from _sectors(file.live, sure, chance)


def _noise(wanted: bytes, chance: random.Random) -> bytes:
    """Return noise that is not one bit away from what was wanted: that would be a flipped bit, and no crash."""
    while True:
        noise = chance.randbytes(len(wanted))
        if (int.from_bytes(noise) ^ int.from_bytes(wanted)).bit_count() != 1:
            return noise


def _sectors(live: bytes, sure: int, chance: random.Random) -> Iterator[bytes]:
    """Yield the file with some of its sectors written and the others zero, in every way that there is, or in some."""
    first = sure // SECTOR
    count = -(-len(live) // SECTOR) - first
    written = list(itertools.product((False, True), repeat=count)) if count <= 5 else []
    written = written or [tuple(chance.random() < 0.5 for _ in range(count)) for _ in range(32)]
    for sectors in written:
        data = bytearray(live)
        for index, kept in enumerate(sectors):
            start, end = max(sure, (first + index) * SECTOR), min(len(live), (first + index + 1) * SECTOR)
            if not kept:
                data[start:end] = bytes(end - start)
        yield bytes(data)


def snapshot(disk: SimulatedDisk) -> State:
    """Return the state of a disk as it is now, which later steps do not change."""
    return copy.deepcopy(disk.state)


_: type[Disk] = SimulatedDisk
