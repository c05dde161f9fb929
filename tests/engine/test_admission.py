from __future__ import annotations

from collections import deque
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from hooksd.engine.admission import Admission, Cancel, Group, Skip, Start, Supersede, admit
from hooksd.model.ids import RunId
from hooksd.model.workflow import Workflow

OnBusy = Literal["queue", "latest", "restart", "skip"]


def group(on_busy: OnBusy, *, running: str = "", waiting: str = "", most: int = 1, queued: int = 100) -> Group:
    """Build a group whose runs are named by one letter each."""
    policy = Workflow.model_validate(
        {
            "on": "x",
            "steps": [{"sleep": "1s"}],
            "concurrency": "k",
            "on_busy": on_busy,
            "max_running": most,
            "max_queued": queued,
        }
    )
    made = Group(policy)
    made.running = dict.fromkeys(map(RunId, running), False)
    made.waiting = deque(map(RunId, waiting))
    return made


def settled(made: Group) -> list[Admission]:
    """Do what is asked until nothing is."""
    done: list[Admission] = []
    while (admission := admit(made)) is not None:
        done.append(admission)
        match admission:
            case Start(run=run):
                made.waiting.remove(run)
                made.running[run] = False
            case Skip(run=run) | Supersede(run=run):
                made.waiting.remove(run)
            case Cancel(run=run):
                made.running[run] = True
    return done


def kinds(done: list[Admission]) -> list[str]:
    return [f"{type(item).__name__} {item.run}" for item in done]


def test_a_run_starts_when_there_is_a_place() -> None:
    assert kinds(settled(group("queue", waiting="a"))) == ["Start a"]


def test_queue_starts_runs_in_the_order_in_which_they_came() -> None:
    assert kinds(settled(group("queue", waiting="abc", most=2))) == ["Start a", "Start b"]
    assert kinds(settled(group("queue", running="a", waiting="bc"))) == []


def test_queue_skips_the_newest_beyond_max_queued_and_says_so() -> None:
    done = settled(group("queue", running="a", waiting="bcd", queued=1))

    assert kinds(done) == ["Skip d", "Skip c"]
    assert isinstance(done[0], Skip)
    assert "max_queued" in done[0].reason


def test_latest_replaces_the_one_that_waits_and_never_the_one_that_runs() -> None:
    done = settled(group("latest", running="a", waiting="bc"))

    assert done == [Supersede(run=RunId("b"), by=RunId("c"))]


def test_latest_starts_the_newest_when_the_place_is_free() -> None:
    assert kinds(settled(group("latest", waiting="abc"))) == ["Supersede a", "Supersede b", "Start c"]


def test_restart_cancels_the_oldest_that_runs_and_waits_for_it_to_clean_up() -> None:
    made = group("restart", running="a", waiting="b")

    assert settled(made) == [Cancel(run=RunId("a"), by=RunId("b"))]
    made.waiting.append(RunId("c"))
    assert kinds(settled(made)) == ["Supersede b"]
    del made.running[RunId("a")]
    assert kinds(settled(made)) == ["Start c"]


def test_skip_ends_the_new_run_at_once_and_names_the_one_that_runs() -> None:
    done = settled(group("skip", running="a", waiting="b"))

    assert kinds(done) == ["Skip b"]
    assert isinstance(done[0], Skip)
    assert done[0].reason.startswith("a was running")


def test_a_lowered_max_running_starts_nobody_until_there_is_room() -> None:
    assert kinds(settled(group("queue", running="abc", waiting="d", most=2))) == []


@given(
    on_busy=st.sampled_from(["queue", "latest", "restart", "skip"]),
    most=st.integers(1, 3),
    queued=st.integers(0, 3),
    steps=st.lists(st.booleans(), max_size=30),
)
def test_places_are_never_overbooked_and_nobody_waits_beside_a_free_one(
    on_busy: OnBusy, most: int, queued: int, steps: list[bool]
) -> None:
    made = group(on_busy, most=most, queued=queued)
    for number, arrives in enumerate(steps):
        if arrives:
            made.waiting.append(RunId(str(number)))
        elif made.running:
            made.running.pop(next(iter(made.running)))
        settled(made)

        assert len(made.running) <= most
        assert not made.waiting or len(made.running) == most
        assert len(made.waiting) <= (queued if on_busy == "queue" else 1)
