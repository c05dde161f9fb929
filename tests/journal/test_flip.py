from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.journal import codec, flip
from tests.journal import samples

WRITTEN, _ = codec.encode(samples.attempt_ended(), 7, 5, 0x9BE10D42)
LINE = WRITTEN[:-1]
OTHER = codec.encode(samples.refused(3, 40), 8, 5, 1)[0][:-1]


def flipped(text: bytes, offset: int, bit: int) -> bytes:
    changed = bytearray(text)
    changed[offset] ^= 1 << bit
    return bytes(changed)


def test_every_bit_of_a_line_can_be_turned_back() -> None:
    whole = codec.unseal(LINE)
    for offset in range(len(LINE)):
        for bit in range(8):
            changed = flipped(LINE, offset, bit)
            if b"\n" not in changed:
                assert flip.restored(changed) == whole


@pytest.mark.parametrize("size", [100, 10_000, 200_000])
def test_the_length_of_a_line_does_not_matter(size: int) -> None:
    line = codec.encode(samples.refused(1, size), 0, 0, 0)[0][:-1]

    assert flip.restored(flipped(line, size // 2, 3)) == codec.unseal(line)


def test_a_bit_that_became_a_line_feed_is_turned_back() -> None:
    line = codec.encode(samples.refused(1), 0, 0, 0)[0][:-1].replace(b"192.0.2.7", b"J92.0.2.7")
    line = codec.seal(line[: -flip._SEAL] + b"}", 0, 0, 0)[0][:-1]
    first, _, second = flipped(line, line.index(b"J"), 6).partition(b"\n")

    assert flip.joined(first, second) == codec.unseal(line)
    assert flip.joined(second, first) is None


@pytest.mark.parametrize("bit", range(8))
def test_a_line_feed_that_became_something_else_is_turned_back(bit: int) -> None:
    text = flipped(LINE + b"\n" + OTHER, len(LINE), bit)

    assert flip.parted(text) == (codec.unseal(LINE), codec.unseal(OTHER))
    assert flip.parted(text[: len(LINE) + 1]) == (codec.unseal(LINE), None)


@pytest.mark.parametrize("text", [b"", b"{}", LINE[:-1], LINE[40:], bytes(400), LINE + b" "])
def test_what_is_more_than_a_bit_away_from_a_line_stays_what_it_is(text: bytes) -> None:
    assert flip.restored(text) is None
    assert flip.parted(text) is None
    assert flip.joined(text, text) is None


@given(st.binary(max_size=300))
def test_noise_is_never_a_line(noise: bytes) -> None:
    assert flip.restored(noise) is None
    assert flip.restored(noise + LINE[-62:]) is None


def test_two_flipped_bits_are_not_turned_into_something_that_was_never_written() -> None:
    chance = random.Random(3)  # noqa: S311 - a test, not a secret
    for _ in range(500):
        one, other = chance.sample(range(len(LINE)), 2)
        changed = flipped(flipped(LINE, one, chance.randrange(8)), other, chance.randrange(8))
        assert flip.restored(changed) is None


def test_a_line_too_long_to_be_tried_stays_what_it_is() -> None:
    assert flip.restored(bytes(flip.LONGEST + 1)) is None
    assert flip.joined(bytes(flip.LONGEST), b"x") is None
    assert flip.parted(bytes(2 * flip.LONGEST + 1)) is None
