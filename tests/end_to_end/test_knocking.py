"""Who knocks at the admin listener of a real daemon and may not come in is in its log."""

from __future__ import annotations

import socket
from collections import Counter

import httpx
import pytest

from tests.end_to_end.daemon import Daemon, free_port, records

TOKEN = "operator-token-0123456789"
KEY = "plugin-key-0123456789"


@pytest.fixture
def admin(daemon: Daemon) -> str:
    """A daemon with an admin listener on TCP; its address."""
    address = f"127.0.0.1:{free_port()}"
    daemon.variables |= {
        "HOOKSD_ADMIN": address,
        "HOOKSD_ADMIN_TOKEN": "credential:operator",
        "HOOKSD_TRIGGER_KEYS": "plugin=credential:plugin",
    }
    daemon.credential("operator", TOKEN)
    daemon.credential("plugin", KEY)
    daemon.start()
    return address


def test_who_knocks_is_in_the_log_in_a_few_records(daemon: Daemon, admin: str) -> None:
    host, _, port = admin.partition(":")
    with httpx.Client(base_url=f"http://{admin}", trust_env=False, timeout=30) as client:
        for number in range(100):
            assert client.get(f"/{number}", headers={"X-Api-Key": f"guess {number}"}).status_code == 401
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", headers={"X-Api-Key": KEY}).status_code == 403
        told = client.post("/api/v1/trigger", json={"workflow": "none"}, headers={"X-Api-Key": TOKEN})
        assert told.status_code == 404
    with socket.create_connection((host, int(port)), timeout=30) as door:
        door.sendall(b"\x16\x03\x01 no HTTP\r\n\r\n")
        assert door.recv(100).startswith(b"HTTP/1.1 400 ")
    assert daemon.stop() == 0

    refused = [record for record in records(daemon.log_dir) if record["type"] == "request.refused"]
    counts: Counter[tuple[str, int, str]] = Counter()
    for record in refused:
        counts[record["reason"], record["status"], record["peer"]] += record["count"]
    assert counts == {
        ("bad_token", 401, "127.0.0.1"): 100,
        ("missing_token", 401, "127.0.0.1"): 1,
        ("limited_key", 403, "plugin"): 1,
        ("unknown_workflow", 404, "admin"): 1,
        ("malformed", 400, "127.0.0.1"): 1,
    }
    assert {record["listener"] for record in refused} == {"admin"}
    assert {record["webhook"] for record in refused} == {None}
    log = "".join(path.read_text() for path in daemon.log_dir.glob("log-*.jsonl"))
    assert [secret for secret in ("guess", TOKEN, KEY) if secret in log + daemon.stderr] == []
