"""The composition root: the only module that names concrete adapters. It builds the daemon and takes it apart.

Order: log (lock, recovery) -> unfinished work -> definitions -> engine and deliveries take up what is unfinished ->
listeners -> ready. What can refuse to start does so before anything has changed.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import uvloop

from hooksd import __version__
from hooksd.clock import rfc3339
from hooksd.config.settings import Settings, process_environment
from hooksd.config.snapshot import Snapshot, is_heard
from hooksd.daemon import systemd
from hooksd.daemon.control import Identity, Work, status_line
from hooksd.daemon.editor import FileEditor
from hooksd.daemon.faces import admin_face, limits_of, trigger_face
from hooksd.daemon.ground import Ground, ground_of
from hooksd.daemon.heartbeat import beat
from hooksd.daemon.keys import KeyKeeper, fetch_https
from hooksd.daemon.lifecycle import LAST_RESORT, Job, Parts, live
from hooksd.daemon.listen import CALLER_MODE, bind, name_of
from hooksd.daemon.performer import Switchboard
from hooksd.daemon.pings import Pinger
from hooksd.daemon.reload import Reloader
from hooksd.daemon.server import Listener
from hooksd.daemon.sources import loader
from hooksd.delivery.dispatcher import Dispatcher
from hooksd.delivery.distributor import Distributor
from hooksd.delivery.mailer import Mailer, Server
from hooksd.delivery.sender import HttpSender
from hooksd.engine.process import ProcessRunner
from hooksd.engine.runner import Engine
from hooksd.engine.saving import FileSaver
from hooksd.errors import JournalFull
from hooksd.journal.accepted import accepted
from hooksd.journal.blobs import path_of
from hooksd.journal.replay import Unfinished, unfinished
from hooksd.model.base import Json
from hooksd.model.event import Event
from hooksd.model.record import DaemonStarted, DaemonStopped
from hooksd.model.trust import Trust
from hooksd.telemetry import happenings
from hooksd.telemetry.observer import Observer
from hooksd.web.duplicates import SETTLED, Duplicates
from hooksd.web.refusals import Refusals
from hooksd.web.remembered import KEEP
from hooksd.web.triggering import TriggerDesk

STUCK = 20.0
"""Seconds after which a write to the log that has not returned counts as hanging: the watchdog is not fed then."""


def serve(settings: Settings) -> None:
    """Run the daemon until it is told to stop.

    Raises:
        HooksdError: It cannot start, or cannot go on.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_life(settings))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Works:
    """What does the work."""

    engine: Engine
    dispatcher: Dispatcher
    distributor: Distributor
    pinger: Pinger
    reloader: Reloader
    refusals: Refusals
    duplicates: Duplicates


async def _life(settings: Settings) -> None:
    async with AsyncExitStack() as stack:
        ground = ground_of(settings)
        ground.journal.open()
        stack.push_async_callback(ground.journal.close)
        left = unfinished(ground.journal.read())
        processes = ProcessRunner()
        stack.callback(processes.close)
        works = _works(ground, await stack.enter_async_context(HttpSender()), processes)
        await works.reloader.start()
        works.engine.recover(left)
        works.dispatcher.recover(left)
        works.distributor.recover(left.planned)
        works.pinger.recover(left.pinged)
        await _recall(ground, works.duplicates, left)
        await live(await _parts(ground, works, left), ground.stopping)
        await works.refusals.flush()  # those of the last second
        await _stopped(ground)


async def _recall(ground: Ground, duplicates: Duplicates, left: Unfinished) -> None:
    """Know again which deliveries were accepted, before anybody can send one twice."""
    events = frozenset(left.events)
    since = ground.clock.now() - KEEP
    items = accepted(Path(ground.journal.folder), since=since, unfinished=events, settled=SETTLED)
    await asyncio.to_thread(duplicates.recall, items, events)


def _works(ground: Ground, sender: HttpSender, processes: ProcessRunner) -> _Works:
    dispatcher = Dispatcher(
        journal=ground.journal,
        clock=ground.clock,
        ids=ground.ids,
        current=ground.current,
        sender=sender,
        jitter=random.random,
        observer=ground.observer,
    )
    distributor = Distributor(dispatcher=dispatcher, journal=ground.journal, clock=ground.clock, current=ground.current)
    duplicates = Duplicates(ground.clock.now)
    engine = Engine(
        journal=ground.journal,
        performer=Switchboard(
            process=processes.perform,
            request=sender.request,
            deliver=dispatcher.deliver,
            save=FileSaver(
                locate=lambda digest: Path(ground.journal.folder, path_of(digest)),
                home=ground.settings.state_dir.absolute() / "files",
            ).save,
            mail=Mailer(_mail_server(ground), clock=ground.clock).send,
        ),
        clock=ground.clock,
        ids=ground.ids,
        current=ground.current,
        jitter=random.random,
        public_url=ground.settings.public_url or "",
        observer=ground.observer,
        folder=ground.journal.folder,
        ended=duplicates.ended,
        outlet=distributor,
    )
    pinger = Pinger(intake=engine, ids=ground.ids, clock=ground.clock, current=ground.current)
    reloader = Reloader(
        root=ground.settings.hooks_dir,
        loader=loader(ground.settings, ground.secrets, ground.remotes),
        secrets=ground.secrets,
        journal=ground.journal,
        clock=ground.clock,
        publish=partial(_publish, ground, dispatcher, pinger),
        announce=_announcer(ground, engine),
        observer=ground.observer,
    )
    refusals = Refusals(journal=ground.journal, clock=ground.clock, observer=ground.observer)
    return _Works(
        engine=engine,
        dispatcher=dispatcher,
        distributor=distributor,
        pinger=pinger,
        reloader=reloader,
        refusals=refusals,
        duplicates=duplicates,
    )


def _mail_server(ground: Ground) -> Server | None:
    settings, address = ground.settings, ground.settings.smtp_address
    if address is None or settings.smtp_from is None:
        return None
    reference = settings.smtp_password
    return Server(
        host=address.host,
        port=address.port,
        security=settings.smtp_security,
        sender=settings.smtp_from,
        username=settings.smtp_username,
        password=lambda: None if reference is None else ground.secrets.get(reference),
    )


def _publish(ground: Ground, dispatcher: Dispatcher, pinger: Pinger, snapshot: Snapshot) -> None:
    """Put definitions in force, and let those know who wait for a change."""
    ground.current.publish(snapshot)
    dispatcher.reloaded()
    pinger.reloaded()


def _announcer(ground: Ground, engine: Engine) -> Callable[[str, dict[str, Json]], Awaitable[None]]:
    """Return what turns a notice of the daemon itself into an event, if somebody listens to it."""

    async def announce(kind: str, body: dict[str, Json]) -> None:
        if not is_heard(ground.current(), kind):
            return
        raw = orjson.dumps(body)
        event = Event(
            id=ground.ids.event(),
            type=kind,
            source="hooksd",
            subject=None,
            time=rfc3339(ground.clock.now()),
            trust=Trust.LOCAL,
            raw=raw,
            data=orjson.loads(raw),
        )
        await engine.accept(event, origin=None)

    return announce


async def _parts(ground: Ground, works: _Works, left: Unfinished) -> Parts:
    environment = process_environment()
    inherited = systemd.inherited_sockets(environment, os.getpid())
    trigger = inherited.trigger or (bind(ground.settings.listen_address, mode=CALLER_MODE),)
    admin = inherited.admin or (bind(ground.settings.admin_address),)
    identity = Identity(
        version=__version__,
        pid=os.getpid(),
        started_at=rfc3339(ground.clock.now()),
        listen=", ".join(map(name_of, trigger)),
        admin=", ".join(map(name_of, admin)),
    )
    _measure(ground, works)
    is_open = asyncio.Event()
    callers = trigger_face(
        ground, intake=works.engine, refusals=works.refusals, is_open=is_open.is_set, duplicates=works.duplicates
    )
    operators = admin_face(
        ground,
        intake=works.engine,
        definitions=works.reloader,
        identity=identity,
        work=lambda: Work(runs=works.engine.unfinished, deliveries=works.dispatcher.pending),
        publisher=works.engine,
        outbox=works.dispatcher,
        duplicates=works.duplicates,
        triggers=_triggers(ground, works),
        refusals=works.refusals,
        editor=_editor(ground, works) if ground.settings.admin_write else None,
    )
    await _started(ground, identity, left)

    def opened() -> str:
        is_open.set()
        return status_line(works.reloader.status)

    limits = limits_of(ground.settings)
    notifier = systemd.Notifier(environment.get("NOTIFY_SOCKET"))
    return Parts(
        jobs=_jobs(ground, works, notifier, systemd.watchdog_seconds(environment, os.getpid())),
        listeners=(
            Listener(callers, trigger, limits=limits, report=works.refusals.add),
            Listener(operators, admin, limits=limits, report=partial(works.refusals.add, listener="admin")),
        ),
        notifier=notifier,
        opened=opened,
        ending=partial(_ending, ground, is_open),
        drain=partial(_drain, works),
        reload=partial(_reload, works.reloader),
    )


def _triggers(ground: Ground, works: _Works) -> TriggerDesk:
    return TriggerDesk(
        deliver=works.dispatcher.deliver,
        current=ground.current,
        is_ready=lambda: ground.journal.state == "ok" and not works.distributor.is_full,
        refusals=works.refusals,
    )


def _editor(ground: Ground, works: _Works) -> FileEditor:
    return FileEditor(
        root=ground.settings.hooks_dir,
        stage=works.reloader,
        current=ground.current,
        clock=ground.clock,
        observer=ground.observer,
    )


def _measure(ground: Ground, works: _Works) -> None:
    """Let whoever scrapes the metrics see what waits and what is in progress."""
    metrics = ground.observer.metrics
    metrics.watch_queue("runs_unfinished", lambda: works.engine.unfinished)
    metrics.watch_queue("runs_running", lambda: works.engine.running)
    metrics.watch_queue("deliveries_pending", lambda: works.dispatcher.pending)
    metrics.watch_held(works.dispatcher.holding)


async def _started(ground: Ground, identity: Identity, left: Unfinished) -> None:
    runs, deliveries = len(left.runs), len(left.deliveries)
    await ground.journal.append(
        [
            DaemonStarted(
                at=identity.started_at,
                version=identity.version,
                pid=identity.pid,
                unfinished_runs=runs,
                unfinished_deliveries=deliveries,
            )
        ]
    )
    ground.observer.emit(
        happenings.DaemonStarted(
            version=identity.version,
            pid=identity.pid,
            listen=identity.listen,
            admin=identity.admin,
            unfinished_runs=runs,
            unfinished_deliveries=deliveries,
        )
    )


def _ending(ground: Ground, is_open: asyncio.Event) -> None:
    is_open.clear()
    ground.observer.emit(happenings.DaemonStopping(reason=ground.stopping.reason))
    # Whatever hangs from here on, in the loop or outside it: SIGALRM ends the process. The log is made for that.
    signal.alarm(LAST_RESORT)


async def _drain(works: _Works, seconds: float) -> None:
    """Let steps and attempts under way end, side by side: a step may wait for its delivery."""
    async with asyncio.TaskGroup() as group:
        group.create_task(works.engine.drain(seconds), name="drain engine")
        group.create_task(works.dispatcher.drain(seconds), name="drain deliveries")


async def _stopped(ground: Ground) -> None:
    reason = ground.stopping.reason
    await ground.journal.append([DaemonStopped(at=rfc3339(ground.clock.now()), reason=reason)])
    ground.observer.emit(happenings.DaemonStopped(reason=reason))


async def _reload(reloader: Reloader) -> None:
    """Reload for SIGHUP. The verdict is in the log and in the status: there is nobody to answer."""
    try:
        await reloader.reload()
    except JournalFull:
        return  # the reloader has said so, and tries again by itself


def _jobs(ground: Ground, works: _Works, notifier: systemd.Notifier, watchdog: float | None) -> Sequence[Job]:
    pulse = partial(
        beat,
        notifier,
        ground.clock,
        watchdog=watchdog,
        moves=lambda: ground.journal.behind < STUCK,
        status=lambda: status_line(works.reloader.status),
    )
    keys = KeyKeeper(remotes=ground.remotes, clock=ground.clock, observer=ground.observer, fetch=fetch_https)
    jobs: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
        "engine": works.engine.run,
        "deliveries": works.dispatcher.run,
        "pings": works.pinger.run,
        "definitions": works.reloader.run,
        "refusals": works.refusals.run,
        "keys": keys.run,
        "heartbeat": pulse,
    }
    return [Job(name=name, run=partial(_watched, ground.observer, name, run)) for name, run in jobs.items()]


async def _watched(observer: Observer, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    try:
        await run()
    except Exception as error:
        observer.emit(happenings.TaskFailed(task=name, exc_info=error))
        raise
