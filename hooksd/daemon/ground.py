"""What every part of the daemon stands on: settings, time, identifiers, the log, the definitions in force.

Made once by `daemon.wiring`; nothing here is opened or started.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from hooksd.auth.remote import Remotes
from hooksd.clock import Clock, SystemClock
from hooksd.config.secrets import SecretStore
from hooksd.config.settings import Settings
from hooksd.daemon.control import Current
from hooksd.daemon.sources import secret_store
from hooksd.daemon.stopping import Stopping
from hooksd.journal.file import FileJournal
from hooksd.journal.retention import Keep
from hooksd.model.ids import IdFactory, drawn
from hooksd.telemetry.observer import Observer


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The collaborators that nearly everything takes."""

    settings: Settings
    journal: FileJournal
    secrets: SecretStore
    stopping: Stopping
    clock: Clock
    observer: Observer
    current: Current
    ids: IdFactory
    remotes: Remotes
    """Keys of webhooks that are kept elsewhere."""


def ground_of(settings: Settings) -> Ground:
    """Return the ground for one life of the daemon. On the running event loop."""
    clock, observer, stopping = SystemClock(), Observer(), Stopping()

    journal = FileJournal(
        settings.log_dir,
        segment_size=settings.segment_size,
        keep=Keep(age=settings.retention_age, size=settings.retention_size),
        sync=settings.durability == "always",
        index=True,
        clock=clock,
        on_broken=stopping.fail,
        observer=observer,
    )
    return Ground(
        settings=settings,
        journal=journal,
        secrets=secret_store(settings),
        stopping=stopping,
        clock=clock,
        observer=observer,
        current=Current(),
        ids=IdFactory(clock.now, drawn(os.urandom)),
        remotes=Remotes(),
    )
