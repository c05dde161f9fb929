"""Starting something by hand."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.conftest import EVENT, RUN, Command, FakeDaemon

TRIGGER = "POST /api/v1/trigger"
LOOK = f"GET /api/v1/runs/{RUN}"
STARTED = {"event": EVENT, "runs": [{"id": RUN, "workflow": "cleanup"}], "not_started": []}


def test_a_workflow_is_started_with_data(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(TRIGGER, 202, STARTED)

    result = hooksd("trigger", "cleanup", "--data", '{"days": 30}')

    assert (result.status, result.out) == (0, f"event {EVENT}\nrun {RUN}  cleanup\n")
    assert daemon.asked == [(TRIGGER, {"workflow": "cleanup", "data": {"days": 30}})]


def test_what_is_no_workflow_and_has_a_dot_is_an_event_type(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(TRIGGER, 404, {"title": "Not Found", "detail": "there is no workflow"})
    daemon.says(TRIGGER, 202, STARTED)

    assert hooksd("trigger", "shop.order").status == 0
    assert daemon.asked[-1] == (TRIGGER, {"event": "shop.order", "data": None})


def test_an_event_type_can_be_meant(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(TRIGGER, 202, STARTED)
    hooksd("trigger", "cleanup", "--event")

    assert daemon.asked == [(TRIGGER, {"event": "cleanup", "data": None})]


def test_an_unknown_workflow_is_told_in_the_words_of_the_daemon(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(TRIGGER, 404, {"title": "Not Found", "detail": "there is no workflow 'clenup'"})

    result = hooksd("trigger", "clenup")

    assert result.status == 1
    assert "there is no workflow 'clenup'" in result.err


def test_data_comes_from_a_file_or_from_standard_input(
    hooksd: Command, daemon: FakeDaemon, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon.says(TRIGGER, 202, STARTED)
    (home / "order.json").write_text("[1]")
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"[2]")))

    hooksd("trigger", "cleanup", "--data", "@order.json")
    hooksd("trigger", "cleanup", "--data", "@-")

    assert [data["data"] for _, data in daemon.asked] == [[1], [2]]


@pytest.mark.parametrize(
    "arguments",
    [["--data", "{days: 30}"], ["--data", "@nowhere"], ["--wait", "--timeout", "30"]],
    ids=["no json", "no file", "no unit"],
)
def test_what_cannot_be_meant_ends_with_64(hooksd: Command, daemon: FakeDaemon, arguments: list[str]) -> None:
    assert hooksd("trigger", "cleanup", *arguments).status == 64
    assert daemon.asked == []


@pytest.mark.parametrize(("end", "status"), [("succeeded", 0), ("failed", 1)], ids=["good", "bad"])
def test_waiting_tells_how_the_run_ended(hooksd: Command, daemon: FakeDaemon, end: str, status: int) -> None:
    daemon.says(TRIGGER, 202, STARTED)
    daemon.says(LOOK, 404, {"title": "Not Found"})
    daemon.says(LOOK, 200, {"id": RUN, "status": "running"})
    daemon.says(LOOK, 200, {"id": RUN, "status": end})

    result = hooksd("trigger", "cleanup", "--wait")

    assert result.status == status
    assert f"cleanup  {end}" in result.err


def test_waiting_has_an_end(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(TRIGGER, 202, STARTED)
    daemon.says(LOOK, 200, {"id": RUN, "status": "running"})

    result = hooksd("trigger", "cleanup", "--wait", "--timeout", "1ms")

    assert result.status == 75
    assert "is not over after" in result.err


def test_nothing_started_is_a_failure_that_says_where_to_look(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(TRIGGER, 202, {"event": EVENT, "runs": []})

    result = hooksd("trigger", "shop.order", "--json")

    assert result.status == 1
    assert result.objects() == [{"event": EVENT, "runs": []}]
    assert f"hooksd explain {EVENT}" in result.err


def test_an_event_that_is_only_sent_is_not_nothing(hooksd: Command, daemon: FakeDaemon) -> None:
    sent = [{"id": "dlv_1", "endpoint": "erp"}]
    daemon.says(TRIGGER, 202, {"event": EVENT, "runs": [], "not_started": [], "deliveries": sent})

    result = hooksd("trigger", "shop.order", "--event")

    assert (result.status, result.out) == (0, f"event {EVENT}\ndelivery dlv_1  erp\n")


def test_of_a_run_that_fails_it_is_said_where_and_why(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(TRIGGER, 202, STARTED)
    daemon.says(LOOK, 200, {"status": "failed", "step": "build", "error": "exit status 3: \x1b[31m"})

    result = hooksd("trigger", "cleanup", "--wait")

    assert result.err == f"run {RUN}  cleanup  failed at build: exit status 3: \\x1b[31m\n"
