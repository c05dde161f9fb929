from __future__ import annotations

import orjson
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


@given(
    st.lists(st.dictionaries(st.text(max_size=5), st.booleans(), max_size=3), max_size=5), st.integers(0, 10**12 - 6)
)
def test_the_lines_of_a_batch_are_those_of_its_records_each_sealed_behind_the_one_before(
    trees: list[dict[str, bool]], seq: int
) -> None:
    texts = [orjson.dumps(tree) for tree in trees]
    wanted, prev = b"", 0xDEADBEEF
    for place, text in enumerate(texts):
        line, prev = lines.seal(text, seq + place, seq, prev)
        wanted += line

    assert lines.ended(lines.begun(texts)[0], seq, seq, 0xDEADBEEF) == (wanted, prev)
