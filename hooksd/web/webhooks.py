"""Webhooks changed over the admin listener. What is written are files; this reads requests and words answers."""

from __future__ import annotations

import asyncio
import re
import secrets
import string
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from uuid import uuid4

import tomli
from starlette.requests import Request

from hooksd.config.diagnostics import as_json
from hooksd.config.writing import TOML
from hooksd.model.base import NAME_PATTERN, Json
from hooksd.model.webhook import UUID, uuid_digest
from hooksd.web.access import caller_of
from hooksd.web.answer import Answer, Headers, json_answer
from hooksd.web.asked import Refusal, bytes_of, document_of
from hooksd.web.control import Control
from hooksd.web.editing import Declined, Done, Editor, Wanted
from hooksd.web.problem import RETRY_AFTER, problem
from hooksd.web.views import documents, url_of, webhook_view

ID_LENGTH: Final = 16
"""Characters of a name that nobody chose: 95 random bits."""

NEW: Final = "new"
"""As `uuid` of a webhook: make one."""

_LETTERS: Final = string.ascii_letters + string.digits
_OFF: Final = "changes are made in files and their commits: set `admin_write = true` to let this API write them too"
_STATUS: Final[Mapping[str, int]] = {
    "unknown": 404, "invalid": 422, "conflict": 409, "stale": 412, "read_only": 403, "no_room": 503,
}  # fmt: skip


class WebhookDesk:
    """Creates, changes and removes webhooks for operators."""

    def __init__(self, *, control: Control, editor: Editor | None, public_url: str | None) -> None:
        """Take what it works with.

        Args:
            control: The daemon.
            editor: Writes; None: `admin_write` is off, and every change is answered 403.
            public_url: What URLs start with; None: they are paths.
        """
        self._control = control
        self._editor = editor
        self._public_url = public_url

    async def create(self, request: Request) -> Answer:
        """Answer `POST /api/v1/webhooks`."""
        editor = self._allowed()
        content = await _content(request)
        name = _chosen(content)
        if isinstance(content, Mapping):
            content = {key: value for key, value in content.items() if key != "name"}
            if "auth" not in content:
                # Nobody who has to prove who they are: then at least nobody who has not been told where.
                content = {"auth": {"type": "none"}, UUID: NEW, **content}
        return await self._put(editor, request, name, content, create=True)

    async def listed(self, request: Request) -> Answer:
        """Answer `GET /api/v1/webhooks`; with `?uuid=` the one that it leads to, if any."""
        snapshot = self._control.current()
        uuid = request.query_params.get(UUID)
        digest = None if uuid is None else uuid_digest(uuid)
        views: list[Json] = [
            webhook_view(item, snapshot.webhooks[name].path, self._public_url)
            for name, item in sorted(snapshot.definitions.webhooks.items())
            if digest is None or item.value.uuid == digest
        ]
        return json_answer(200, {"webhooks": views})

    async def put(self, request: Request) -> Answer:
        """Answer `PUT /api/v1/webhooks/NAME`."""
        editor = self._allowed()
        name = _checked(request.path_params["name"])
        create = request.headers.get("if-none-match", "").strip() == "*"
        return await self._put(editor, request, name, await _content(request), create=create)

    async def delete(self, request: Request) -> Answer:
        """Answer `DELETE /api/v1/webhooks/NAME`."""
        editor = self._allowed()
        name = request.path_params["name"]
        by = await asyncio.to_thread(caller_of, request)
        done = await editor.delete(name, by=by, known=_known(request))
        return _declined(done) if isinstance(done, Declined) else Answer(status=204)

    async def text(self, request: Request) -> Answer | None:
        """Answer `GET /api/v1/webhooks/NAME` for who wants to change the file; None: the JSON view is wanted."""
        if TOML not in request.headers.get("accept", ""):
            return None
        text = await self._allowed().text(request.path_params["name"])
        if isinstance(text, Declined):
            return _declined(text)
        defined = self._control.current().definitions.webhooks[request.path_params["name"]]
        headers: Headers = ((b"content-type", TOML.encode()), (b"etag", f'"{defined.digest}"'.encode()))
        return Answer(status=200, headers=headers, body=text.encode())

    def _allowed(self) -> Editor:
        if self._editor is None:
            raise Refusal(problem(403, _OFF))
        return self._editor

    async def _put(
        self, editor: Editor, request: Request, name: str, content: Mapping[str, Json] | str, *, create: bool
    ) -> Answer:
        by = await asyncio.to_thread(caller_of, request)
        uuid = str(uuid4()) if isinstance(content, Mapping) and content.get(UUID) == NEW else None
        if isinstance(content, Mapping) and uuid is not None:
            content = {**content, UUID: uuid_digest(uuid)}
        wanted = Wanted(name=name, content=content, by=by, create=create, known=_known(request))
        done = await editor.put(wanted)
        return _declined(done) if isinstance(done, Declined) else self._shown(name, done, uuid)

    def _shown(self, name: str, done: Done, uuid: str | None) -> Answer:
        """Show a webhook as it is in force; once, with the new text that leads to it."""
        snapshot = self._control.current()
        defined, compiled = snapshot.definitions.webhooks.get(name), snapshot.webhooks.get(name)
        if defined is None or compiled is None:
            return problem(409, f"webhook {name!r} was written, and is gone again: somebody removed it meanwhile")
        view = webhook_view(defined, compiled.path, self._public_url)
        if uuid is not None:
            url = url_of(defined, compiled.path, self._public_url, uuid) if self._public_url else None
            view |= {UUID: uuid, "url": url}
        document = {**view, "definition": documents(snapshot, "webhooks")[name]}
        etag = (b"etag", f'"{defined.digest}"'.encode())
        location = (b"location", f"/api/v1/webhooks/{name}".encode())
        return json_answer(201 if done.created else 200, document, (etag, location) if done.created else (etag,))


async def _content(request: Request) -> Mapping[str, Json] | str:
    """Read what a webhook shall be: a JSON object, or the text of a TOML file."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media == TOML:
        try:
            return (await bytes_of(request)).decode()
        except UnicodeDecodeError as error:
            raise Refusal(problem(400, f"the text is not UTF-8 at byte {error.start}")) from error
    document = await document_of(request)
    if document is None:
        return {}
    if not isinstance(document, Mapping):
        raise Refusal(problem(422, f"send the keys of a webhook as a JSON object, or a file as {TOML}"))
    return document


def _chosen(content: Mapping[str, Json] | str) -> str:
    """Return the name that a new webhook shall have: its own, or one that nobody can guess."""
    if isinstance(content, Mapping):
        name = content.get("name")
        return _checked(name) if name is not None else "".join(secrets.choice(_LETTERS) for _ in range(ID_LENGTH))
    try:
        webhooks = tomli.loads(content).get("webhooks")
    except tomli.TOMLDecodeError as error:
        raise Refusal(problem(422, f"the text is not TOML: {error}")) from error
    names = list(webhooks) if isinstance(webhooks, Mapping) else []
    if len(names) != 1:
        raise Refusal(problem(422, "the text must hold one table like `[webhooks.NAME]`"))
    return _checked(names[0])


def _checked(name: object) -> str:
    if isinstance(name, str) and len(name) <= 128 and re.fullmatch(NAME_PATTERN, name):
        return name
    raise Refusal(
        problem(422, "a name is made of letters, digits, `.`, `_` and `-`, at most 128, and begins with no mark")
    )


def _known(request: Request) -> str | None:
    """Return the digest that `If-Match` asks for (RFC 9110, section 13.1.1)."""
    given = request.headers.get("if-match", "").strip()
    return given.strip('"') if given not in ("", "*") else None


def _declined(declined: Declined) -> Answer:
    status = _STATUS[declined.reason]
    shown: list[Json] = [as_json(item) for item in declined.diagnostics]
    headers = RETRY_AFTER if status == HTTPStatus.SERVICE_UNAVAILABLE else ()
    return problem(status, declined.detail, headers=headers, more={"diagnostics": shown} if shown else None)
