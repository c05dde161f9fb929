from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Iterator

import pytest

from hooksd.daemon import memory
from hooksd.daemon.judge import at_once
from tests.config.sets import snapshot, workflow


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """Leave the interpreter as it was."""
    before = sys.getswitchinterval()
    yield
    gc.enable()
    gc.unfreeze()
    sys.setswitchinterval(before)


def test_a_set_is_freed_piece_by_piece_and_wholly() -> None:
    known = snapshot({f"w{number}.toml": workflow('"x"') for number in range(3)})
    gone = [weakref.ref(item.value) for item in known.workflows.values()]
    pieces = memory.pieces_of(known)
    del known
    assert all(item() is not None for item in gone)
    memory.let_go(pieces, at_once)
    assert [item() for item in gone] == [None] * 3


def test_letting_go_of_a_set_that_is_still_used_takes_nothing_from_it() -> None:
    known = snapshot({"w.toml": workflow('"x"')})
    memory.let_go(memory.pieces_of(known), at_once)
    assert known.workflows["w"].steps


def test_what_is_made_in_the_background_is_not_looked_through_afterwards() -> None:
    with memory.in_the_background():
        kept = [[number] for number in range(100)]
    assert gc.get_freeze_count() >= len(kept)
    assert not any(item is kept for item in gc.get_objects())


class Circle:
    """Refers to itself."""

    itself: Circle


def test_garbage_from_before_is_not_kept() -> None:
    circle = Circle()
    circle.itself = circle
    gone = weakref.ref(circle)
    del circle
    with memory.in_the_background():
        assert gone() is None


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    with memory.in_the_background():
        pass
    assert not gc.isenabled()


def test_whoever_works_long_gives_way_each_half_millisecond_and_not_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    rests = []
    monkeypatch.setattr(threading.Event, "wait", lambda _, seconds: rests.append(seconds))
    now = [100.0]
    turns = memory.Turns(lambda: now[0])
    for _ in range(10):
        now[0] += memory.TURN / 4
        turns()
    assert rests == [memory.REST] * 2
