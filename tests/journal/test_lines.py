from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hooksd.journal import codec, lines
from tests.journal import samples


@given(st.data())
def test_a_line_with_any_bit_flipped_is_not_read(data: st.DataObject) -> None:
    line = bytearray(codec.encode(samples.step_ended(), 3, 3, 1)[0][:-1])
    line[data.draw(st.integers(0, len(line) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    assert lines.unseal(bytes(line)) is None


@given(st.binary(max_size=200))
def test_bytes_that_nobody_sealed_are_not_read(noise: bytes) -> None:
    assert lines.unseal(noise) is None
