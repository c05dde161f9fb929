"""Coviu's page "Webhooks Documentation", told with hooksd: its sections, its examples, its order.

What is called otherwise here: a webhook that a plugin triggers is an endpoint, its `id` the name of a table,
`queryParams` is `query_params`, and `api.webhooks.trigger(ID, ...)` is `POST /api/v1/endpoints/ID/trigger` or a
`call` step.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from tests.delivery.certificates import Authority
from tests.delivery.receiver import Receiver, answer, receiver
from tests.end_to_end.daemon import Daemon, free_port, records

PLUGIN_KEY = "the key of the plugin"
OPERATOR_KEY = "the key of the operator"
API_SECRET = "a secret that only the receiver knows"
PATH = "a-path-that-is-nobodys-business"
HIDDEN = (API_SECRET, PLUGIN_KEY, OPERATOR_KEY, PATH, "a-literal-credential")
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")

GET_RANDOM_API = """
[endpoints.get-randomapi]
url          = "{url}api/v1/randomApi"
method       = "GET"
headers      = {{}}
query_params = ["pageNum"]
callers      = ["plugin"]
"""
SEND_JPEG = """
[endpoints.send-jpeg]
url                  = "{url}post"
headers.Content-Type = "image/jpeg"
payload_encoding     = "base64"
callers              = ["plugin"]
"""
CREATE_NOTE = """
[endpoints.create-note]
url            = "{url}{{{{ secrets.path }}}}/notes"
method         = "PUT"
headers.X-Room = "waiting"
bearer         = "credential:api"
callers        = ["plugin"]
"""
ANSWER = answer("200 OK", {"Content-Type": "application/json"}, b'{"page": 1, "items": ["a", "b"]}')


class Plugin:
    """The daemon, and a plugin that knows the ids of endpoints and a key, and nothing else."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.api = f"http://127.0.0.1:{free_port()}/api/v1"
        daemon.credential("plugin", PLUGIN_KEY)
        daemon.credential("operator", OPERATOR_KEY)
        daemon.credential("api", API_SECRET)
        daemon.credential("path", PATH)
        daemon.variables |= {
            "HOOKSD_ADMIN": self.api.removeprefix("http://").removesuffix("/api/v1"),
            "HOOKSD_ADMIN_TOKEN": "credential:operator",
            "HOOKSD_TRIGGER_KEYS": "plugin=credential:plugin",
        }
        self.seen: list[str] = []
        """Everything that the plugin was ever told."""

    def start(self, *registrations: str, url: str = "") -> None:
        self.daemon.write({"registered.toml": "version = 1\n" + "".join(registrations).format(url=url)})
        self.daemon.start()

    async def ask(self, method: str, path: str, key: str = PLUGIN_KEY, **more: Any) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, timeout=60, headers={"X-Api-Key": key}) as client:
            said = await client.request(method, f"{self.api}{path}", **more)
        if key == PLUGIN_KEY:
            self.seen.append(f"{said.headers}{said.text}")
        return said

    async def trigger(
        self, webhook: str, data: Any = None, headers: Any = None, query: Any = None, key: str = PLUGIN_KEY
    ) -> httpx.Response:
        """`api.webhooks.trigger(webhookId, data, headers, queryParams)`."""
        given = {"data": data, "headers": headers or {}, "queryParams": query}
        return await self.ask("POST", f"/endpoints/{webhook}/trigger", key, json=given)

    def log(self, *kinds: str) -> list[dict[str, Any]]:
        return [record for record in records(self.daemon.log_dir) if not kinds or record["type"] in kinds]


@pytest.fixture
def plugin(daemon: Daemon) -> Plugin:
    return Plugin(daemon)


# Description


async def test_every_invocation_creates_a_record_and_returns_a_reference_to_it(plugin: Plugin) -> None:
    async with receiver(ANSWER) as server:
        plugin.start(CREATE_NOTE, url=server.url())

        first = (await plugin.trigger("create-note", {"text": "hello"}, {"X-Trace": "7"})).json()
        second = (await plugin.trigger("create-note", {"text": "hello"})).json()

    assert first["referenceId"] != second["referenceId"]
    (created, _) = plugin.log("delivery.created")
    assert created["delivery"] == first["referenceId"]
    assert (created["endpoint"], created["by"], created["is_call"]) == ("create-note", "plugin", True)
    assert created["body"]["content"] == {"text": "hello"}
    assert created["headers"] == {"X-Trace": "7"}
    (ended, _) = plugin.log("attempt.ended")
    assert (ended["delivery"], ended["outcome"], ended["exchange"]["status"]) == (first["referenceId"], "ok", 200)
    assert ended["exchange"]["request_sha256"] == hashlib.sha256(server.requests[0].body).hexdigest()
    # And it is there for the operator, by the reference alone.
    shown = plugin.daemon.command("explain", first["referenceId"])
    assert (shown.returncode, "create-note" in shown.stdout) == (0, True)


# Usage


async def test_triggering_passes_the_data_the_headers_and_the_parameters_and_returns_four_members(
    plugin: Plugin,
) -> None:
    async with receiver(ANSWER) as server:
        plugin.start(CREATE_NOTE, GET_RANDOM_API, url=server.url())

        note = await plugin.trigger("create-note", {"key": "value"}, {"header": "headerValue"}, None)
        page = await plugin.trigger("get-randomapi", None, {}, {"pageNum": 2})
        text = await plugin.trigger("create-note", "just text")

    for said in (note, page, text):
        assert said.status_code == 200
        assert set(said.json()) == {"referenceId", "status", "data", "error"}
        assert (said.json()["status"], said.json()["error"]) == (200, False)
        assert said.json()["data"] == {"page": 1, "items": ["a", "b"]}
    put, got, plain = server.requests
    assert put.line.startswith(f"PUT /{PATH}/notes ")
    assert (orjson.loads(put.body), put.headers["header"]) == ({"key": "value"}, "headerValue")
    assert (put.headers["x-room"], put.headers["authorization"]) == ("waiting", f"Bearer {API_SECRET}")
    assert (got.line, got.body) == ("GET /api/v1/randomApi?pageNum=2 HTTP/1.1", b"")
    assert (plain.body, plain.headers["content-type"]) == (b"just text", "text/plain")


# This method will fail if


async def test_it_fails_if_no_webhook_is_registered_with_the_id(plugin: Plugin) -> None:
    async with receiver(ANSWER) as server:
        plugin.start(CREATE_NOTE, url=server.url())

        said = await plugin.trigger("create-nothing", {})

    assert said.status_code == 404
    assert said.json()["detail"] == "there is no endpoint 'create-nothing'"
    assert server.requests == []


OUTLINED = """
[endpoints.outlined]
url     = "{url}outlined"
schema  = "schemas/note.json"
callers = ["plugin"]
"""
SCHEMA = """{"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "maxLength": 5}}}"""
VIOLATIONS: tuple[tuple[str, Any, Any, Any, str], ...] = (
    ("get-randomapi", None, {}, {"pageNumber": 1}, "the query takes `pageNum`: leave 'pageNumber' out"),
    ("get-randomapi", None, {}, {"pageNum": [1]}, "`queryParams` is an object whose values are texts or numbers"),
    ("get-randomapi", None, {}, ["pageNum"], "`queryParams` is an object"),
    ("get-randomapi", {"a": 1}, {}, None, "asked with GET, which takes no data"),
    ("create-note", {}, {}, {"pageNum": 1}, "the query takes no parameters"),
    ("create-note", {}, {"X-Room": "another"}, None, "the header X-Room is not for the caller to say"),
    ("create-note", {}, {"Host": "evil.example"}, None, "the header Host is not for the caller to say"),
    ("create-note", {}, {"Authorization": "Bearer mine"}, None, "holds a credential"),
    ("create-note", {}, {"X-A": "1\r\nX-B: 2"}, None, "control character"),
    ("create-note", {}, {"Content-Length": "1"}, None, "set by hooksd alone"),
    ("outlined", {"txt": "hello"}, {}, None, '"text" is a required property'),
    ("outlined", {"text": "hello, world"}, {}, None, "$.text: "),
    ("send-jpeg", "no base64!", {}, None, "the text is not base64"),
    ("send-jpeg", {"picture": "/9j/"}, {}, None, "it takes text, and this is another kind of data"),
    ("send-jpeg", "/9j/", {"content-type": "image/png"}, None, "the header content-type is not for the caller"),
)


async def test_it_fails_if_the_data_does_not_adhere_to_the_format_and_sends_nothing(plugin: Plugin) -> None:
    async with receiver(ANSWER) as server:
        plugin.daemon.write({"schemas/note.json": SCHEMA})
        plugin.start(CREATE_NOTE, GET_RANDOM_API, SEND_JPEG, OUTLINED, url=server.url())

        for webhook, data, headers, query, why in VIOLATIONS:
            said = await plugin.trigger(webhook, data, headers, query)
            assert (said.status_code, why in said.json()["detail"]) == (422, True), said.text

    assert server.connections == 0
    assert plugin.log("delivery.created", "attempt.started") == []


# This method will succeed if


ANSWERS: tuple[tuple[bytes, int | None, Any], ...] = (
    (answer("404 Not Found", {"Content-Type": "application/json"}, b'{"detail": "no"}'), 404, {"detail": "no"}),
    (answer("500 Internal Server Error", {"Content-Type": "text/plain"}, b"oh"), 500, "oh"),
    (answer("302 Found", {"Location": "https://elsewhere.example/"}), 302, None),
    (b"", None, None),
)


async def test_it_succeeds_if_the_endpoint_returns_a_failure(plugin: Plugin) -> None:
    left = [said for said, _, _ in ANSWERS]

    async def fail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Give one answer, and none at last."""
        await reader.readuntil(b"\r\n\r\n")
        writer.write(left.pop(0))
        await writer.drain()
        writer.close()

    references: list[str] = []
    async with receiver(fail) as server:
        plugin.start(CREATE_NOTE, url=server.url())

        for _, status, data in ANSWERS:
            told = await plugin.trigger("create-note", {"a": 1})
            assert told.status_code == 200
            references.append(told.json()["referenceId"])
            assert told.json() == {"referenceId": references[-1], "status": status, "data": data, "error": True}

    # Each was asked once, as a caller expects who gets the answer.
    assert server.connections == len(ANSWERS)
    assert [record["delivery"] for record in plugin.log("delivery.ended")] == references


async def test_it_succeeds_if_the_endpoint_cannot_be_contacted(plugin: Plugin) -> None:
    plugin.start(CREATE_NOTE, url=f"http://127.0.0.1:{free_port()}/")

    told = await plugin.trigger("create-note", {"a": 1})

    assert told.status_code == 200
    assert (told.json()["status"], told.json()["data"], told.json()["error"]) == (None, None, True)
    (ended,) = plugin.log("attempt.ended")
    assert (ended["delivery"], ended["outcome"]) == (told.json()["referenceId"], "refused")


# Webhook Registration


REFUSED = """
[endpoints.no-url]
method = "GET"
[endpoints.method]
url    = "https://x.example"
method = "FETCH"
[endpoints.url]
url = "coviu.com/api/v1/randomApi"
[endpoints.words]
url         = "https://x.example"
queryParams = ["pageNum"]
[endpoints.header]
url           = "https://x.example"
headers."X A" = "1"
[endpoints.template]
url         = "https://x.example"
headers.X-A = "{{ body.a"
[endpoints.encoding]
url              = "https://x.example"
payload_encoding = "base32"
[endpoints.secret]
url = "https://x.example/{{ secrets.nothing }}"
["endpoints"."an id"]
url = "https://x.example"
"""


def test_a_registration_that_cannot_work_is_refused_at_its_place(daemon: Daemon) -> None:
    daemon.write({"registered.toml": f"version = 1{REFUSED}"})

    told = daemon.command("validate", "--format", "json")

    assert told.returncode == 1
    found = [orjson.loads(line) for line in told.stdout.splitlines()]
    assert [(one["code"], one["line"], one["column"]) for one in found] == [
        ("H015", 2, 1),
        ("H017", 6, 10),
        ("H080", 8, 8),
        ("H012", 11, 1),
        ("H082", 14, 9),
        ("H050", 17, 16),
        ("H017", 20, 20),
        ("H070", 22, 29),
        ("H023", 23, 14),
    ]
    assert found[3]["hint"] == "did you mean `query_params`?"


async def test_a_registration_may_be_json_as_on_the_page(plugin: Plugin) -> None:
    async with receiver(ANSWER) as server:
        registration = {
            "url": f"{server.url()}api/v1/randomApi",
            "method": "GET",
            "headers": {},
            "query_params": ["pageNum"],
        }
        document = {"version": 1, "endpoints": {"get-randomapi": {**registration, "callers": ["plugin"]}}}
        plugin.daemon.write({"registered.json": orjson.dumps(document).decode()})
        plugin.start()

        said = await plugin.trigger("get-randomapi", query={"pageNum": "3"})

    assert said.json()["data"] == {"page": 1, "items": ["a", "b"]}
    assert server.requests[0].line == "GET /api/v1/randomApi?pageNum=3 HTTP/1.1"


async def test_binary_data_is_posted_as_bytes(plugin: Plugin) -> None:
    async with receiver(ANSWER) as server:
        plugin.start(SEND_JPEG, url=server.url())

        said = await plugin.trigger("send-jpeg", base64.b64encode(JPEG).decode())

    assert said.json()["error"] is False
    (request,) = server.requests
    assert request.line == "POST /post HTTP/1.1"
    assert (request.headers["content-type"], request.body) == ("image/jpeg", JPEG)


KINDS = """
[endpoints.form]
url          = "{url}form"
content_type = "form"
callers      = ["plugin"]

[endpoints.multipart]
url          = "{url}multipart"
content_type = "multipart"
callers      = ["plugin"]

[endpoints.raw]
url                  = "{url}raw"
content_type         = "raw"
headers.Content-Type = "application/xml"
max_payload          = "20B"
callers              = ["plugin"]

[endpoints.templated]
url             = "{url}templated"
method          = "DELETE"
headers.X-Order = "{{{{ body.id }}}} by {{{{ headers['x-user'] | default('nobody') }}}}"
callers         = ["plugin"]
"""


async def test_every_kind_of_payload_can_be_asked_for(plugin: Plugin) -> None:
    async with receiver(ANSWER) as server:
        plugin.start(KINDS, url=server.url())
        photo = {"filename": "me.jpg", "content_type": "image/jpeg", "base64": base64.b64encode(JPEG).decode()}

        for webhook, data in [
            ("form", {"name": "Ada L", "tags": ["a", "b"]}),
            ("multipart", {"name": "Ada", "photo": photo}),
            ("raw", "<a/>"),
            ("templated", {"id": 7}),
        ]:
            assert (await plugin.trigger(webhook, data)).json()["error"] is False
        too_long = await plugin.trigger("raw", "<a>" + "x" * 20 + "</a>")
        nameless = await plugin.trigger("templated", {})

    form, multipart, raw, templated = server.requests
    assert (form.headers["content-type"], form.body) == (
        "application/x-www-form-urlencoded", b"name=Ada+L&tags=a&tags=b",
    )  # fmt: skip
    assert multipart.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="photo"; filename="me.jpg"\r\nContent-Type: image/jpeg\r\n\r\n' + JPEG + b"\r\n" in multipart.body
    assert (raw.headers["content-type"], raw.body) == ("application/xml", b"<a/>")
    assert (templated.line, templated.headers["x-order"]) == ("DELETE /templated HTTP/1.1", "7 by nobody")
    assert (too_long.status_code, "20 at most" in too_long.text) == (422, True)
    assert (nameless.status_code, "`body.id` is missing" in nameless.text) == (422, True)


# Summary


LITERAL = """
[endpoints.literal]
url                   = "{url}literal"
headers.Authorization = "Bearer a-literal-credential"
callers               = ["plugin"]
"""
CLOSED = """
[endpoints.for-operators]
url = "{url}operators"
"""


async def test_urls_and_credentials_are_hidden_from_the_client_app(plugin: Plugin) -> None:
    async def tell_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Repeat what was sent, as services for tests do."""
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(answer("200 OK", {"Content-Type": "text/plain"}, head))
        await writer.drain()
        writer.transport.close()

    async with receiver(tell_all) as server:
        plugin.start(CREATE_NOTE, GET_RANDOM_API, SEND_JPEG, LITERAL, CLOSED, url=server.url())
        for webhook in ("create-note", "literal"):
            echo = (await plugin.trigger(webhook, {"a": 1})).json()
            assert (echo["error"], "authorization: bearer ***" in echo["data"].lower()) == (False, True)
    for _ in range(2):  # the second after nobody listens there any more
        await plugin.trigger("create-note", {"a": 1})
        await plugin.trigger("send-jpeg", "!")
        await plugin.trigger("get-randomapi", query={"x": 1})

    # A plugin's key triggers what names it, and opens nothing else.
    assert (await plugin.trigger("for-operators", {})).status_code == 404
    assert (await plugin.trigger("for-operators", {}, key=OPERATOR_KEY)).status_code == 200
    for method, path in [
        ("GET", "/endpoints"), ("GET", "/endpoints/create-note"), ("GET", "/config"), ("POST", "/reload"),
        ("POST", "/endpoints/create-note/ping"), ("POST", "/events"), ("POST", "/trigger"), ("GET", "/status"),
    ]:  # fmt: skip
        assert (await plugin.ask(method, path)).status_code == 403
    assert (await plugin.ask("GET", "/endpoints/create-note/trigger")).status_code == 405
    assert (await plugin.ask("POST", "/endpoints/create-note/trigger", key="guessed")).status_code == 401

    told = "\n".join(plugin.seen)
    for hidden in (*HIDDEN, "for-operators is"):
        assert hidden not in told
    for said in plugin.seen[2:]:  # the first two repeat the header Host, which the receiver said
        assert str(server.port) not in said
    # What the operator reads tells where it went, and no secret either.
    pages = [await plugin.ask("GET", path, key=OPERATOR_KEY) for path in ("/endpoints", "/config")]
    listed = "".join(page.text for page in pages)
    assert str(server.port) in listed
    log = b"".join(path.read_bytes() for path in plugin.daemon.log_dir.rglob("*") if path.is_file()).decode()
    for hidden in HIDDEN:
        assert hidden not in listed + log + plugin.daemon.stderr


CHAIN = """
version = 1
on      = "webhook:snapshot"

[webhooks.snapshot]
auth.type   = "bearer"
auth.secret = "credential:api"
answer      = "wait:20s"

[[steps]]
id            = "page"
call          = "get-randomapi"
query.pageNum = "{{ body.page }}"

[[steps]]
id   = "picture"
if   = "not steps.page.output.error"
call = "send-jpeg"
data = "{{ body.jpeg }}"

[[steps]]
respond = { first = "{{ steps.page.output }}", then = "{{ steps.picture.output.status }}" }

[endpoints.snapshot]
url     = "OURSELVES"
bearer  = "credential:api"
callers = ["plugin"]
"""


async def test_chains_use_webhooks_that_are_hidden_from_the_client_app(plugin: Plugin) -> None:
    hidden = [registration.replace("callers", "description").replace('["plugin"]', '"of the chain"')
              for registration in (GET_RANDOM_API, SEND_JPEG)]  # fmt: skip
    async with receiver(ANSWER) as server:
        plugin.daemon.write({"chain.toml": CHAIN.replace("OURSELVES", plugin.daemon.url("/hooks/snapshot"))})
        plugin.start(*hidden, url=server.url())

        said = (await plugin.trigger("snapshot", {"page": 4, "jpeg": base64.b64encode(JPEG).decode()})).json()
        assert (await plugin.trigger("send-jpeg", "/9j/")).status_code == 404
        refused = (await plugin.trigger("snapshot", {"page": 5, "jpeg": "!"})).json()
        await plugin.daemon.settled(60)

    assert (said["status"], said["error"], said["data"]["then"]) == (200, False, 200)
    first = said["data"]["first"]
    assert first["data"] == {"page": 1, "items": ["a", "b"]}
    page, picture, again = server.requests
    assert page.line == "GET /api/v1/randomApi?pageNum=4 HTTP/1.1"
    assert (picture.headers["content-type"], picture.body) == ("image/jpeg", JPEG)
    assert again.line == "GET /api/v1/randomApi?pageNum=5 HTTP/1.1"
    # What does not fit fails the step: nothing was sent, and the caller is told that nobody answered.
    assert refused["status"] == 202
    failed = [record for record in plugin.log("step.ended") if record["status"] == "failed"]
    assert [(record["step"], "not base64" in record["error"]) for record in failed] == [("picture", True)]
    # Each link has its own record: two of the plugin's, three of the chain.
    by = [(record["endpoint"], record["by"]) for record in plugin.log("delivery.created")]
    assert sorted(by, key=str) == [
        ("get-randomapi", None), ("get-randomapi", None), ("send-jpeg", None), ("snapshot", "plugin"),
        ("snapshot", "plugin"),
    ]  # fmt: skip


@contextlib.asynccontextmanager
async def secure(directory: Path) -> AsyncIterator[tuple[Receiver, Path]]:
    authority = await asyncio.to_thread(Authority, directory)
    pem = await asyncio.to_thread(authority.vouch, "receiver", "IP:127.0.0.1")
    async with receiver(ANSWER, tls=authority.serving(pem)) as server:
        yield server, authority.own.certificate


async def test_requests_made_over_https_are_auditable_and_their_certificates_are_checked(
    plugin: Plugin, tmp_path: Path
) -> None:
    async with secure(tmp_path) as (server, certificate):
        trusted = GET_RANDOM_API + f'tls.ca = "file:{certificate}"\n'
        plugin.start(trusted, SEND_JPEG, url=server.url())

        said = (await plugin.trigger("get-randomapi", query={"pageNum": 1})).json()
        untrusted = (await plugin.trigger("send-jpeg", "/9j/")).json()

    assert (said["status"], said["error"]) == (200, False)
    assert (untrusted["status"], untrusted["data"], untrusted["error"]) == (None, None, True)
    assert len(server.requests) == 1
    first, second = plugin.log("attempt.ended")
    assert first["exchange"]["url"] == f"{server.url()}api/v1/randomApi?pageNum=1"
    assert "tls" in first["exchange"]["phases"]
    assert (first["outcome"], second["outcome"]) == ("ok", "tls")


async def test_what_was_under_way_when_the_daemon_died_has_a_recorded_end_and_is_not_sent_twice(plugin: Plugin) -> None:
    reached = asyncio.Event()

    async def keep_waiting(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        reached.set()
        await reader.read()

    async with receiver(keep_waiting) as server:
        plugin.start(SEND_JPEG, url=server.url())
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(cut_off(plugin))
            await reached.wait()
            plugin.daemon.kill()
            await asking
        plugin.daemon.start()
        await plugin.daemon.settled(60)

    (ended,) = plugin.log("delivery.ended")
    assert ended["status"] == "indeterminate"
    assert server.connections == 1


async def cut_off(plugin: Plugin) -> None:
    with contextlib.suppress(httpx.TransportError):
        await plugin.trigger("send-jpeg", "/9j/")
