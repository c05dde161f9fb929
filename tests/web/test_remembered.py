from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from hooksd.testing import NOON
from hooksd.web.remembered import KEEP, Remembered, key_of, published_key


def test_what_was_put_is_known_for_three_days_at_least() -> None:
    remembered = Remembered()
    remembered.put(1, 10, NOON)
    remembered.put(2, 20, NOON + KEEP)

    assert remembered.get(1) == 10
    assert remembered.get(2) == 20
    assert remembered.get(3) is None


def test_what_is_older_is_forgotten_when_new_ones_come() -> None:
    remembered = Remembered()
    remembered.put(1, 10, NOON)
    remembered.put(2, 20, NOON + 2 * KEEP)

    assert remembered.get(1) is None
    assert len(remembered) == 1


def test_what_is_dropped_is_forgotten_at_once() -> None:
    remembered = Remembered()
    remembered.put(1, 10, NOON)

    remembered.drop(1)

    assert remembered.get(1) is None


def test_the_last_one_put_counts() -> None:
    remembered = Remembered()
    remembered.put(1, 10, NOON)
    remembered.put(1, (20, 5), NOON + KEEP / 2)

    assert remembered.get(1) == (20, 5)


@given(st.lists(st.integers(0, 40), max_size=300))
def test_there_are_never_more_than_allowed_and_the_newest_stay(keys: list[int]) -> None:
    remembered = Remembered(most=16)
    for moment, key in enumerate(keys):
        remembered.put(key, moment, NOON + moment)

    assert len(remembered) <= 16
    for key in keys[-2:]:
        assert remembered.get(key) is not None


def test_forgotten_ones_are_let_go_of_little_by_little() -> None:
    remembered = Remembered(most=800)
    for moment in range(801):
        remembered.put(moment, moment, NOON + moment)

    assert sum(len(entries) for entries in remembered._dying) >= 90
    for moment in range(801, 830):
        remembered.put(moment, moment, NOON + moment)
    assert sum(len(entries) for entries in remembered._dying) == 0


def test_ids_of_different_webhooks_are_different() -> None:
    assert key_of("github", "1") != key_of("gitlab", "1")
    assert key_of("github", "1") == key_of("github", "1")
    assert key_of("a", "\udcff") != key_of("a", "x")


def test_an_id_takes_less_than_200_bytes() -> None:
    remembered = Remembered()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(50_000):
        remembered.put(key_of("github", str(number)), (1 << 127) + number, NOON)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (after - before) / 50_000 < 200


def test_no_webhook_stands_for_a_source() -> None:
    assert published_key("github", "1") != key_of("github", "1")
    assert published_key("/shop", "1") != published_key("/shop", "2") != published_key("/other", "2")
