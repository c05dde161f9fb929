from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hooksd.delivery.agenda import Agenda
from hooksd.delivery.gate import Hold


def drain(agenda: Agenda[str], now: float = 0.0) -> list[str]:
    taken = []
    while (found := agenda.take(now)) is not None:
        taken.append(found)
    return taken


def agenda_of(*, total: int, each: int) -> Agenda[str]:
    return Agenda(total=total, each=lambda _: each)


def test_nothing_is_taken_before_its_time() -> None:
    agenda = agenda_of(total=9, each=9)
    agenda.add("a", agenda.turn("x"), 10.0, 0)

    agenda.ripen(9.9)
    assert agenda.take(9.9) is None
    assert agenda.next_due == 10.0
    agenda.ripen(10.0)
    assert agenda.take(10.0) == "a"
    assert agenda.next_due is None


def test_the_first_due_is_first_and_of_two_the_first_added() -> None:
    agenda = agenda_of(total=9, each=9)
    for delivery, due in (("late", 2.0), ("early", 1.0), ("second", 1.0)):
        agenda.add(delivery, agenda.turn("x"), due, 0)
    agenda.ripen(5)

    assert drain(agenda) == ["early", "second", "late"]


def test_what_is_due_at_once_stands_behind_what_was_due_before() -> None:
    agenda = agenda_of(total=9, each=9)
    agenda.add("before", agenda.turn("x"), 1.0, 0.0)

    agenda.add("now", agenda.turn("x"), 5.0, 5.0)

    assert drain(agenda, 5.0) == ["before", "now"]


def test_it_tells_whether_there_may_be_more_to_take() -> None:
    agenda = agenda_of(total=9, each=1)
    assert not agenda.is_offered
    agenda.add("a1", agenda.turn("a"), 0, 0)
    agenda.add("a2", agenda.turn("a"), 0, 0)
    assert agenda.is_offered

    assert agenda.take(0) == "a1"

    assert not agenda.is_offered


def test_endpoints_take_turns() -> None:
    agenda = agenda_of(total=9, each=9)
    for delivery, endpoint in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b")):
        agenda.add(delivery, agenda.turn(endpoint), 0, 0)
    agenda.ripen(0)

    assert drain(agenda) == ["a1", "b1", "a2", "a3"]


def test_a_place_that_is_given_back_goes_to_who_waits() -> None:
    agenda = agenda_of(total=9, each=1)
    agenda.add("a1", agenda.turn("a"), 0, 0)
    agenda.add("a2", agenda.turn("a"), 0, 0)
    agenda.ripen(0)
    assert drain(agenda) == ["a1"]

    agenda.done(agenda.turn("a"))

    assert drain(agenda) == ["a2"]


def test_no_more_are_taken_than_there_are_places_in_all() -> None:
    agenda = agenda_of(total=2, each=2)
    for name in "abc":
        agenda.add(name, agenda.turn(name), 0, 0)
    agenda.ripen(0)

    assert drain(agenda) == ["a", "b"]
    agenda.done(agenda.turn("a"))
    assert drain(agenda) == ["c"]
    assert agenda.under_way == 2


# --- what is held


class Doors:
    """Holds as it is told."""

    def __init__(self) -> None:
        self.holds: dict[str, Hold] = {}

    def __call__(self, endpoint: str, now: float) -> Hold | None:
        held = self.holds.get(endpoint)
        return held if held is not None and (held.until is None or now < held.until) else None


def test_what_is_held_waits_and_holds_up_nobody_else() -> None:
    doors = Doors()
    agenda: Agenda[str] = Agenda(total=9, each=lambda _: 9, hold=doors)
    doors.holds["a"] = Hold(reason="receiver", until=5.0)
    for delivery, endpoint in (("a1", "a"), ("a2", "a"), ("b1", "b")):
        agenda.add(delivery, agenda.turn(endpoint), 0, 0)
    agenda.ripen(0)

    assert drain(agenda) == ["b1"]
    assert (agenda.waiting("a"), agenda.waiting("b"), agenda.next_due) == (2, 0, 5.0)
    agenda.ripen(5.0)
    assert drain(agenda, 5.0) == ["a1", "a2"]


def test_what_is_held_without_an_end_waits_until_somebody_says_that_something_changed() -> None:
    doors = Doors()
    agenda: Agenda[str] = Agenda(total=9, each=lambda _: 9, hold=doors)
    doors.holds.update(a=Hold(reason="suspended"), b=Hold(reason="disabled"))
    agenda.add("a1", agenda.turn("a"), 0, 0)
    agenda.add("b1", agenda.turn("b"), 0, 0)
    agenda.ripen(0)
    assert (drain(agenda), agenda.next_due) == ([], None)

    del doors.holds["a"]
    agenda.offer("a")
    assert drain(agenda) == ["a1"]
    doors.holds.clear()
    agenda.offer_all()
    assert drain(agenda) == ["b1"]


def test_how_many_an_endpoint_takes_is_asked_again_when_the_definitions_have_changed() -> None:
    most = {"a": 1}
    agenda: Agenda[str] = Agenda(total=9, each=most.__getitem__)
    for delivery in ("a1", "a2", "a3"):
        agenda.add(delivery, agenda.turn("a"), 0, 0)
    assert drain(agenda) == ["a1"]

    most["a"] = 2
    agenda.offer_all()

    assert drain(agenda) == ["a2"]


def test_an_endpoint_that_nothing_is_due_to_has_no_turn() -> None:
    agenda = agenda_of(total=9, each=9)
    agenda.turn("a")
    agenda.offer("a")
    agenda.offer("never heard of")

    assert not agenda.is_offered
    assert (agenda.waiting("never heard of"), agenda.in_flight("never heard of")) == (0, 0)


def test_whoever_pushes_in_counts_and_needs_no_place() -> None:
    agenda = agenda_of(total=1, each=1)
    agenda.push_in(agenda.turn("a"))
    agenda.push_in(agenda.turn("a"))
    agenda.add("a1", agenda.turn("a"), 0, 0)
    agenda.ripen(0)

    assert (drain(agenda), agenda.under_way) == ([], 2)
    agenda.done(agenda.turn("a"))
    assert drain(agenda) == []
    agenda.done(agenda.turn("a"))
    assert drain(agenda) == ["a1"]


class Turns(RuleBasedStateMachine):
    """Whatever happens: bounds hold, nobody is lost, and nobody waits while there is a place for him."""

    def __init__(self) -> None:
        super().__init__()
        self.agenda = agenda_of(total=4, each=2)
        self.now = 0.0
        self.waiting: dict[str, tuple[str, float]] = {}
        self.taken: list[tuple[str, str]] = []
        self.count = 0

    @rule(endpoint=st.sampled_from("abc"), wait=st.integers(0, 3))
    def adds(self, endpoint: str, wait: int) -> None:
        self.count += 1
        self.waiting[str(self.count)] = (endpoint, self.now + wait)
        self.agenda.add(str(self.count), self.agenda.turn(endpoint), self.now + wait, self.now)

    @rule(seconds=st.integers(0, 3))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def ends(self, data: st.DataObject) -> None:
        _, endpoint = self.taken.pop(data.draw(st.integers(0, len(self.taken) - 1)))
        self.agenda.done(self.agenda.turn(endpoint))

    @invariant()
    def all_that_can_be_taken_is_taken_and_no_more(self) -> None:
        self.agenda.ripen(self.now)
        for delivery in drain(self.agenda, self.now):
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
