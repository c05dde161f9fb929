"""VibeIQ's page "Webhooks", told with hooksd: its sections, its examples, its order.

What is called otherwise here: `createdOn` is `created_at`, `createdById` `created_by`; there is one organisation, so no
`orgId`; a workflow's run is an entry of `runs`, with the status `pending`; the body is not repeated in the answer.
"""

from __future__ import annotations

import asyncio
import getpass
import re
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from tests.end_to_end.daemon import Daemon, free_port, records

API_KEY = "the key of an app"

PRINT = """
version = 1
on      = "webhookId:{webhook}"
run_as  = "worker"
trust   = "anonymous"

[[steps]]
run = ["python3", "-c", "import shutil, sys; shutil.copyfileobj(sys.stdin, open(sys.argv[1], 'w'))", "{file}"]
"""

COUNT = """
version = 1
on      = "webhookId:{webhook}"

[[steps]]
id            = "note"
set.foo       = "{{{{ body.foo }}}}"
set.signature = "{{{{ headers['x-verify-signature'] }}}}"
"""

ROLES = """
version = 1

[roles.worker]
allow = ["run:python3"]
"""


class App:
    """The daemon, and an app with an API key that speaks to it over HTTP."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.api = f"http://127.0.0.1:{free_port()}/api/v1"
        daemon.credential("app", API_KEY)
        daemon.variables |= {
            "HOOKSD_ADMIN": self.api.removeprefix("http://").removesuffix("/api/v1"),
            "HOOKSD_ADMIN_KEYS": "app=credential:app",
            "HOOKSD_ADMIN_TOKEN": "credential:app",
            "HOOKSD_ADMIN_WRITE": "true",
            "HOOKSD_PUBLIC_URL": daemon.url(""),
        }
        daemon.write({"roles.toml": ROLES})

    def hooksd(self, *arguments: str) -> str:
        """Run a command; it must do what it was asked for."""
        done = self.daemon.command(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, method: str, path: str, key: str = API_KEY, **more: Any) -> httpx.Response:
        """Send a request with an API key."""
        return httpx.request(
            method, f"{self.api}{path}", headers={"X-Api-Key": key}, timeout=60, trust_env=False, **more
        )

    def trigger(self, url: str, **body: Any) -> httpx.Response:
        """Trigger a webhook, as the page does."""
        headers = {"X-Verify-Signature": "my-secret-key"}
        return httpx.post(url, json=body, headers=headers, timeout=60, trust_env=False)


@pytest.fixture
def app(daemon: Daemon) -> App:
    return App(daemon)


def test_creating_a_webhook_with_the_cli_records_who_created_it_and_when(daemon: Daemon) -> None:
    daemon.variables["HOOKSD_ADMIN_WRITE"] = "true"
    daemon.start()

    created = orjson.loads(daemon.command("webhook", "create", "-j").stdout)

    assert re.fullmatch(r"[A-Za-z0-9]{16}", created["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", created["created_at"])
    assert created["updated_at"] == created["created_at"]
    assert created["created_by"] == created["updated_by"] == getpass.getuser()
    # Files are the only truth: the record is one, and stays when the daemon ends.
    assert created["created_at"] in (daemon.hooks_dir / created["origin"]["file"]).read_text()
    daemon.stop()
    daemon.start()
    assert (
        orjson.loads(daemon.command("webhook", "get", created["id"], "-j").stdout)["created_at"]
        == (created["created_at"])
    )


def test_creating_a_webhook_with_an_http_request_uses_the_key_of_an_app(app: App) -> None:
    app.daemon.start()

    created = app.ask("POST", "/webhooks")

    assert created.status_code == 201
    assert created.json()["id"]
    assert created.json()["created_by"] == "app"
    assert app.ask("POST", "/webhooks", key="another").status_code == 401
    assert len(app.ask("GET", "/webhooks").json()["webhooks"]) == 1


def test_nothing_is_created_where_files_belong_to_people_alone(daemon: Daemon) -> None:
    daemon.start()

    done = daemon.command("webhook", "create", "-j")

    assert done.returncode == 1
    assert "admin_write = true" in done.stderr
    assert list(daemon.hooks_dir.iterdir()) == []


def test_webhooks_can_be_managed_through_the_cli(app: App) -> None:
    app.daemon.start()
    assert "create" in app.hooksd("webhook", "--help")
    app.hooksd("webhook", "create", "leads", "--open", "--set", "description=of the sales people")
    before = orjson.loads(app.hooksd("webhook", "get", "leads", "--json"))

    app.hooksd("webhook", "edit", "leads", "--set", "enabled=false")
    (after,) = [orjson.loads(line) for line in app.hooksd("webhook", "list", "--json").splitlines()]
    app.hooksd("webhook", "delete", "leads", "--yes")

    assert (before["enabled"], after["enabled"]) == (True, False)
    assert before["created_at"] == after["created_at"] < after["updated_at"]
    assert app.daemon.command("webhook", "get", "leads").returncode == 1


async def test_triggering_a_webhook_runs_every_workflow_that_names_it(app: App, tmp_path: Path) -> None:
    app.daemon.start()
    webhook = app.ask("POST", "/webhooks").json()
    app.daemon.write(
        {
            "print.toml": PRINT.format(webhook=webhook["id"], file=tmp_path / "event.json"),
            "count.toml": COUNT.format(webhook=webhook["id"]),
        }
    )
    assert app.ask("POST", "/reload").status_code == 200

    answer = app.trigger(webhook["url"], foo="bar")

    assert answer.status_code == 202
    assert [(run["workflow"], run["status"]) for run in answer.json()["runs"]] == [
        ("count", "pending"),
        ("print", "pending"),
    ]
    assert all(run["id"] and run["created_at"] for run in answer.json()["runs"])
    await app.daemon.settled(30)
    # The event sent to the first action: the body and the headers of the request.
    event = orjson.loads(await asyncio.to_thread((tmp_path / "event.json").read_bytes))
    assert event["body"] == {"foo": "bar"}
    assert event["headers"]["content-type"] == "application/json"
    assert event["headers"]["x-verify-signature"] == "my-secret-key"
    assert event["headers"]["host"] == f"127.0.0.1:{app.daemon.port}"
    # And both are there for the actions of every workflow.
    (noted,) = [record for record in records(app.daemon.log_dir) if record.get("step") == "note" and "output" in record]
    assert noted["output"] == {"foo": "bar", "signature": "my-secret-key"}
    for run in answer.json()["runs"]:
        assert app.ask("GET", f"/runs/{run['id']}").json()["status"] == "succeeded"


async def test_a_webhook_that_no_workflow_names_is_triggered_all_the_same(app: App) -> None:
    app.daemon.start()
    webhook = app.ask("POST", "/webhooks").json()

    answer = app.trigger(webhook["url"], foo="bar")

    assert (answer.status_code, answer.json()["runs"]) == (202, [])
