from __future__ import annotations

import itertools
import os
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.model.ids import IdFactory, drawn, unix_of, uuid7

RANDOM = st.integers(0, 2**80)
TIMES = st.integers(0, 2**40).map(lambda millis: millis / 1000)


@given(TIMES, RANDOM)
def test_an_identifier_is_a_uuid_of_version_7(unix: float, number: int) -> None:
    made = uuid7(unix, number)

    assert made.version == 7
    assert made.variant == uuid.RFC_4122


@given(TIMES, RANDOM)
def test_an_identifier_remembers_its_millisecond(unix: float, number: int) -> None:
    assert unix_of(f"evt_{uuid7(unix, number)}") == pytest.approx(unix, abs=0.0011)


def test_random_numbers_are_all_that_was_read_each_once() -> None:
    blocks: list[bytes] = []

    def read(size: int) -> bytes:
        blocks.append(os.urandom(size))
        return blocks[-1]

    draw = drawn(read)
    numbers = [draw() for _ in range(1000)]

    assert len(blocks) == 3
    assert b"".join(number.to_bytes(10, "big") for number in numbers) == b"".join(blocks)[:10_000]


def test_prefixes_say_what_is_named() -> None:
    factory = IdFactory(lambda: 1.0, lambda: 7)

    assert factory.event().startswith("evt_")
    assert factory.run().startswith("run_")
    assert factory.delivery().startswith("dlv_")


@given(st.lists(TIMES, min_size=2, max_size=20), st.lists(RANDOM, min_size=1, max_size=20))
def test_later_identifiers_sort_behind_earlier_ones_whatever_the_clock_does(
    times: list[float], randoms: list[int]
) -> None:
    clock, random = iter(times), itertools.cycle(randoms)
    factory = IdFactory(lambda: next(clock), lambda: next(random))

    made = [factory.event() for _ in times]

    assert made == sorted(set(made))


@given(TIMES, RANDOM)
def test_an_identifier_is_the_text_of_its_uuid(unix: float, number: int) -> None:
    factory = IdFactory(lambda: unix, lambda: number)

    assert factory.event() == f"evt_{uuid7(unix, number)}"


@given(
    st.integers(1, 2**40),
    RANDOM | st.sampled_from([2**48 - 2, 2**62 - 1, 2**74 - 3]),
    st.lists(st.integers(0, 3), max_size=8),
)
def test_within_a_millisecond_identifiers_count_on_from_random_bits(millis: int, random: int, back: list[int]) -> None:
    clock = iter([millis, *(millis - step for step in back)])
    factory = IdFactory(lambda: next(clock) / 1000 + 0.0001, lambda: random)

    made = [factory.event() for _ in range(len(back) + 1)]

    first = millis << 74 | random & (1 << 74) - 1
    assert made == [f"evt_{uuid7((first + step >> 74) / 1000 + 0.0001, first + step)}" for step in range(len(made))]


def test_identifiers_keep_their_order_where_the_fraction_of_a_second_has_no_exact_number() -> None:
    for millis in range(1000, 3000):
        clock, random = iter((millis / 1000, (millis + 1) / 1000)), iter((1 << 73, 0))
        factory = IdFactory(lambda clock=clock: next(clock), lambda random=random: next(random))  # type: ignore[misc]

        first, second = factory.event(), factory.event()

        assert first < second


def test_identifiers_stay_valid_when_the_random_bits_run_over() -> None:
    factory = IdFactory(lambda: 1.0, lambda: 2**74 - 1)

    made = [uuid.UUID(factory.event().removeprefix("evt_")) for _ in range(3)]

    assert [item.version for item in made] == [7, 7, 7]
    assert [item.variant for item in made] == [uuid.RFC_4122] * 3
    assert made == sorted(set(made))


def test_other_texts_are_no_identifiers() -> None:
    with pytest.raises(ValueError, match="UUID"):
        unix_of("evt_nonsense")
