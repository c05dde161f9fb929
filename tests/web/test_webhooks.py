from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from hooksd.config.diagnostics import Diagnostic
from hooksd.config.writing import TOML
from hooksd.model.base import Json
from hooksd.model.webhook import uuid_digest
from hooksd.web.app import admin_app
from hooksd.web.editing import Declined, Done, Editor, Wanted
from hooksd.web.webhooks import ID_LENGTH
from tests.web.desks import admin_of
from tests.web.doubles import FakeControl, client, snapshot, webhook

TEXT = "version = 1\n[webhooks.shop]\nauth.type = 'none'\n"
PROBLEM = Diagnostic(code="H012", message="unknown key `x`", file="a.toml", line=3, column=1, end_column=2, excerpt="x")


class FakeEditor:
    """Remembers what it was asked for, and puts it in force."""

    def __init__(self, control: FakeControl) -> None:
        self.control = control
        self.wanted: list[Wanted] = []
        self.removed: list[tuple[str, str, str | None]] = []
        self.declines: Declined | None = None

    async def put(self, wanted: Wanted) -> Done | Declined:
        self.wanted.append(wanted)
        known = wanted.name in self.control.snapshot.webhooks
        if self.declines is None:
            content = wanted.content if isinstance(wanted.content, Mapping) else {}
            keys = {key: content[key] for key in ("uuid",) if key in content}
            path = "/hooks" if keys else None
            self.control.snapshot = snapshot(
                webhook("github"), webhook("shop"), webhook(wanted.name, path=path, **keys)
            )
        return self.declines or Done(created=not known)

    async def delete(self, name: str, *, by: str, known: str | None) -> Done | Declined:
        self.removed.append((name, by, known))
        return self.declines or Done()

    async def text(self, name: str) -> str | Declined:  # noqa: ARG002 - see Editor
        return self.declines or TEXT


_: type[Editor] = FakeEditor


class Desk:
    """An admin application of fakes."""

    def __init__(self, *, writes: bool = True) -> None:
        self.control = FakeControl()
        self.editor = FakeEditor(self.control)
        editor = self.editor if writes else None
        admin = admin_of(self.control, editor=editor, public_url="https://hooks.example.com")
        self.app = admin_app(admin, token=None)

    async def ask(self, method: str, path: str = "", **more: Any) -> httpx.Response:
        async with client(self.app) as caller:
            return await caller.request(method, f"/api/v1/webhooks{path}", **more)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PUT", "/shop"), ("DELETE", "/shop")])
async def test_nothing_is_written_unless_the_settings_allow_it(method: str, path: str) -> None:
    desk = Desk(writes=False)

    answer = await desk.ask(method, path)

    assert answer.status_code == 403
    assert "admin_write = true" in answer.json()["detail"]


async def test_a_webhook_is_put_and_shown_as_it_is_in_force(desk: Desk) -> None:
    answer = await desk.ask("PUT", "/leads", json={"auth": {"type": "none"}, "event": "lead.created"})

    assert answer.status_code == 201
    assert answer.headers["location"] == "/api/v1/webhooks/leads"
    assert answer.headers["etag"] == '"sha256:1"'
    assert answer.json()["url"] == "https://hooks.example.com/hooks/leads"
    (wanted,) = desk.editor.wanted
    assert wanted.content == {"auth": {"type": "none"}, "event": "lead.created"}
    assert (wanted.name, wanted.by, wanted.create, wanted.known) == ("leads", "local", False, None)


async def test_a_webhook_that_is_there_is_answered_200(desk: Desk) -> None:
    assert (await desk.ask("PUT", "/shop", json={"auth": {"type": "none"}})).status_code == 200


async def test_a_webhook_created_from_nothing_gets_a_name_that_nobody_can_guess(desk: Desk) -> None:
    answer = await desk.ask("POST")

    assert answer.status_code == 201
    assert re.fullmatch(rf"[A-Za-z0-9]{{{ID_LENGTH}}}", answer.json()["id"])
    (wanted,) = desk.editor.wanted
    assert wanted.create
    uuid = answer.json()["uuid"]
    assert wanted.content == {"auth": {"type": "none"}, "uuid": uuid_digest(uuid)}
    assert answer.json()["url"].endswith(f"/hooks?uuid={uuid}")


async def test_what_leads_to_a_webhook_can_be_made_anew(desk: Desk) -> None:
    first = await desk.ask("PUT", "/leads", json={"auth": {"type": "none"}, "uuid": "new"})
    second = await desk.ask("PUT", "/leads", json={"auth": {"type": "none"}, "uuid": "new"})

    assert first.json()["uuid"] != second.json()["uuid"]
    assert [wanted.content for wanted in desk.editor.wanted] == [
        {"auth": {"type": "none"}, "uuid": uuid_digest(answer.json()["uuid"])} for answer in (first, second)
    ]


async def test_a_webhook_is_found_by_what_leads_to_it_and_that_is_never_shown_again(desk: Desk) -> None:
    hidden = webhook("leads", uuid=uuid_digest("885d"), path="/hooks")
    desk.control.snapshot = snapshot(webhook("github"), hidden)

    found = (await desk.ask("GET", params={"uuid": "885d"})).json()["webhooks"]
    unknown = (await desk.ask("GET", params={"uuid": "885e"})).json()["webhooks"]
    every = (await desk.ask("GET")).json()["webhooks"]

    assert [one["name"] for one in found] == ["leads"]
    assert unknown == []
    assert [one["uuid"] for one in every] == [None, "***"]
    assert every[1]["url"] == "https://hooks.example.com/hooks?uuid=***"


async def test_a_webhook_may_be_created_by_a_name(desk: Desk) -> None:
    answer = await desk.ask("POST", json={"name": "leads", "auth": {"preset": "github"}})

    assert answer.json()["name"] == "leads"
    assert desk.editor.wanted[0].content == {"auth": {"preset": "github"}}


async def test_the_text_of_a_file_may_be_sent(desk: Desk) -> None:
    created = await desk.ask("POST", content=TEXT, headers={"Content-Type": TOML})
    changed = await desk.ask("PUT", "/shop", content=TEXT, headers={"Content-Type": f"{TOML}; charset=utf-8"})

    assert (created.status_code, changed.status_code) == (200, 200)
    assert [(wanted.name, wanted.content) for wanted in desk.editor.wanted] == [("shop", TEXT), ("shop", TEXT)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"version = ", "not TOML"),
        (b"version = 1", "one table"),
        (b"webhooks = 7", "one table"),
        (b"[webhooks.a]\n[webhooks.b]", "one table"),
        (b'[webhooks."../up"]', "a name is made of"),
    ],
)
async def test_a_text_must_say_which_webhook_it_defines(desk: Desk, content: bytes, said: str) -> None:
    answer = await desk.ask("POST", content=content, headers={"Content-Type": TOML})

    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert desk.editor.wanted == []


async def test_a_text_that_is_not_utf_8_is_unreadable(desk: Desk) -> None:
    answer = await desk.ask("PUT", "/shop", content=b"\xff", headers={"Content-Type": TOML})

    assert (answer.status_code, answer.json()["detail"]) == (400, "the text is not UTF-8 at byte 0")


@pytest.mark.parametrize("document", [[], "shop", {"name": "../shop"}, {"name": 7}, {"name": "x" * 129}])
async def test_what_names_no_webhook_is_not_understood(desk: Desk, document: Json) -> None:
    assert (await desk.ask("POST", json=document)).status_code == 422
    assert desk.editor.wanted == []


@pytest.mark.parametrize("name", [".hidden", "a%20b", "a%5Cb", "-x", "%2e%2e"])
async def test_a_name_in_the_path_that_is_no_name_is_refused(desk: Desk, name: str) -> None:
    assert (await desk.ask("PUT", f"/{name}", json={})).status_code in {404, 422}
    assert desk.editor.wanted == []


async def test_preconditions_are_those_of_http(desk: Desk) -> None:
    await desk.ask("PUT", "/shop", json={}, headers={"If-Match": '"sha256:1"'})
    await desk.ask("PUT", "/shop", json={}, headers={"If-Match": "*"})
    await desk.ask("PUT", "/shop", json={}, headers={"If-None-Match": "*"})
    await desk.ask("DELETE", "/shop", headers={"If-Match": '"sha256:1"'})

    assert [(wanted.known, wanted.create) for wanted in desk.editor.wanted] == [
        ("sha256:1", False),
        (None, False),
        (None, True),
    ]
    assert desk.editor.removed == [("shop", "local", "sha256:1")]


async def test_a_webhook_is_removed_without_a_word(desk: Desk) -> None:
    answer = await desk.ask("DELETE", "/shop")

    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    ("declined", "status"),
    [
        (Declined(reason="unknown", detail="gone"), 404),
        (Declined(reason="invalid", detail="bad", diagnostics=(PROBLEM,)), 422),
        (Declined(reason="conflict", detail="mixed"), 409),
        (Declined(reason="stale", detail="old"), 412),
        (Declined(reason="read_only", detail="sealed"), 403),
        (Declined(reason="no_room", detail="full"), 503),
    ],
)
async def test_what_is_declined_is_a_problem_that_says_why(desk: Desk, declined: Declined, status: int) -> None:
    desk.editor.declines = declined

    answers = [
        await desk.ask("PUT", "/shop", json={}),
        await desk.ask("DELETE", "/shop"),
        await desk.ask("GET", "/shop", headers={"Accept": TOML}),
    ]

    for answer in answers:
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"] == declined.detail
        assert [item["code"] for item in answer.json().get("diagnostics", [])] == [
            item.code for item in declined.diagnostics
        ]
        assert ("retry-after" in answer.headers) is (status == 503)


async def test_the_file_is_shown_to_who_wants_to_change_it(desk: Desk) -> None:
    answer = await desk.ask("GET", "/shop", headers={"Accept": TOML})

    assert answer.text == TEXT
    assert answer.headers["content-type"] == TOML
    assert answer.headers["etag"] == '"sha256:1"'


async def test_what_somebody_removes_at_once_is_not_called_done(desk: Desk) -> None:
    async def vanishing(wanted: Wanted) -> Done | Declined:
        desk.control.snapshot = snapshot()
        return Done(created=True)

    desk.editor.put = vanishing  # type: ignore[method-assign]

    assert (await desk.ask("PUT", "/shop", json={})).status_code == 409
