"""What a webhook may take, from the outside: a real daemon, real sockets, files and crashes."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import random
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.end_to_end.daemon import Daemon, records

SECRET = "whsec-0123456789abcdef0123456789abcdef"
HOOKS = """
version = 1

[webhooks.upload]
auth.type   = "bearer"
auth.secret = "credential:upload"
limits      = {{ body = "1GiB", files = 5 }}
answer      = "wait:30s"

[workflows.keep]
on     = "webhook:upload"
run_as = "intake"

[[workflows.keep.steps]]
id   = "keep"
save = "files"
to   = "{inbox}/{{{{ body.sender }}}}"

[[workflows.keep.steps]]
id  = "hash"
run = ["sha256sum", "{{{{ files.doc.path }}}}"]

[[workflows.keep.steps]]
respond = {{ kept = "{{{{ steps.keep.output }}}}", hash = "{{{{ steps.hash.output[:64] }}}}" }}

[webhooks.github]
auth.preset = "github"
auth.secret = "credential:github"

[workflows.deploy]
on     = "github.push"
run_as = "intake"

[[workflows.deploy.steps]]
run = ["test", "-e", "{flag}"]

[webhooks.open]
auth.type = "none"
schema    = "schemas/open.json"
limits    = {{ body = "1KiB" }}
rate      = "6/1h"

[webhooks.free]
auth.type = "none"

[webhooks.near]
auth.type = "none"
allow_ips = "192.0.2.0/24"

[webhooks.token]
auth.type   = "token"
auth.token  = "query:t"
auth.secret = "credential:upload"
"""
ROLES = """
version = 1
[roles.intake]
allow = ["save:{inbox}/*", "run:sha256sum", "run:test"]
"""


@pytest.fixture
def receiving(daemon: Daemon) -> Daemon:
    inbox, flag = daemon.directory / "inbox", daemon.directory / "flag"
    inbox.mkdir()
    daemon.credential("upload", SECRET)
    daemon.credential("github", SECRET)
    daemon.write(
        {
            "hooks.toml": HOOKS.format(inbox=inbox, flag=flag),
            "roles.toml": ROLES.format(inbox=inbox),
            "schemas/open.json": '{"properties": {"n": {"type": "integer"}}}',
        }
    )
    daemon.start()
    return daemon


def post(daemon: Daemon, path: str, **options: Any) -> httpx.Response:
    return httpx.post(daemon.url(path), timeout=60, trust_env=False, **options)


def push(daemon: Daemon, delivery: str = "d-1") -> httpx.Response:
    body = b'{"ref":"refs/heads/main"}'
    headers = {
        "content-type": "application/json",
        "x-github-event": "push",
        "x-github-delivery": delivery,
        "x-hub-signature-256": "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(),
    }
    return post(daemon, "/hooks/github", content=body, headers=headers)


def test_a_form_larger_than_all_bodies_in_memory_may_be_is_saved_without_being_in_memory(
    receiving: Daemon, tmp_path: Path
) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(200 * 2**20)
    sha256 = hash_of(large)
    before = resident(receiving)

    with large.open("rb") as file:
        answer = post(
            receiving,
            "/hooks/upload",
            headers={"authorization": f"Bearer {SECRET}"},
            data={"sender": "ada"},
            files=[("doc", ("../../März.bin", file)), ("doc", ("b.txt", b"hi"))],
        )

    assert answer.status_code == 200, answer.text
    assert answer.json()["hash"] == sha256
    assert [(item["name"], item["size"]) for item in answer.json()["kept"]] == [
        ("Marz.bin", 200 * 2**20),
        ("b.txt", 2),
    ]
    assert (receiving.directory / "inbox/ada/b.txt").read_bytes() == b"hi"
    assert hash_of(receiving.directory / "inbox/ada/Marz.bin") == sha256
    assert resident(receiving) - before < 60 * 2**20


def hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def resident(daemon: Daemon) -> int:
    """Return the bytes of memory that the daemon has."""
    assert daemon.process is not None
    return int(Path(f"/proc/{daemon.process.pid}/statm").read_text().split()[1]) * 4096


def test_a_redelivery_is_a_duplicate_unless_the_runs_of_the_first_failed_also_after_a_crash(receiving: Daemon) -> None:
    flag = receiving.directory / "flag"
    first = push(receiving)
    assert first.status_code == 202
    until(receiving, ["failed"])

    flag.touch()
    second = push(receiving)  # GitHub redelivers with the same id
    assert second.status_code == 202
    assert second.json()["event"] != first.json()["event"]
    until(receiving, ["failed", "succeeded"])
    assert push(receiving).json() == {"event": second.json()["event"], "duplicate": True}

    receiving.kill()
    receiving.start()

    again = push(receiving)
    assert (again.status_code, again.json()) == (200, {"event": second.json()["event"], "duplicate": True})
    flag.unlink()
    assert push(receiving, "d-2").status_code == 202
    until(receiving, ["failed", "succeeded", "failed"])
    receiving.kill()
    receiving.start()
    assert push(receiving, "d-2").status_code == 202


def until(daemon: Daemon, statuses: list[str]) -> None:
    """Wait until runs have ended like this."""
    ended: list[str] = []
    for _ in range(600):
        ended = [record["status"] for record in records(daemon.log_dir) if record["type"] == "run.ended"]
        if ended == statuses:
            return
        time.sleep(0.05)
    raise AssertionError(f"runs ended as {ended}, not as {statuses}")


async def test_of_many_alike_at_once_one_is_accepted_and_all_others_learn_which(receiving: Daemon) -> None:
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        async with asyncio.TaskGroup() as group:
            requests = [
                group.create_task(
                    client.post(receiving.url("/hooks/open"), json={"n": 1}, headers={"idempotency-key": "k"})
                )
                for _ in range(6)
            ]
        answers = [request.result() for request in requests]

    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 200, 202]
    assert len({answer.json()["event"] for answer in answers}) == 1
    accepted = [record for record in records(receiving.log_dir) if record["type"] == "event.accepted"]
    assert len(accepted) == 1


def test_every_refusal_is_in_the_log_with_its_reason_and_nothing_of_its_body(receiving: Daemon) -> None:
    body = {"hidden": "needle-in-a-body"}
    sent = [
        post(receiving, "/hooks/open", content=b"{needle", headers={"content-type": "application/json"}),
        post(receiving, "/hooks/upload", json=body),
        post(receiving, "/hooks/near", json=body),
        post(receiving, "/hooks/nowhere", json=body),
        httpx.put(receiving.url("/hooks/open"), json=body, timeout=60, trust_env=False),
        post(receiving, "/hooks/open", json={"needle": "x" * 2000}),
        post(receiving, "/hooks/open", content=b"<needle/>", headers={"content-type": "text/xml"}),
        post(receiving, "/hooks/open", content=b"needle", headers={"content-encoding": "gzip"}),
        post(receiving, "/hooks/open", json={"n": "needle"}),
        post(receiving, "/hooks/open", json={}, headers={"idempotency-key": "k"}),
        post(receiving, "/hooks/open", json=body, headers={"idempotency-key": "k"}),
        post(receiving, "/hooks/open", json={}, headers={"idempotency-key": "k"}),
        *[post(receiving, "/hooks/open", json={}) for _ in range(5)],
    ]
    assert receiving.stop() == 0

    refused = {
        (record["reason"], record["status"]): record["count"]
        for record in records(receiving.log_dir)
        if record["type"] == "request.refused"
    }
    assert [answer.status_code for answer in sent[:12]] == [400, 401, 403, 404, 405, 413, 415, 415, 422, 202, 409, 200]
    assert sent[-1].status_code == 429
    assert int(sent[-1].headers["retry-after"]) > 0
    assert set(refused) == {
        ("unreadable_body", 400),
        ("missing_token", 401),
        ("address", 403),
        ("unknown_path", 404),
        ("method", 405),
        ("too_large", 413),
        ("media_type", 415),
        ("content_coding", 415),
        ("schema", 422),
        ("key_reused", 409),
        ("duplicate", 200),
        ("rate", 429),
    }
    assert "needle" not in log_of(receiving)


def test_a_token_in_the_query_reaches_no_log(receiving: Daemon) -> None:
    good = post(receiving, f"/hooks/token?t={SECRET}&a=1", json={})
    bad = post(receiving, "/hooks/token?t=wrong-token-123", json={})
    assert receiving.stop() == 0

    assert (good.status_code, bad.status_code) == (202, 401)
    assert SECRET not in log_of(receiving)
    assert "wrong-token-123" not in log_of(receiving)
    assert '"query":{"t":"***","a":"1"}' in log_of(receiving)


def log_of(daemon: Daemon) -> str:
    """Return everything that the daemon wrote anywhere."""
    return daemon.stderr + "".join(path.read_text() for path in sorted(daemon.log_dir.glob("*.jsonl")))


@pytest.mark.slow
def test_over_kills_no_id_is_accepted_twice_and_no_event_is_lost_that_somebody_was_told_of(receiving: Daemon) -> None:
    told: dict[str, set[str]] = defaultdict(set)
    over = threading.Event()
    callers = [threading.Thread(target=call, args=(receiving, seed, told, over)) for seed in range(4)]
    for caller in callers:
        caller.start()
    for _ in range(3):
        over.wait(1.5)
        receiving.kill()
        receiving.start()
    over.set()
    for caller in callers:
        caller.join(60)
    assert receiving.stop() == 0

    accepted: dict[str, list[str]] = defaultdict(list)
    for record in records(receiving.log_dir):
        if record["type"] == "event.accepted":
            accepted[record["event"]["delivery_id"]].append(record["event"]["id"])
    assert len(told) > 20
    assert all(len(events) == 1 for events in accepted.values())
    assert all(events == set(accepted[key]) for key, events in told.items())


def call(daemon: Daemon, seed: int, told: dict[str, set[str]], over: threading.Event) -> None:
    """Send requests with ids of a small set, and note which event each was answered with."""
    choose = random.Random(seed)  # noqa: S311 - the same choices each time
    # Without reading the certificates of the machine, which takes longer than a request.
    with httpx.Client(trust_env=False, verify=False, timeout=60) as client:  # noqa: S501 - there is no TLS
        while not over.is_set():
            key = f"id-{choose.randrange(300)}"
            try:
                answer = client.post(daemon.url("/hooks/free"), json={}, headers={"idempotency-key": key})
            except httpx.TransportError:
                over.wait(0.05)
                continue
            if answer.status_code in {200, 202}:
                told[key].add(answer.json()["event"])
