from __future__ import annotations

import asyncio

import httpx
import pytest

from hooksd.auth.remote import Remote, Remotes
from hooksd.daemon.keys import AT_ONCE, MAX_BYTES, PAUSE, KeyKeeper, bounded, fetch_https
from hooksd.telemetry import happenings
from hooksd.telemetry.happening import Happening
from hooksd.telemetry.observer import Observer
from hooksd.testing import FakeClock

URL = "https://issuer.example/jwks"


def parsed(data: bytes) -> bytes:
    if data == b"bad":
        raise ValueError
    return data


class Elsewhere:
    """The other side: what stands at which URL."""

    def __init__(self, **found: bytes | Exception) -> None:
        self.found: dict[str, bytes | Exception] = {URL: b"keys", **found}
        self.asked: list[str] = []

    async def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        found = self.found.get(url, OSError("answered 404"))
        if isinstance(found, Exception):
            raise found
        return found


class Told(Observer):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.happenings: list[Happening] = []

    def emit(self, happening: Happening) -> None:
        self.happenings.append(happening)


class House:
    def __init__(self) -> None:
        self.clock, self.remotes, self.elsewhere, self.told = FakeClock(), Remotes(), Elsewhere(), Told()
        self.keeper = KeyKeeper(remotes=self.remotes, clock=self.clock, observer=self.told, fetch=self.elsewhere.fetch)

    def want(self, url: str = URL) -> Remote[bytes]:
        return self.remotes.want(Remote(url, parsed))


async def test_what_is_wanted_is_fetched_once() -> None:
    house = House()
    remote = house.want()

    await house.keeper.round()
    await house.keeper.round()

    assert remote.value(house.clock.now()) == b"keys"
    assert house.elsewhere.asked == [URL]
    assert house.told.happenings == []


@pytest.mark.parametrize("failure", [OSError("answered 500"), httpx.ConnectError("no route"), TimeoutError()])
async def test_what_cannot_be_had_is_told(failure: Exception) -> None:
    house = House()
    house.elsewhere.found[URL] = failure
    remote = house.want()

    await house.keeper.round()

    assert remote.value(house.clock.now()) is None
    assert house.told.happenings == [happenings.KeysMissing(url=URL, error=str(failure) or "TimeoutError")]


async def test_so_is_an_answer_without_keys() -> None:
    house = House()
    house.elsewhere.found[URL] = b"bad"
    kept = house.want()

    await house.keeper.round()

    assert kept.value(house.clock.now()) is None
    assert house.told.happenings == [happenings.KeysMissing(url=URL, error="the answer holds no keys that fit")]


async def test_only_so_many_are_asked_at_once() -> None:
    house = House()
    kept = [house.want(f"{URL}/{number}") for number in range(AT_ONCE + 3)]

    await house.keeper.round()

    assert len(kept) == AT_ONCE + 3
    assert len(house.elsewhere.asked) == AT_ONCE


async def test_a_url_is_visited_once_and_its_query_told_to_nobody() -> None:
    house = House()
    house.remotes.visit("https://sns.example/?Token=secret")

    await house.keeper.round()
    await house.keeper.round()

    assert house.elsewhere.asked == ["https://sns.example/?Token=secret"]
    assert house.told.happenings == [happenings.KeysMissing(url="https://sns.example/", error="answered 404")]


async def test_it_looks_again_every_second() -> None:
    house = House()
    running = asyncio.ensure_future(house.keeper.run())
    await asyncio.sleep(0)
    remote = house.want()

    for _ in range(3):
        await house.clock.advance(PAUSE)
    running.cancel()

    assert remote.value(house.clock.now()) == b"keys"


@pytest.mark.parametrize(("status", "size", "expected"), [(200, 10, 10), (200, MAX_BYTES + 1, None), (302, 1, None)])
async def test_an_answer_is_read_up_to_a_bound_and_no_redirect_is_followed(
    status: int, size: int, expected: int | None
) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=b"x" * size, headers={"location": "https://evil.example"})

    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client,
        client.stream("GET", URL) as response,
    ):
        if expected is None:
            with pytest.raises(OSError, match="answer"):
                await bounded(response)
        else:
            assert len(await bounded(response)) == expected


async def test_nobody_at_the_other_end_is_an_error_that_is_known() -> None:
    with pytest.raises((httpx.HTTPError, OSError)):
        await fetch_https("https://127.0.0.1:1/jwks")
