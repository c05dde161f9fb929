"""PIPEFORCE's page "Webhooks", told with hooksd: its commands, its examples, its order.

`webhook.put` is `hooksd webhook create` and `edit` (by HTTP `POST` and `PUT /api/v1/webhooks`), `webhook.get` is `get`
and `list`, `webhook.delete` is `delete`; `eventKey` is `event`, `webhookUrl` is `url`, `event.listen` is `on`,
`iam.run.as` is `run_as`, `mail.send` is `mail`, `webhook.send` is `send`.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest

from tests.delivery.mail_server import MailServer, mail_server
from tests.delivery.receiver import answer, receiver
from tests.end_to_end.daemon import Daemon, records

LEAD = "webhook.salesforce.lead.created"
UNKNOWN = "885d0000-0000-4000-8000-000000000000"

ROLES = """
version = 1

[roles.clerk]
allow = ["mail:*@example.com", "send:crm"]
"""

MAIL = f"""
version = 1
on      = "{LEAD}"
run_as  = "clerk"
trust   = "anonymous"

[[steps]]
id      = "tell"
mail    = "sales@example.com"
subject = "New lead: {{{{ body.name }}}}"
text    = "{{{{ body.name }}}} of {{{{ body.company }}}} wants to hear from us."
"""


class Hub:
    """The daemon, as who uses PIPEFORCE's commands sees it."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        daemon.variables |= {"HOOKSD_ADMIN_WRITE": "true", "HOOKSD_PUBLIC_URL": daemon.url("")}
        daemon.write({"roles.toml": ROLES})

    def pi(self, *arguments: str) -> Any:
        """Run `hooksd webhook ...`; it must do what it was asked for."""
        done = self.daemon.command("webhook", *arguments)
        assert done.returncode == 0, done.stderr
        lines = [orjson.loads(line) for line in done.stdout.splitlines()]
        return lines[0] if "list" not in arguments else lines

    def put(self) -> dict[str, Any]:
        """`pi command webhook.put eventKey=webhook.salesforce.lead.created`."""
        created: dict[str, Any] = self.pi("create", "--event", LEAD, "--json")
        return created

    def everything_written(self) -> bytes:
        """The log, and what the daemon said."""
        files = (path for path in self.daemon.log_dir.rglob("*") if path.is_file())
        return b"".join(path.read_bytes() for path in files) + self.daemon.stderr.encode()


@pytest.fixture
def hub(daemon: Daemon) -> Hub:
    return Hub(daemon)


@pytest.fixture
def post_office(hub: Hub) -> Iterator[MailServer]:
    """A mail server that the daemon uses."""
    with mail_server() as server:
        hub.daemon.variables |= {
            "HOOKSD_SMTP": f"127.0.0.1:{server.port}",
            "HOOKSD_SMTP_SECURITY": "none",
            "HOOKSD_SMTP_FROM": "Hub <hub@example.com>",
        }
        yield server


def call(url: str, **more: Any) -> httpx.Response:
    return httpx.post(url, timeout=60, trust_env=False, **(more or {"json": {"name": "Ada", "company": "Analytical"}}))


async def test_a_webhook_is_a_unique_url_whose_call_produces_an_event(hub: Hub) -> None:
    hub.daemon.start()
    created = hub.put()

    assert created["event"] == LEAD
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", created["uuid"])
    assert created["url"] == hub.daemon.url(f"/hooks?uuid={created['uuid']}")

    received = call(created["url"])

    assert received.status_code == 202
    (accepted,) = [record for record in records(hub.daemon.log_dir) if record["type"] == "event.accepted"]
    assert accepted["event"]["type"] == LEAD
    assert accepted["event"]["trust"] == "anonymous"


def test_what_is_unguessable_is_never_told(hub: Hub) -> None:
    hub.daemon.start()
    created = hub.put()

    for path in (f"?uuid={UNKNOWN}", "?uuid=", "", f"/{created['id']}", f"/{created['uuid']}"):
        assert call(hub.daemon.url(f"/hooks{path}")).status_code == 404
    call(created["url"])
    call(created["url"], content=b"<lead/>", headers={"Content-Type": "text/xml"})
    shown = [hub.pi("get", created["id"], "--json"), *hub.pi("list", "--json")]
    hub.daemon.stop()

    assert all(one["uuid"] == "***" for one in shown)
    assert created["uuid"].encode() not in hub.everything_written()
    assert created["uuid"] not in (hub.daemon.hooks_dir / created["origin"]["file"]).read_text()


async def test_a_pipeline_that_listens_sends_an_email(hub: Hub, post_office: MailServer) -> None:
    hub.daemon.write({"lead.toml": MAIL})
    hub.daemon.start()

    assert call(hub.put()["url"]).json()["runs"][0]["workflow"] == "lead"
    await hub.daemon.settled(30)

    (letter,) = post_office.letters
    assert letter.recipients == ("sales@example.com",)
    assert letter.sender == "hub@example.com"
    assert letter.message["Subject"] == "New lead: Ada"
    assert letter.text == "Ada of Analytical wants to hear from us.\n"


async def test_what_a_caller_sends_begins_no_header_and_adds_no_recipient(hub: Hub, post_office: MailServer) -> None:
    hub.daemon.write({"lead.toml": MAIL.replace('"sales@example.com"', '"{{ body.to }}"')})
    hub.daemon.start()
    url = hub.put()["url"]

    call(url, json={"to": "a@example.com", "name": "x\r\nBcc: eve@evil.example", "company": "\r\n.\r\nRSET\r\n"})
    call(url, json={"to": "a@example.com, eve@evil.example", "name": "x", "company": "x"})
    call(url, json={"to": "eve@evil.example", "name": "x", "company": "x"})
    await hub.daemon.settled(30)

    (letter,) = post_office.letters
    assert letter.recipients == ("a@example.com",)
    assert letter.message["Subject"] == "New lead: x Bcc: eve@evil.example"
    assert letter.message["Bcc"] is None
    assert "\n.\nRSET\n" in letter.text


async def test_mail_that_was_under_way_in_a_crash_is_not_sent_twice(hub: Hub) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hub.daemon.variables |= {
            "HOOKSD_SMTP": f"127.0.0.1:{silent.getsockname()[1]}",
            "HOOKSD_SMTP_SECURITY": "none",
            "HOOKSD_SMTP_FROM": "hub@example.com",
        }
        hub.daemon.write({"lead.toml": MAIL})
        hub.daemon.start()
        call(hub.put()["url"])
        connection, _ = await asyncio.to_thread(silent.accept)
        hub.daemon.kill()
        connection.close()
        hub.daemon.start()
        await hub.daemon.settled(30)
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.accept()

    (ended,) = [record for record in records(hub.daemon.log_dir) if record["type"] == "step.ended"]
    assert (ended["step"], ended["status"]) == ("tell", "interrupted")


async def test_by_default_a_pipeline_has_very_limited_privileges(hub: Hub, post_office: MailServer) -> None:
    hub.daemon.start()
    url = hub.put()["url"]

    hub.daemon.write({"lead.toml": MAIL.replace('run_as  = "clerk"\n', "")})
    without_role = hub.daemon.command("validate")
    hub.daemon.write({"lead.toml": MAIL.replace('trust   = "anonymous"\n', "")})
    assert hub.daemon.command("reload").returncode == 0
    received = call(url).json()
    why = hub.daemon.command("explain", received["event"]).stdout

    assert "`mail` needs a role" in without_role.stderr + without_role.stdout
    assert received["runs"] == []
    assert "the event is anonymous, the workflow wants token or better" in why
    assert post_office.letters == []


def test_webhooks_are_listed_shown_edited_and_deleted_by_their_uuid(hub: Hub) -> None:
    hub.daemon.start()
    created, other = hub.put(), hub.pi("create", "--event", "webhook.github.update", "-j")

    listed = hub.pi("list", "--json")
    shown = hub.pi("get", created["uuid"], "--json")
    edited = hub.pi("edit", created["uuid"], "--event", "webhook.salesforce.lead.changed", "--json")
    received = call(created["url"])
    hub.daemon.command("webhook", "delete", created["uuid"], "--yes")

    assert {one["event"] for one in listed} == {LEAD, "webhook.github.update"}
    assert (shown["id"], shown["event"]) == (created["id"], LEAD)
    assert (edited["id"], edited["event"]) == (created["id"], "webhook.salesforce.lead.changed")
    assert received.status_code == 202
    types = [record["event"]["type"] for record in records(hub.daemon.log_dir) if record["type"] == "event.accepted"]
    assert types == ["webhook.salesforce.lead.changed"]
    assert call(created["url"]).status_code == 404
    assert call(other["url"]).status_code == 202


async def test_a_webhook_receives_several_files_at_once(hub: Hub) -> None:
    hub.daemon.write(
        {
            "lead.toml": f"""
version = 1
on      = "{LEAD}"
run_as  = "archivist"
trust   = "anonymous"

[[steps]]
id       = "note"
set.seen = "{{{{ files.first.filename }}}}, {{{{ files.second.filename }}}} from {{{{ body.name }}}}"

[[steps]]
id   = "keep"
save = "files"
to   = "inbox/{{{{ run.id }}}}"
""",
            "roles.toml": f'{ROLES}[roles.archivist]\nallow = ["save:inbox/*"]\n',
        }
    )
    hub.daemon.start()

    received = call(
        hub.put()["url"],
        data={"name": "Ada"},
        files={"first": ("a.pdf", b"%PDF-1.7 first"), "second": ("../../b.txt", b"second")},
    )
    await hub.daemon.settled(30)

    assert received.status_code == 202, received.text
    noted, kept = [record for record in records(hub.daemon.log_dir) if record["type"] == "step.ended"]
    assert noted["output"] == {"seen": "a.pdf, ../../b.txt from Ada"}
    assert kept["status"] == "ok", kept
    # What a caller calls a file is data: it is saved under a name of the same look, where the step says.
    inbox = hub.daemon.directory / "state" / "files" / "inbox" / received.json()["runs"][0]["id"]
    saved = {path.name: path.read_bytes() for path in inbox.iterdir()}
    assert saved == {"a.pdf": b"%PDF-1.7 first", "b.txt": b"second"}


async def test_an_outgoing_webhook_is_sent_from_inside_a_pipeline(hub: Hub) -> None:
    async with receiver(answer()) as crm:
        hub.daemon.write(
            {
                "lead.toml": f"""
version = 1
on      = "{LEAD}"
run_as  = "clerk"
trust   = "anonymous"

[endpoints.crm]
url = "{crm.url("/leads")}"

[[steps]]
send      = "crm"
json.lead = "{{{{ body.name }}}}"
"""
            }
        )
        hub.daemon.start()
        await asyncio.to_thread(call, hub.put()["url"])
        await hub.daemon.settled(30)

    (request,) = crm.requests
    assert request.line.startswith("POST /leads ")
    assert orjson.loads(request.body) == {"lead": "Ada"}
