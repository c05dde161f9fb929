"""What operators see of the daemon."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hooksd.config.diagnostics import Diagnostic
from hooksd.config.snapshot import Revision, Snapshot
from hooksd.daemon.control import Current, Identity, Operator, Work, status_line
from hooksd.daemon.reload import Status
from hooksd.journal.reader import LogReader
from hooksd.model.definitions import Definitions

SINCE = "2026-11-22T04:00:00.000Z"
IN_SYNC = Status(state="IN_SYNC", since=SINCE, revision="abc", running="abc")
WARNING = Diagnostic(
    code="H047", message="nothing sends it", file="b.toml", line=1, column=1, end_column=2, excerpt=None,
    severity="warning",
)  # fmt: skip
ERROR = replace(WARNING, code="H012", message="unknown key `x`", file="a.toml", line=3, severity="error")
SNAPSHOT = Snapshot(
    revision=Revision(tree="sha256:" + "abc" * 20, commit="f7b2", dirty=True),
    definitions=Definitions(),
    webhooks={},
    by_path={},
    workflows={},
    endpoints={},
    roles={},
    secrets={},
)


class Files:
    """Definitions that say what they are told to say."""

    def __init__(self, status: Status) -> None:
        self.status = status
        self.accepted: list[str | None] = []

    async def reload(self, accept: str | None = None) -> Status:
        self.accepted.append(accept)
        return self.status


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    current = Current()
    current.publish(SNAPSHOT)
    return Operator(
        identity=Identity(version="0.1.0", pid=7, started_at=SINCE, listen="127.0.0.1:9000", admin="unix:a.sock"),
        definitions=Files(IN_SYNC),
        current=current,
        reader=LogReader(tmp_path),
        work=lambda: Work(runs=3, deliveries=4),
        log=lambda: "full",
    )


def test_the_status_tells_what_runs_what_is_open_and_who_answers(operator: Operator) -> None:
    status = operator.status()

    assert (status["state"], status["running"], status["commit"], status["dirty"]) == ("IN_SYNC", "abc", "f7b2", True)
    assert (status["unfinished_runs"], status["unfinished_deliveries"], status["log"]) == (3, 4, "full")
    assert (status["pid"], status["listen"]) == (7, "127.0.0.1:9000")


async def test_a_reload_is_passed_on_and_its_verdict_comes_back(operator: Operator) -> None:
    verdict = await operator.reload("abd")

    assert verdict["state"] == "IN_SYNC"
    assert operator.current() is SNAPSHOT


async def test_what_is_no_identifier_has_no_history(operator: Operator) -> None:
    assert await operator.history("evt_nonsense") == []


def test_nothing_is_in_force_before_the_first_load() -> None:
    with pytest.raises(LookupError):
        Current()()


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (IN_SYNC, "IN_SYNC: revision abc in force"),
        (
            replace(IN_SYNC, state="REJECTED", diagnostics=(WARNING, ERROR)),
            "REJECTED: revision abc in force, files rejected: a.toml:3:1: unknown key `x`",
        ),
        (
            replace(IN_SYNC, state="REJECTED", diagnostics=(ERROR, ERROR)),
            "REJECTED: revision abc in force, files rejected: a.toml:3:1: unknown key `x` (and 1 more)",
        ),
        (
            replace(IN_SYNC, state="HELD", revision="abd", reason="it would remove 5 of 6 definitions"),
            "HELD: revision abc in force, files held: it would remove 5 of 6 definitions; hooksd reload --accept abd",
        ),
    ],
    ids=["in sync", "rejected", "several", "held"],
)
def test_the_status_line_says_what_to_look_at(status: Status, line: str) -> None:
    assert status_line(status) == line
