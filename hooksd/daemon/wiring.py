"""The composition root: the only module that names concrete classes. It builds the daemon and takes it apart.

Order: log (lock, recovery) -> unfinished work -> definitions -> engine and deliveries take up what is unfinished ->
listeners -> ready. What can refuse to start does so before anything has changed.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets as randomness
import signal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson
import uvloop

from hooksd import __version__
from hooksd.clock import Clock, SystemClock, rfc3339
from hooksd.config.secrets import SecretProblem, SecretStore
from hooksd.config.settings import Settings, TcpAddress, process_environment
from hooksd.config.snapshot import subscribers
from hooksd.daemon import systemd
from hooksd.daemon.control import Current, Identity, Operator, Work, status_line
from hooksd.daemon.heartbeat import beat
from hooksd.daemon.lifecycle import LAST_RESORT, Job, Parts, live
from hooksd.daemon.listen import bind, name_of
from hooksd.daemon.performer import Switchboard
from hooksd.daemon.reload import Reloader
from hooksd.daemon.server import Listener
from hooksd.daemon.sources import loader, secret_store
from hooksd.daemon.stopping import Stopping
from hooksd.delivery.dispatcher import Dispatcher
from hooksd.delivery.sender import HttpSender
from hooksd.engine.process import ProcessRunner
from hooksd.engine.runner import Engine
from hooksd.errors import JournalBroken, JournalError, SettingsRejected
from hooksd.journal.file import FileJournal
from hooksd.journal.reader import LogReader
from hooksd.journal.replay import Unfinished, unfinished
from hooksd.model.base import Json
from hooksd.model.event import Event
from hooksd.model.ids import IdFactory
from hooksd.model.record import DaemonStarted, DaemonStopped
from hooksd.model.secret import Secret
from hooksd.model.trust import Trust
from hooksd.telemetry import happenings
from hooksd.telemetry.observer import Observer
from hooksd.web.admin import Admin
from hooksd.web.app import admin_app
from hooksd.web.receive import Receiver
from hooksd.web.refusals import Refusals
from hooksd.web.trigger import TriggerApp

RANDOM_BITS = 74
"""Of an identifier: what a UUIDv7 has room for."""
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
class _Ground:
    """What everything else stands on."""

    settings: Settings
    journal: FileJournal
    secrets: SecretStore
    stopping: Stopping
    clock: Clock = field(default_factory=SystemClock)
    observer: Observer = field(default_factory=Observer)
    current: Current = field(default_factory=Current)
    ids: IdFactory


@dataclass(frozen=True, slots=True, kw_only=True)
class _Works:
    """What does the work."""

    engine: Engine
    dispatcher: Dispatcher
    reloader: Reloader
    refusals: Refusals


async def _life(settings: Settings) -> None:
    async with AsyncExitStack() as stack:
        ground = _ground(settings)
        ground.journal.open()
        stack.push_async_callback(ground.journal.close)
        left = unfinished(ground.journal.read())
        works = await _works(ground, stack)
        await works.reloader.start()
        works.engine.recover(left)
        works.dispatcher.recover(left)
        parts = await _parts(ground, works, left)
        await live(parts, ground.stopping)
        await _stopped(ground)


def _ground(settings: Settings) -> _Ground:
    clock, observer, stopping = SystemClock(), Observer(), Stopping()

    def broken(error: JournalBroken) -> None:
        observer.emit(happenings.JournalBroken(error=str(error)))
        stopping.fail(error)

    journal = FileJournal(
        settings.log_dir,
        segment_size=settings.segment_size,
        sync=settings.durability == "always",
        clock=clock,
        on_broken=broken,
    )
    return _Ground(
        settings=settings,
        journal=journal,
        secrets=secret_store(settings),
        stopping=stopping,
        clock=clock,
        observer=observer,
        ids=IdFactory(clock.now, partial(randomness.randbits, RANDOM_BITS)),
    )


async def _works(ground: _Ground, stack: AsyncExitStack) -> _Works:
    sender = await stack.enter_async_context(HttpSender())
    dispatcher = Dispatcher(
        journal=ground.journal,
        clock=ground.clock,
        ids=ground.ids,
        current=ground.current,
        sender=sender,
        jitter=random.random,
        observer=ground.observer,
    )
    engine = Engine(
        journal=ground.journal,
        performer=Switchboard(process=ProcessRunner().perform, request=sender.request, deliver=dispatcher.deliver),
        clock=ground.clock,
        ids=ground.ids,
        current=ground.current,
        jitter=random.random,
        public_url=ground.settings.public_url or "",
        observer=ground.observer,
    )
    reloader = Reloader(
        root=ground.settings.hooks_dir,
        loader=loader(ground.settings, ground.secrets),
        secrets=ground.secrets,
        journal=ground.journal,
        clock=ground.clock,
        publish=ground.current.publish,
        announce=_announcer(ground, engine),
        observer=ground.observer,
    )
    refusals = Refusals(journal=ground.journal, clock=ground.clock, observer=ground.observer)
    return _Works(engine=engine, dispatcher=dispatcher, reloader=reloader, refusals=refusals)


def _announcer(ground: _Ground, engine: Engine) -> Callable[[str, dict[str, Json]], Awaitable[None]]:
    """Return what turns a notice of the daemon itself into an event, if a workflow listens to it."""

    async def announce(kind: str, body: dict[str, Json]) -> None:
        if not subscribers(ground.current(), kind, None):
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


async def _parts(ground: _Ground, works: _Works, left: Unfinished) -> Parts:
    environment = process_environment()
    inherited = systemd.inherited_sockets(environment, os.getpid())
    trigger = inherited.trigger or (bind(ground.settings.listen_address),)
    admin = inherited.admin or (bind(ground.settings.admin_address),)
    identity = Identity(
        version=__version__,
        pid=os.getpid(),
        started_at=rfc3339(ground.clock.now()),
        listen=", ".join(map(name_of, trigger)),
        admin=", ".join(map(name_of, admin)),
    )
    await _started(ground, identity, left)
    is_open = asyncio.Event()
    notifier = systemd.Notifier(environment.get("NOTIFY_SOCKET"))
    listeners = (
        Listener(_trigger_app(ground, works, is_open), trigger),
        Listener(_admin_app(ground, works, identity), admin),
    )

    def opened() -> str:
        is_open.set()
        return status_line(works.reloader.status)

    return Parts(
        jobs=_jobs(ground, works, notifier, systemd.watchdog_seconds(environment, os.getpid())),
        listeners=listeners,
        notifier=notifier,
        opened=opened,
        ending=partial(_ending, ground, is_open),
        drain=works.engine.drain,
        reload=partial(_reload, works.reloader),
    )


async def _started(ground: _Ground, identity: Identity, left: Unfinished) -> None:
    record = DaemonStarted(
        at=identity.started_at,
        version=__version__,
        pid=identity.pid,
        unfinished_runs=len(left.runs),
        unfinished_deliveries=len(left.deliveries),
    )
    await ground.journal.append([record])
    ground.observer.emit(
        happenings.DaemonStarted(
            version=__version__,
            pid=identity.pid,
            listen=identity.listen,
            admin=identity.admin,
            unfinished_runs=len(left.runs),
            unfinished_deliveries=len(left.deliveries),
        )
    )


def _ending(ground: _Ground, is_open: asyncio.Event) -> None:
    is_open.clear()
    ground.observer.emit(happenings.DaemonStopping(reason=ground.stopping.reason))
    # Whatever hangs from here on, in the loop or outside it: SIGALRM ends the process. The log is made for that.
    signal.alarm(LAST_RESORT)


async def _stopped(ground: _Ground) -> None:
    reason = ground.stopping.reason
    await ground.journal.append([DaemonStopped(at=rfc3339(ground.clock.now()), reason=reason)])
    ground.observer.emit(happenings.DaemonStopped(reason=reason))


async def _reload(reloader: Reloader) -> None:
    """Reload for SIGHUP: the verdict is in the log and in the status, there is nobody to answer."""
    try:
        await reloader.reload()
    except JournalBroken:
        raise
    except JournalError:
        return


def _trigger_app(ground: _Ground, works: _Works, is_open: asyncio.Event) -> TriggerApp:
    def unready() -> Sequence[str]:
        reasons = [] if is_open.is_set() else ["the daemon starts or stops"]
        if ground.journal.state != "ok":
            reasons.append(f"the log takes no records: it is {ground.journal.state}")
        return reasons

    receiver = Receiver(
        intake=works.engine,
        clock=ground.clock,
        ids=ground.ids,
        public_url=ground.settings.public_url,
        refusals=works.refusals,
    )
    return TriggerApp(
        receiver=receiver,
        refusals=works.refusals,
        current=ground.current,
        unready=unready,
        public_url=ground.settings.public_url,
        clock=ground.clock,
        observer=ground.observer,
    )


def _admin_app(ground: _Ground, works: _Works, identity: Identity) -> Any:
    operator = Operator(
        identity=identity,
        definitions=works.reloader,
        current=ground.current,
        reader=LogReader(ground.settings.log_dir),
        work=lambda: Work(runs=works.engine.unfinished, deliveries=works.dispatcher.pending),
        log=lambda: ground.journal.state,
    )
    admin = Admin(
        control=operator,
        intake=works.engine,
        ids=ground.ids,
        clock=ground.clock,
        observer=ground.observer,
        public_url=ground.settings.public_url,
    )
    return admin_app(admin, token=_admin_token(ground))


def _admin_token(ground: _Ground) -> Secret | None:
    """Return the token that callers over TCP must show; on a unix socket the file mode says who may connect."""
    reference = ground.settings.admin_token
    if reference is None or not isinstance(ground.settings.admin_address, TcpAddress):
        return None
    try:
        return ground.secrets.get(reference)
    except SecretProblem as problem:
        raise SettingsRejected(f"admin_token: {problem.message}; {problem.hint or 'check the reference'}") from problem


def _jobs(ground: _Ground, works: _Works, notifier: systemd.Notifier, watchdog: float | None) -> Sequence[Job]:
    pulse = partial(
        beat,
        notifier,
        ground.clock,
        watchdog=watchdog,
        moves=lambda: ground.journal.behind < STUCK,
        status=lambda: status_line(works.reloader.status),
    )
    jobs: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
        "engine": works.engine.run,
        "deliveries": works.dispatcher.run,
        "definitions": works.reloader.run,
        "refusals": works.refusals.run,
        "heartbeat": pulse,
    }
    return [Job(name=name, run=partial(_watched, ground.observer, name, run)) for name, run in jobs.items()]


async def _watched(observer: Observer, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    try:
        await run()
    except Exception as error:
        observer.emit(happenings.TaskFailed(task=name, exc_info=error))
        raise
