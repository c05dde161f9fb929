"""Throws changed requests at every verifier, for as long as it is told to: `python -m tests.auth.fuzz --seconds 60`.

Each execution takes a request that a provider would send, changes it in a few places and has it judged, read and
greeted. None may raise, be called `internal_error`, or let in a body that the provider did not sign. With `--atheris`
the changes are chosen by coverage, if atheris is installed; without, at random from a seed that is printed.
"""

from __future__ import annotations

import argparse
import importlib
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args
from urllib.parse import quote

from hooksd.auth.build import build_verifier
from hooksd.auth.coverage import coverage
from hooksd.auth.handshake import Greeter, build_greeter
from hooksd.auth.presets import expand, preset_names
from hooksd.auth.request import Inbound
from hooksd.auth.verdict import Authentic, Reason, Refused, Verifier
from hooksd.model.secret import Secret
from tests.auth.requests import NOW, auth, document
from tests.auth.signing import KEY, concrete, judge_of, provider, secret_text, sent_by

PIECES = (
    b"", b"\0", b"\xff", b"=", b",", b".", b";", b" ", b"t=", b"v1=", b"v1,", b"sha256=", b"Bearer ", b"Basic ",
    b"e30", b"eyJhbGciOiJub25lIn0.e30.", b"..", b"0", b"-1", b"1e9", b"9" * 20, b"NaN", b"null", b"{}", b"[]", b'"',
    b"[" * 2000, b'{"a":' * 300, b"\xed\xa0\x80", "\u0661".encode(), b"%00", b"%ff", b"&", b"a=1&a=2", b"https://",
    b"|", b"2023-11-14", b"AAAA", b"====", b"\r\n", b"\\ud800", b"-----BEGIN CERTIFICATE-----", b"true", b"1",
    b"application/x-www-form-urlencoded",
)  # fmt: skip
MEDIA = ("application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data", "")
METHODS = ("POST", "GET", "HEAD", "OPTIONS", "PUT")
CHOICES = 48
"""Bytes of chance for one execution."""


class Chance:
    """Choices out of bytes; when they are used up, always the first."""

    def __init__(self, data: bytes) -> None:
        self._rest = iter(data)

    def below(self, bound: int) -> int:
        wide = next(self._rest, 0) << 8 | next(self._rest, 0)
        return wide % bound if bound > 0 else 0


@dataclass(frozen=True)
class Target:
    """A verifier and what it lets in."""

    name: str
    judge: Verifier
    greeter: Greeter | None
    honest: Inbound
    covers_body: bool


def targets() -> Iterator[Target]:
    for name in preset_names():
        shared = Secret(secret_text(concrete(name)))
        yield Target(
            name=name,
            judge=judge_of(name),
            greeter=build_greeter(provider(name), partial(_same, shared)),
            honest=sent_by(concrete(name)),
            covers_body=coverage(concrete(name)).body == "full",
        )
    key = Secret(secret_text(concrete("github"), KEY))
    parts = [{"preset": "github", "secret": "env:ONE"}, {"type": "bearer", "secret": "env:ONE"}]
    for kind in ("any", "all"):
        known = auth(type=kind, of=parts)
        honest = sent_by(concrete("github"))
        bearer = ("authorization", f"Bearer {key.text()}")
        yield Target(
            name=kind,
            judge=build_verifier(known, lambda _: key),
            greeter=build_greeter(known, lambda _: key),
            honest=honest.changed(headers=(*honest.pairs, bearer)) if kind == "all" else honest,
            covers_body=coverage(expand(known)).body == "full",
        )


def _same(secret: Secret, _: str) -> Secret:
    return secret


def spliced(text: bytes, chance: Chance) -> bytes:
    """Put a piece somewhere, in place of some of what stands there."""
    start = chance.below(len(text) + 1)
    end = start + chance.below(9)
    piece = PIECES[chance.below(len(PIECES))] if chance.below(4) else bytes([chance.below(256)])
    return text[:start] + piece + text[end:]


def _in_header(request: Inbound, chance: Chance) -> Inbound:
    headers = list(request.pairs)
    place = chance.below(len(headers))
    name, value = headers[place]
    headers[place] = (name, spliced(value.encode("latin-1"), chance).decode("latin-1").strip(" \t"))
    return request.changed(headers=tuple(headers))


def _without_header(request: Inbound, chance: Chance) -> Inbound:
    place = chance.below(len(request.pairs))
    return request.changed(headers=request.pairs[:place] + request.pairs[place + 1 :] or (("x", ""),))


def _twice(request: Inbound, chance: Chance) -> Inbound:
    return request.changed(headers=(*request.pairs, request.pairs[chance.below(len(request.pairs))]))


def _in_body(request: Inbound, chance: Chance) -> Inbound:
    return request.changed(body=spliced(request.body, chance))


def _whole_body(request: Inbound, chance: Chance) -> Inbound:
    return request.changed(body=PIECES[chance.below(len(PIECES))])


def _in_query(request: Inbound, chance: Chance) -> Inbound:
    return request.changed(query_string=spliced(request.query_string.encode(), chance).decode("latin-1"))


def _in_url(request: Inbound, chance: Chance) -> Inbound:
    if request.url is None or not chance.below(4):
        return request.changed(url=None)
    base, _, rest = request.url.partition("/hooks/")
    return request.changed(url=f"{base}/hooks/{quote(spliced(rest.encode(), chance), safe='%?&=[]@:')}")


def _otherwise(request: Inbound, chance: Chance) -> Inbound:
    return request.changed(media=MEDIA[chance.below(len(MEDIA))], method=METHODS[chance.below(len(METHODS))])


CHANGES: tuple[Callable[[Inbound, Chance], Inbound], ...] = (
    _in_header, _in_header, _in_header, _in_body, _in_body, _in_query, _without_header, _twice, _whole_body, _in_url,
    _otherwise,
)  # fmt: skip
REASONS = frozenset(get_args(Reason)) - {"internal_error"}


def execute(known: tuple[Target, ...], data: bytes, seen: Counter[str]) -> None:
    """Judge one changed request."""
    chance = Chance(data)
    target = known[chance.below(len(known))]
    request = target.honest
    for _ in range(chance.below(4)):
        request = CHANGES[chance.below(len(CHANGES))](request, chance)
    now = NOW + (chance.below(2000) - 1000 if not chance.below(8) else 0)
    verdict = target.judge.verify(request, now)
    match verdict:
        case Authentic(key=key):
            seen["authentic"] += 1
            assert key == 0, target.name
            assert request.body == target.honest.body or not target.covers_body, (target.name, request)
        case Refused(reason=reason):
            seen[reason] += 1
            assert reason in REASONS, (target.name, reason, request)
    target.judge.event(request, document(None))
    target.judge.id(request, document(None))
    if target.greeter is not None:
        target.greeter.greet(request, authentic=isinstance(verdict, Authentic))


def run(seconds: float, seed: int) -> None:
    """Execute until the time is over, and say how often."""
    known, seen, chances = tuple(targets()), Counter[str](), random.Random(seed)  # noqa: S311 - chances, no secrets
    began = told = time.monotonic()
    count = 0
    while (now := time.monotonic()) - began < seconds:
        for _ in range(1000):
            execute(known, chances.randbytes(CHOICES), seen)
        count += 1000
        if now - told > 60:
            told = now
            print(f"{count} executions in {now - began:.0f} s", flush=True)  # noqa: T201 - its result
    reasons = ", ".join(f"{reason} {times}" for reason, times in seen.most_common())
    print(f"{count} executions in {seconds:.0f} s without an exception, seed {seed}: {reasons}")  # noqa: T201 - its result


def run_guided(seconds: float) -> None:
    """Let atheris choose, and end the process as it does."""
    atheris: Any = importlib.import_module("atheris")
    known, seen = tuple(targets()), Counter[str]()
    atheris.instrument_all()
    atheris.Setup([sys.argv[0], f"-max_total_time={seconds:.0f}"], lambda data: execute(known, data, seen))
    atheris.Fuzz()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--atheris", action="store_true")
    options = parser.parse_args()
    if options.atheris:
        run_guided(options.seconds)
    else:
        run(options.seconds, random.SystemRandom().getrandbits(32) if options.seed is None else options.seed)


if __name__ == "__main__":
    main()
