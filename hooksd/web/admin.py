"""The admin listener: what operators and the command line ask of a running daemon. See docs/http-api.md."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hooksd.clock import Clock
from hooksd.engine.ports import Intake
from hooksd.errors import JournalError
from hooksd.model.ids import EVENT_PREFIX, RUN_PREFIX, IdFactory
from hooksd.telemetry import happenings
from hooksd.telemetry.observer import Observer
from hooksd.web.access import caller_of
from hooksd.web.answer import Answer, json_answer
from hooksd.web.asked import Refusal, document_of, identifier_in, not_held, unknown
from hooksd.web.control import Control
from hooksd.web.desk import Desk, Endpoint
from hooksd.web.editing import Editor
from hooksd.web.history import event_view, run_view
from hooksd.web.manual import NotMeant, StartWorkflow, manual_event, ping_event, read_trigger
from hooksd.web.outcome import started_document
from hooksd.web.problem import problem, unavailable
from hooksd.web.refusals import AdminReason, Refusals
from hooksd.web.views import KINDS, config_view, documents
from hooksd.web.webhooks import WebhookDesk

_LISTED = ("webhooks", "workflows", "roles")
"""Endpoints have a desk of their own, which knows how things stand with them."""
_REASONS: Final[Mapping[int, AdminReason]] = {
    400: "unreadable_body",
    404: "unknown_workflow",
    413: "too_large",
    422: "unfit",
}
"""Why nothing was triggered, by the status of the answer."""
_FORBIDDEN: Final[Mapping[int, AdminReason]] = {403: "read_only"}


class Admin:
    """Serves operators. Everything it says comes from the definitions in force, the log and the metrics."""

    def __init__(  # noqa: PLR0913 - what it works with, each by name
        self,
        *,
        control: Control,
        intake: Intake,
        ids: IdFactory,
        clock: Clock,
        observer: Observer,
        public_url: str | None,
        refusals: Refusals,
        editor: Editor | None = None,
        desks: Sequence[Desk] = (),
    ) -> None:
        """Take what it works with.

        Args:
            control: The daemon.
            intake: Where triggered events go.
            ids: Names events.
            clock: The time.
            observer: Told of errors; its metrics are what `/metrics` shows.
            public_url: What URLs of webhooks and runs start with; None: they are paths.
            refusals: Where refused requests are counted.
            editor: Changes webhooks; None: `admin_write` is off.
            desks: What else is served.
        """
        self.refusals = refusals
        """Where refused requests are counted."""
        self._control = control
        self._intake = intake
        self._ids = ids
        self._clock = clock
        self._observer = observer
        self._public_url = public_url
        self._desks = tuple(desks)
        self._webhooks = WebhookDesk(control=control, editor=editor, public_url=public_url)

    def routes(self) -> list[Route]:
        """Return every route there is."""
        api = "/api/v1"
        return [
            Route(f"{api}/status", self._served(self._status), methods=["GET"]),
            Route(f"{api}/reload", self._served(self._reload), methods=["POST"]),
            Route(f"{api}/trigger", self._served(self._trigger, _REASONS), methods=["POST"]),
            Route(f"{api}/endpoints/{{name}}/ping", self._served(self._ping), methods=["POST"]),
            Route(f"{api}/config", self._served(self._config), methods=["GET"]),
            Route(f"{api}/events/{{id}}", self._served(self._event), methods=["GET"]),
            Route(f"{api}/runs/{{id}}", self._served(self._run), methods=["GET"]),
            *(Route(f"{api}/{kind}", self._served(self._listed(kind)), methods=["GET"]) for kind in _LISTED),
            *(Route(f"{api}/{kind}/{{name}}", self._served(self._shown(kind)), methods=["GET"]) for kind in _LISTED),
            Route(f"{api}/webhooks", self._served(self._webhooks.create), methods=["POST"]),
            Route(f"{api}/webhooks/{{name}}", self._served(self._webhooks.put), methods=["PUT"]),
            Route(f"{api}/webhooks/{{name}}", self._served(self._webhooks.delete), methods=["DELETE"]),
            *(
                Route(f"{api}{served.path}", self._served(served.answer), methods=[served.method])
                for desk in self._desks
                for served in desk.serves()
            ),
            Route("/metrics", self._served(self._metrics), methods=["GET"]),
        ]

    def _served(
        self, endpoint: Endpoint, refused: Mapping[int, AdminReason] = _FORBIDDEN
    ) -> Callable[[Request], Awaitable[Response]]:
        """Turn an endpoint into what Starlette calls; nothing that goes wrong in it leaves as an error.

        Args:
            endpoint: Answers.
            refused: Which of its answers are refusals that operators find in the log, by their status.
        """

        async def serve(request: Request) -> Response:
            try:
                answer = await endpoint(request)
            except Refusal as refusal:
                answer = refusal.answer
            except JournalError:
                answer = unavailable("nothing can be written now; send the same request again later")
            except Exception as error:  # noqa: BLE001 - the problem handler: callers never see an error of ours
                path = request.scope["path"]
                self._observer.emit(happenings.RequestFailed(method=request.method, path=path, exc_info=error))
                answer = problem(500, "hooksd made an error; its log says more")
            if (reason := refused.get(answer.status)) is not None:
                by = await asyncio.to_thread(caller_of, request)
                self.refusals.add(webhook=None, reason=reason, status=answer.status, peer=by, listener="admin")
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in answer.headers}
            return Response(answer.body, answer.status, headers)

        return serve

    async def _status(self, _request: Request) -> Answer:
        return json_answer(200, self._control.status())

    async def _reload(self, request: Request) -> Answer:
        document = await document_of(request)
        if not isinstance(document, Mapping | None) or set(document or {}) - {"accept"}:
            return problem(422, 'send nothing, or {"accept": "REVISION"}')
        accept = (document or {}).get("accept")
        if not isinstance(accept, str | None):
            return problem(422, "`accept` is the revision, as text, that `hooksd status` shows as held")
        verdict = await self._control.reload(accept)
        if verdict["state"] == "IN_SYNC":
            return json_answer(200, verdict)
        return problem(409, "the definitions in the directory are not in force", more=verdict)

    async def _trigger(self, request: Request) -> Answer:
        try:
            trigger = read_trigger(await document_of(request))
        except NotMeant as error:
            return problem(422, str(error))
        event = manual_event(self._ids.event(), trigger, self._clock.now())
        if isinstance(trigger, StartWorkflow):
            workflows = self._control.current().workflows
            if trigger.workflow not in workflows:
                return unknown("workflow", trigger.workflow, workflows)
            accepted = await self._intake.start(event, trigger.workflow)
        else:
            accepted = await self._intake.accept(event, origin=None)
        return json_answer(202, started_document(accepted, event.time, (self._public_url or "").rstrip("/")))

    async def _ping(self, request: Request) -> Answer:
        name, endpoints = request.path_params["name"], self._control.current().endpoints
        if name not in endpoints:
            return unknown("endpoint", name, endpoints)
        sender = await asyncio.to_thread(caller_of, request)
        event = ping_event(self._ids.event(), name, endpoints[name].value, self._clock.now(), sender=sender)
        accepted = await self._intake.send(event, name)
        return json_answer(202, {"event": event.id, "delivery": accepted.deliveries[0].id})

    async def _config(self, _request: Request) -> Answer:
        return json_answer(200, config_view(self._control.current()))

    def _listed(self, kind: str) -> Endpoint:
        if kind == "webhooks":
            return self._webhooks.listed

        async def listed(_request: Request) -> Answer:
            views = KINDS[kind](self._control.current(), self._public_url)
            return json_answer(200, {kind: [views[name] for name in sorted(views)]})

        return listed

    def _shown(self, kind: str) -> Endpoint:
        async def shown(request: Request) -> Answer:
            if kind == "webhooks" and (answer := await self._webhooks.text(request)) is not None:
                return answer
            snapshot = self._control.current()
            name = request.path_params["name"]
            views = KINDS[kind](snapshot, self._public_url)
            if name not in views:
                return unknown(kind.removesuffix("s"), name, views)
            return json_answer(200, {**views[name], "definition": documents(snapshot, kind)[name]})

        return shown

    async def _event(self, request: Request) -> Answer:
        identifier = identifier_in(request, EVENT_PREFIX, "event")
        view = event_view(identifier, await self._control.history(identifier))
        return json_answer(200, view) if view else not_held("event", identifier)

    async def _run(self, request: Request) -> Answer:
        identifier = identifier_in(request, RUN_PREFIX, "run")
        view = run_view(identifier, await self._control.history(identifier))
        return json_answer(200, view) if view else not_held("run", identifier)

    async def _metrics(self, _request: Request) -> Answer:
        kind = b"text/plain; version=0.0.4; charset=utf-8"
        return Answer(status=200, headers=((b"content-type", kind),), body=self._observer.metrics.render())
