"""A log as a busy daemon leaves it: events of a hundred webhooks, a thousand a second, each with the run it started."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from hooksd.instant import rfc3339
from hooksd.journal import lines
from hooksd.journal.disk import SCRATCH
from hooksd.journal.segment import segment_name
from hooksd.model.ids import IdFactory
from tests.bench.payload import push

SEGMENT = 64 * 2**20
WEBHOOKS = 100
RATE = 1000
BEGAN = 1_795_000_000.0
PICKED = 10
RARE = "once"
"""A webhook that receives one event,"""
EARLY = 100_000
"""this one."""
ORIGIN = {"file": "deploy.toml", "line": 1}


class _Past:
    """Time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = BEGAN
        self.random = random.Random(7)  # noqa: S311 - the same log each time
        self.ids = IdFactory(lambda: self.now, lambda: self.random.getrandbits(74))


def write_log(directory: Path, size: int) -> list[str]:
    """Write a log of about as many bytes and return the ids of some events in it."""
    (directory / SCRATCH).mkdir(parents=True)
    past, body = _Past(), orjson.loads(push(1024))
    every: list[str] = []
    seq = prev = written = number = 0
    while written < size:
        number += 1
        with (directory / segment_name(number)).open("wb") as file:
            records = _segment(past, number, body, every)
            while file.tell() < SEGMENT:
                line, prev = lines.seal(orjson.dumps(next(records)), seq, seq, prev)
                seq += 1
                file.write(line)
            file.flush()
            os.fsync(file.fileno())
            written += file.tell()
    return past.random.sample(every, PICKED)


def _segment(past: _Past, number: int, body: object, every: list[str]) -> Iterator[dict[str, Any]]:
    yield {"at": rfc3339(past.now), "number": number, "previous_sha256": None, "format": 1, "type": "segment"}
    while True:
        past.now += 1 / RATE
        event, run = past.ids.event(), past.ids.run()
        webhook = RARE if len(every) == EARLY else f"h{past.random.randrange(WEBHOOKS)}"
        every.append(event)
        yield from _work(rfc3339(past.now), event, run, webhook, body)


def _work(at: str, event: str, run: str, webhook: str, body: object) -> list[dict[str, Any]]:
    content = {"media": "application/json", "size": 1024, "encoding": "json", "content": body}
    stored = {
        "id": event, "type": f"webhook.{webhook}", "source": f"webhook/{webhook}", "subject": None, "time": at,
        "trust": "signed", "hop": 0, "cause": None, "webhook": webhook, "delivery_id": None,
        "headers": {"content-type": "application/json"}, "query": {}, "body": content,
    }  # fmt: skip
    plan = {"id": run, "workflow": "deploy", "definition": "sha256:00", "origin": ORIGIN, "concurrency": None}
    return [
        {"at": at, "revision": "5f1a", "event": stored, "origin": ORIGIN, "runs": [plan], "not_started": [],
         "type": "event.accepted"},
        {"at": at, "run": run, "workflow": "deploy", "revision": "5f1a", "type": "run.started"},
        {"at": at, "run": run, "step": "note", "attempt": 1, "wake_at": None, "type": "step.started"},
        {"at": at, "run": run, "step": "note", "verb": "set", "status": "ok", "attempts": 1, "ms": 0.1,
         "output": {"commit": "9"}, "detail": {}, "type": "step.ended"},
        {"at": at, "run": run, "workflow": "deploy", "event": event, "status": "succeeded", "ms": 1.0,
         "revision": "5f1a", "origin": ORIGIN, "step": None, "error": None, "type": "run.ended"},
    ]  # fmt: skip
