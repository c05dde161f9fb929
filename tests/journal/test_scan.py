from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from hooksd.journal import codec
from hooksd.journal.scan import START, Damage, Found, Link, torn_from, walk
from tests.journal import samples


def lines(*batches: int, link: Link = START) -> list[bytes]:
    """Return the lines of batches of so many records each."""
    written = []
    seq, prev = link
    for count in batches:
        first = seq
        for _ in range(count):
            line, prev = codec.encode(samples.refused(seq, 30), seq, first, prev)
            written.append(line)
            seq += 1
    return written


def seqs(data: bytes, link: Link | None = START) -> list[int]:
    return [item.line.seq for item in walk(data, link) if isinstance(item, Found)]


def damages(data: bytes, link: Link | None = START) -> list[Damage]:
    return [item for item in walk(data, link) if isinstance(item, Damage)]


def spoil(written: Sequence[bytes], *indices: int) -> bytes:
    return b"".join(b"#" + line[1:] if index in indices else line for index, line in enumerate(written))


def test_a_whole_segment_is_records_only() -> None:
    written = lines(2, 3, 1)

    items = list(walk(b"".join(written), START))

    assert [item.line.seq for item in items if isinstance(item, Found)] == [0, 1, 2, 3, 4, 5]
    assert [item.offset for item in items] == [sum(map(len, written[:index])) for index in range(6)]


def test_an_empty_segment_holds_nothing() -> None:
    assert list(walk(b"", START)) == []
    assert torn_from(b"") is None


def test_a_damaged_line_is_stepped_over_and_the_chain_goes_on_behind_it() -> None:
    written = lines(1, 1, 1, 1)

    data = spoil(written, 1)

    assert seqs(data) == [0, 2, 3]
    assert damages(data) == [Damage(offset=len(written[0]), size=len(written[1]))]


def test_damage_that_touches_is_one() -> None:
    written = lines(1, 1, 1, 1)

    assert damages(spoil(written, 1, 2)) == [
        Damage(offset=len(written[0]), size=len(written[1]) + len(written[2])),
    ]


def test_a_missing_line_is_noticed_although_every_byte_is_a_record() -> None:
    written = lines(1, 1, 1, 1)

    assert damages(b"".join(written[:1] + written[2:])) == [Damage(offset=len(written[0]), size=0)]


def test_a_line_that_somebody_wrote_anew_is_noticed_although_it_is_whole_and_its_number_is_right() -> None:
    written = lines(1, 1, 1)
    first = codec.unseal(written[0].removesuffix(b"\n"))
    assert first is not None
    anew, _ = codec.encode(samples.refused(99, 30), 1, 1, first.crc)
    data = b"".join((written[0], anew, written[2]))

    assert seqs(data) == [0, 1, 2]
    assert damages(data) == [Damage(offset=len(written[0]) + len(anew), size=0)]


def test_a_missing_segment_is_noticed() -> None:
    later = b"".join(lines(1, 1, link=Link(seq=40, prev=7)))

    assert damages(later, Link(seq=30, prev=9)) == [Damage(offset=0, size=0)]
    assert damages(later, Link(seq=40, prev=7)) == []
    assert damages(later, None) == []


def test_a_copy_of_old_lines_is_damage_so_that_nothing_happens_twice() -> None:
    written = lines(1, 1)

    data = b"".join(written + written[:1] + lines(1, link=Link(seq=2, prev=codec.unseal(written[1][:-1]).crc)))  # type: ignore[union-attr] # it is whole

    assert seqs(data) == [0, 1, 2]
    assert damages(data) == [Damage(offset=sum(map(len, written)), size=len(written[0]))]


def test_the_end_of_a_file_without_a_line_feed_is_torn() -> None:
    written = lines(1, 1, 1)

    data = b"".join(written)[:-1]

    assert torn_from(data) == len(written[0]) + len(written[1])


def test_a_bad_line_before_a_later_batch_is_damage_because_it_was_durable_once() -> None:
    assert torn_from(spoil(lines(1, 1, 1), 1)) is None


def test_a_bad_line_before_lines_of_its_own_batch_is_torn_and_they_go_with_it() -> None:
    written = lines(1, 4)

    assert torn_from(spoil(written, 2)) == len(written[0]) + len(written[1])


def test_a_bad_first_line_of_the_last_batch_is_torn() -> None:
    written = lines(1, 3)

    assert torn_from(spoil(written, 1)) == len(written[0])


def test_damage_and_a_torn_end_are_told_apart_in_one_segment() -> None:
    written = lines(1, 1, 1, 2)

    assert torn_from(spoil(written, 1, 4)) == sum(map(len, written[:4]))


def test_noise_between_two_records_is_no_torn_end() -> None:
    written = lines(1, 2)

    assert torn_from(written[0] + b"noise\n" + written[1] + written[2]) is None


def test_zeros_and_noise_at_the_end_are_torn() -> None:
    whole = b"".join(lines(1, 2))

    assert torn_from(whole + bytes(4096)) == len(whole)
    assert torn_from(whole + b"\xff\n\x00\n\n{}\n") == len(whole)


@given(st.data())
def test_a_segment_cut_anywhere_keeps_every_record_that_is_whole(data: st.DataObject) -> None:
    written = lines(*data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=4)))
    whole = b"".join(written)
    size = data.draw(st.integers(0, len(whole)))
    ends = [sum(map(len, written[: index + 1])) for index in range(len(written))]
    kept = max((end for end in ends if end <= size), default=0)

    assert torn_from(whole[:size]) == (None if size == kept else kept)


@given(st.data())
def test_one_flipped_bit_anywhere_is_noticed_and_costs_nothing(data: st.DataObject) -> None:
    written = lines(1, 2, 1, 3, 1)
    spoiled = bytearray(b"".join(written))
    spoiled[data.draw(st.integers(0, len(spoiled) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    items = list(walk(bytes(spoiled), START))

    assert any(isinstance(item, Damage) or item.flipped for item in items)
    assert seqs(bytes(spoiled)) == list(range(len(written)))
    assert torn_from(bytes(spoiled)) is None


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_every_byte_of_a_segment_is_a_record_or_damage(before: bytes, after: bytes) -> None:
    data = before + b"".join(lines(1, 2)) + after

    end = 0
    for item in walk(data, None):
        assert item.offset == end
        end += item.size if isinstance(item, Damage) else item.line.size
    assert end == len(data)
