from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hooksd.delivery.agenda import Agenda


def drain(agenda: Agenda) -> list[str]:
    taken = []
    while (delivery := agenda.take()) is not None:
        taken.append(delivery)
    return taken


def test_nothing_is_taken_before_its_time() -> None:
    agenda = Agenda(total=9, each=9)
    agenda.add("a", "x", 10.0)

    agenda.ripen(9.9)
    assert agenda.take() is None
    assert agenda.next_due == 10.0
    agenda.ripen(10.0)
    assert agenda.take() == "a"
    assert agenda.next_due is None


def test_the_first_due_is_first_and_of_two_the_first_added() -> None:
    agenda = Agenda(total=9, each=9)
    for delivery, due in (("late", 2.0), ("early", 1.0), ("second", 1.0)):
        agenda.add(delivery, "x", due)
    agenda.ripen(5)

    assert drain(agenda) == ["early", "second", "late"]


def test_endpoints_take_turns() -> None:
    agenda = Agenda(total=9, each=9)
    for delivery, endpoint in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b")):
        agenda.add(delivery, endpoint, 0)
    agenda.ripen(0)

    assert drain(agenda) == ["a1", "b1", "a2", "a3"]


def test_a_place_that_is_given_back_goes_to_who_waits() -> None:
    agenda = Agenda(total=9, each=1)
    agenda.add("a1", "a", 0)
    agenda.add("a2", "a", 0)
    agenda.ripen(0)
    assert drain(agenda) == ["a1"]

    agenda.done("a")

    assert drain(agenda) == ["a2"]


def test_no_more_are_taken_than_there_are_places_in_all() -> None:
    agenda = Agenda(total=2, each=2)
    for name in "abc":
        agenda.add(name, name, 0)
    agenda.ripen(0)

    assert drain(agenda) == ["a", "b"]
    agenda.done("a")
    assert drain(agenda) == ["c"]
    assert agenda.under_way == 2


class Turns(RuleBasedStateMachine):
    """Whatever happens: bounds hold, nobody is lost, and nobody waits while there is a place for him."""

    def __init__(self) -> None:
        super().__init__()
        self.agenda = Agenda(total=4, each=2)
        self.now = 0.0
        self.waiting: dict[str, tuple[str, float]] = {}
        self.taken: list[tuple[str, str]] = []
        self.count = 0

    @rule(endpoint=st.sampled_from("abc"), wait=st.integers(0, 3))
    def adds(self, endpoint: str, wait: int) -> None:
        self.count += 1
        self.waiting[str(self.count)] = (endpoint, self.now + wait)
        self.agenda.add(str(self.count), endpoint, self.now + wait)

    @rule(seconds=st.integers(0, 3))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def ends(self, data: st.DataObject) -> None:
        _, endpoint = self.taken.pop(data.draw(st.integers(0, len(self.taken) - 1)))
        self.agenda.done(endpoint)

    @invariant()
    def all_that_can_be_taken_is_taken_and_no_more(self) -> None:
        self.agenda.ripen(self.now)
        for delivery in drain(self.agenda):
            endpoint, due = self.waiting.pop(delivery)
            assert due <= self.now
            self.taken.append((delivery, endpoint))
        under_way = [endpoint for _, endpoint in self.taken]
        assert self.agenda.under_way == len(under_way) <= 4
        assert all(under_way.count(endpoint) <= 2 for endpoint in "abc")
        due_now = {endpoint for endpoint, due in self.waiting.values() if due <= self.now}
        if len(under_way) < 4:
            assert all(under_way.count(endpoint) == 2 for endpoint in due_now)


TestTurns = Turns.TestCase
