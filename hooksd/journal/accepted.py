"""Which events with the id of a delivery the log holds, and which of their runs came to nothing. Read once at start.

The bytes are searched before anything is parsed: of a log of gigabytes only the lines that matter are looked at.
"""

from __future__ import annotations

import mmap
import re
from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from hooksd.clock import unix
from hooksd.journal import lines
from hooksd.journal.segment import segment_name, segment_number
from hooksd.model.base import Json

_STRING = rb'"((?:[^"\\]|\\.)*)"'
# Anchored at both ends of what it passes over: the same words in a body cannot be taken for it.
_HEAD = re.compile(
    rb'\{"at":"([^"]*)","revision":"[^"]*","event":\{"id":"(evt_[0-9a-f-]{36})","type":' + _STRING + rb',"source":'
    + _STRING + rb',"subject":(?:null|' + _STRING + rb'),"time":"[^"]*","trust":"[a-z]*","hop":[0-9]*,"cause":null,'
    rb'"webhook":(?:null|' + _STRING + rb'),"delivery_id":' + _STRING + rb","
)  # fmt: skip
_WITH_ID: Final = b'"delivery_id":"'
_ENDED: Final = b'"type":"run.ended"'
_DONE: Final = b'"status":"succeeded"'
_FINGERPRINT: Final = b'"fingerprint":"'
_FIRST_LINE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """An event that has an id: of the delivery that gave rise to it, or its publisher's own."""

    event: str
    webhook: str | None
    """Who received it; None: it was published over the admin listener."""
    source: str
    delivery_id: str
    fingerprint: str | None = None
    """Of the request, where the caller chose the id."""
    at: float
    """Unix seconds."""
    runs: int | None = None
    """How many it started; None: nobody needs to know."""
    undone: int = 0
    """How many of those ended and came to nothing."""


def accepted(
    directory: Path, *, since: float, unfinished: AbstractSet[str], settled: AbstractSet[str]
) -> Iterator[Accepted]:
    """Yield the events with ids, newest first.

    Args:
        directory: Of the log.
        since: Unix seconds; hardly any older one is yielded.
        unfinished: Events of which some run has not ended: of them it is told how many runs there are.
        settled: Ends of runs that are not counted as undone.
    """
    numbers = sorted(number for path in directory.iterdir() if (number := segment_number(path.name)) is not None)
    undone: Counter[str] = Counter()
    for number in reversed(numbers):
        path = directory / segment_name(number)
        if not path.stat().st_size:
            continue
        yield from _of_segment(path, undone, unfinished, settled)
        if _began(path) < since:
            return


def _of_segment(
    path: Path, undone: Counter[str], unfinished: AbstractSet[str], settled: AbstractSet[str]
) -> Iterator[Accepted]:
    found: list[Accepted] = []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for line in _holding(data, _ENDED):
            if _DONE not in line and (tree := _tree(line, "run.ended")) is not None and tree["status"] not in settled:
                undone[tree["event"]] += 1
        for line in _holding(data, _WITH_ID):
            item = _accepted(line, undone, unfinished)
            if item is not None:
                found.append(item)
    yield from reversed(found)


def _holding(data: mmap.mmap, mark: bytes) -> Iterator[bytes]:
    """Yield the lines that hold a mark, first to last, without their line feeds."""
    at = 0
    while (place := data.find(mark, at)) >= 0:
        end = data.find(b"\n", place)
        if end < 0:
            return
        yield data[data.rfind(b"\n", at, place) + 1 or at : end]
        at = end + 1


def _accepted(line: bytes, undone: Counter[str], unfinished: AbstractSet[str]) -> Accepted | None:
    match = _HEAD.match(line)
    if match is None or lines.unseal(line) is None:
        return None
    event = match[2].decode()
    is_open = event in unfinished or event in undone
    tree = _tree(line, "event.accepted") if is_open or _FINGERPRINT in line else None
    return Accepted(
        event=event,
        webhook=None if match[6] is None else _text(match[6]),
        source=_text(match[4]),
        delivery_id=_text(match[7]),
        fingerprint=None if tree is None else tree["event"].get("fingerprint"),
        at=unix(match[1].decode()),
        runs=len(tree["runs"]) if tree is not None and is_open else None,
        undone=undone.pop(event, 0),
    )


def _text(quoted: bytes) -> str:
    return str(orjson.loads(b'"%b"' % quoted))


def _tree(line: bytes, kind: str) -> dict[str, Json] | None:
    whole = lines.unseal(line)
    tree = None if whole is None else lines.tree_of(whole)
    return tree if tree is not None and tree.get("type") == kind else None


def _began(path: Path) -> float:
    """Return when a segment was begun; a damaged one is taken for a new one."""
    with path.open("rb") as file:
        whole = lines.unseal(file.readline(_FIRST_LINE).removesuffix(b"\n"))
    try:
        return float("inf") if whole is None else unix(str(lines.tree_of(whole).get("at")))
    except ValueError:
        return float("inf")
