from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from hooksd.journal.accepted import Accepted
from hooksd.model.ids import EventId, IdFactory
from hooksd.testing import FakeClock
from hooksd.web.duplicates import SETTLED, Acceptance, Duplicates, Known
from hooksd.web.remembered import KEEP, Remembered, key_of, published_key

KEY = key_of("github", "d-1")


class Place:
    """A clock, ids made by it, and what is known."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.ids = IdFactory(self.clock.now, lambda: 5)
        self.duplicates = Duplicates(self.clock.now)

    def accept(self, key: int = KEY, runs: int = 1) -> EventId:
        """Accept an event, and return it."""
        event = self.ids.event()
        self.duplicates.begin(key)
        self.duplicates.done(key, event, None, runs)
        return event

    def again(self) -> Place:
        """Return the same place after a restart that found nothing."""
        self.duplicates = Duplicates(self.clock.now)
        return self


def test_a_request_with_a_new_id_is_no_duplicate() -> None:
    assert Place().duplicates.look(KEY) is None


def test_a_request_with_a_known_id_is_a_duplicate_of_the_first_event() -> None:
    place = Place()
    event = place.accept()

    assert place.duplicates.look(KEY) == Known(event=event)
    assert place.duplicates.size == 1


async def test_after_three_days_it_is_new_again() -> None:
    place = Place()
    place.accept()

    await place.clock.advance(KEEP - 1)
    assert isinstance(place.duplicates.look(KEY), Known)
    assert isinstance(place.duplicates.claim(KEY), Known)
    await place.clock.advance(2)
    assert place.duplicates.look(KEY) is None
    assert place.duplicates.claim(KEY) is None
    assert isinstance(place.duplicates.claim(KEY), Acceptance), "whoever comes next waits for it, as for any new one"


def test_who_claims_a_new_id_is_the_first_and_whoever_comes_next_waits_for_it() -> None:
    place = Place()

    assert place.duplicates.claim(KEY) is None
    first = place.duplicates.claim(KEY)

    assert isinstance(first, Acceptance)
    assert place.duplicates.look(KEY) is first
    place.duplicates.done(KEY, place.ids.event(), None, 0)
    assert isinstance(place.duplicates.claim(KEY), Known)


@pytest.mark.parametrize("status", ["failed", "timed_out", "skipped", "expired"])
def test_an_event_whose_runs_all_came_to_nothing_may_come_again(status: str) -> None:
    place = Place()
    event = place.accept(runs=2)

    place.duplicates.ended(event, status)
    assert isinstance(place.duplicates.look(KEY), Known)
    place.duplicates.ended(event, status)
    assert place.duplicates.look(KEY) is None


@pytest.mark.parametrize("status", sorted(SETTLED))
def test_one_run_that_dealt_with_it_is_enough_to_make_it_a_duplicate(status: str) -> None:
    place = Place()
    event = place.accept(runs=3)

    for end in ("failed", status, "failed"):
        place.duplicates.ended(event, end)

    assert place.duplicates.look(KEY) == Known(event=event)


def test_an_event_that_started_nothing_stays_known() -> None:
    place = Place()
    event = place.accept(runs=0)

    assert place.duplicates.look(KEY) == Known(event=event)


def test_an_event_that_came_again_and_failed_again_may_come_a_third_time() -> None:
    place = Place()
    place.duplicates.ended(place.accept(), "failed")
    second = place.accept()
    assert place.duplicates.look(KEY) == Known(event=second)

    place.duplicates.ended(second, "failed")

    assert place.duplicates.look(KEY) is None


def test_ends_of_runs_whose_events_have_no_id_mean_nothing() -> None:
    place = Place()

    place.duplicates.ended(place.ids.event(), "failed")


async def looked(duplicates: Duplicates) -> Known | Acceptance | None:
    """Do what a request does."""
    while isinstance(found := duplicates.look(KEY), Acceptance) and not found.is_unknown:
        await found.over()
    return found


async def test_a_duplicate_that_comes_before_the_first_is_durable_waits_for_it() -> None:
    place = Place()
    event = place.ids.event()
    place.duplicates.begin(KEY)
    second = asyncio.ensure_future(looked(place.duplicates))
    third = asyncio.ensure_future(looked(place.duplicates))
    await place.clock.settle()
    assert not second.done()

    place.duplicates.done(KEY, event, None, 1)

    assert await second == Known(event=event)
    assert await third == Known(event=event)


async def test_when_the_first_was_not_accepted_the_next_is_the_first() -> None:
    place = Place()
    place.duplicates.begin(KEY)
    second = asyncio.ensure_future(looked(place.duplicates))
    await place.clock.settle()

    place.duplicates.failed(KEY)

    assert await second is None
    assert place.duplicates.size == 0


async def test_when_nobody_knows_whether_the_first_is_durable_nobody_is_told_that_it_is() -> None:
    place = Place()
    place.duplicates.begin(KEY)
    waiting = asyncio.ensure_future(looked(place.duplicates))
    await place.clock.settle()

    place.duplicates.lost(KEY)

    for found in (await waiting, place.duplicates.look(KEY)):
        assert isinstance(found, Acceptance)
        assert found.is_unknown
        await found.over()


async def test_a_waiter_that_gave_up_harms_nobody() -> None:
    place = Place()
    place.duplicates.begin(KEY)
    second = asyncio.ensure_future(looked(place.duplicates))
    await place.clock.settle()
    second.cancel()
    await place.clock.settle()

    place.duplicates.done(KEY, place.ids.event(), None, 1)

    assert isinstance(place.duplicates.look(KEY), Known)


def test_the_fingerprint_of_a_request_is_kept_with_its_id() -> None:
    place = Place()
    event = place.ids.event()

    place.duplicates.begin(KEY)
    place.duplicates.done(KEY, event, 77, 1)

    assert place.duplicates.look(KEY) == Known(event=event, fingerprint=77)


def logged(
    place: Place, event: EventId, *, runs: int | None = None, undone: int = 0, fingerprint: str | None = None
) -> Accepted:
    return Accepted(
        event=event,
        webhook="github",
        source="webhook/github",
        delivery_id="d-1",
        fingerprint=fingerprint,
        at=place.clock.now(),
        runs=runs,
        undone=undone,
    )


def recall(place: Place, items: Iterable[Accepted], unfinished: frozenset[str] = frozenset()) -> Duplicates:
    place.again().duplicates.recall(items, unfinished)
    return place.duplicates


def test_after_a_restart_what_the_log_holds_is_known() -> None:
    place = Place()
    event = place.ids.event()

    assert recall(place, [logged(place, event)]).look(KEY) == Known(event=event)


def test_after_a_restart_what_came_to_nothing_may_come_again() -> None:
    place = Place()

    assert recall(place, [logged(place, place.ids.event(), runs=2, undone=2)]).look(KEY) is None


def test_after_a_restart_an_event_that_came_twice_is_known_by_the_second() -> None:
    place = Place()
    first, second = place.ids.event(), place.ids.event()

    found = recall(place, [logged(place, second), logged(place, first, runs=1, undone=1)]).look(KEY)

    assert found == Known(event=second)


def test_after_a_restart_runs_that_had_not_ended_still_count() -> None:
    place = Place()
    event = place.ids.event()
    duplicates = recall(place, [logged(place, event, runs=2, undone=1)], frozenset({event}))
    assert duplicates.look(KEY) == Known(event=event)

    duplicates.ended(event, "failed")

    assert duplicates.look(KEY) is None


def test_after_a_restart_fingerprints_are_known() -> None:
    place = Place()
    event = place.ids.event()

    found = recall(place, [logged(place, event, fingerprint="00000000000000ff")]).look(KEY)

    assert found == Known(event=event, fingerprint=255)


def test_after_a_restart_only_as_many_are_known_as_may_be_and_those_are_the_newest() -> None:
    place = Place()
    place.duplicates = Duplicates(place.clock.now, Remembered(most=16))
    items = [
        Accepted(
            event=place.ids.event(),
            webhook="github",
            source="webhook/github",
            delivery_id=str(number),
            at=place.clock.now(),
        )
        for number in range(40)
    ]

    place.duplicates.recall(reversed(items), frozenset())

    assert place.duplicates.size <= 16
    assert isinstance(place.duplicates.look(key_of("github", "39")), Known)
    assert place.duplicates.look(key_of("github", "0")) is None


@pytest.mark.parametrize("is_unfinished", [True, False])
async def test_what_was_published_stays_known_after_a_restart_whatever_became_of_it(*, is_unfinished: bool) -> None:
    place = Place()
    event = place.ids.event()
    published = Accepted(
        event=event, webhook=None, source="/shop", delivery_id="o-1", fingerprint="ff", at=place.clock.now(), runs=1,
        undone=1,
    )  # fmt: skip

    place.duplicates.recall([published], {event} if is_unfinished else set())
    place.duplicates.ended(event, "failed")

    assert place.duplicates.look(published_key("/shop", "o-1")) == Known(event=event, fingerprint=255)
