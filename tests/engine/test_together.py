from __future__ import annotations

from hooksd.engine.together import Together
from hooksd.errors import JournalFull
from hooksd.journal.receipt import Receipt, settled


def test_what_shares_a_batch_is_told_of_at_once_when_it_is_durable_and_not_before() -> None:
    told: list[list[str]] = []
    together, first, second = Together(told.append), Receipt(), Receipt()
    together.add(first, "a")
    together.add(first, "b")
    together.add(second, "c")
    assert told == []

    first.settle(None)
    assert told == [["a", "b"]]
    second.settle(None)

    assert told == [["a", "b"], ["c"]]


def test_it_is_told_of_before_those_who_began_to_wait_after_the_first() -> None:
    told: list[str] = []
    together, receipt = Together(told.extend), Receipt()
    together.add(receipt, "a")
    receipt.then(lambda _: told.append("who waits for a"))
    together.add(receipt, "b")

    receipt.settle(None)

    assert told == ["a", "b", "who waits for a"]


def test_nobody_is_told_of_what_cannot_be_durable() -> None:
    told: list[list[str]] = []
    together, receipt = Together(told.append), Receipt()

    together.add(receipt, "a")
    together.add(settled(JournalFull("no room")), "b")
    receipt.settle(JournalFull("no room"))

    assert told == []


def test_what_is_added_to_a_batch_that_is_durable_already_is_told_of_at_once() -> None:
    told: list[list[int]] = []
    together, receipt = Together(told.append), settled(None)

    for number in (1, 2):
        together.add(receipt, number)

        assert told[-1] == [number]


def test_what_waits_is_known_across_batches_until_each_is_settled_whatever_came_of_it() -> None:
    told: list[list[str]] = []
    together, first, second = Together(told.append), Receipt(), Receipt()
    assert (together.size, together.first) == (0, None)
    together.add(first, "a")
    together.add(first, "b")
    together.add(second, "c")
    assert (together.size, together.first) == (3, first)

    first.settle(JournalFull("no room"))
    assert (together.size, together.first) == (1, second)
    second.settle(None)

    assert (together.size, together.first) == (0, None)
