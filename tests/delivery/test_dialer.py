from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Sequence

import pytest

from hooksd.delivery import dialer as dialing
from hooksd.delivery.dialer import Dialer, SystemResolver
from hooksd.delivery.egress import OPEN, Blocked, rules_of
from hooksd.delivery.place import place_of
from hooksd.delivery.request import Prepared, request_of
from hooksd.delivery.sender import HttpSender
from hooksd.model.egress import Egress
from hooksd.testing import FakeClock
from tests.delivery.receiver import answer, receiver

DIALLED: list[object] = []
"""Every address that any socket of this process connects to: nothing between guard and system is trusted."""


def _watch(event: str, details: tuple[object, ...]) -> None:
    if event == "socket.connect":
        DIALLED.append(details[1])


sys.addaudithook(_watch)


class Names:
    """Answers as told, one answer for each question; the last one again and again."""

    def __init__(self, *answers: str) -> None:
        self.asked: list[str] = []
        self._answers = [tuple(answer.split()) for answer in answers]

    async def resolve(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def post(url: str, *, egress: Egress | None = None, is_literal: bool = False) -> Prepared:
    return request_of("POST", url, {}, b"{}", egress=egress, is_literal=is_literal)


HOSTILE = [
    "127.0.0.1", "localhost", "127.1", "0177.0.0.1", "2130706433", "0x7f.0.0.1", "0x7f000001", "0", "0.0.0.0",
    "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
    "[2001:0:7f00:1::]", "[fe80::1%25lo]", "[fe80::1]", "[fd00:ec2::254]", "[::ffff:169.254.169.254]",
    "169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "10.0.0.1", "172.31.255.255", "192.168.1.1",
    "224.0.0.1",
    "255.255.255.255", "127.0.0.1.", "user@127.0.0.1", "example.com@127.0.0.1", "100.64.0.1", "[fc00::1]", "[ff02::1]",
    "127.0.0.1\\@example.com", "example.com\\@127.0.0.1", "[::ffff:0:127.0.0.1]", "[64:ff9b:1::1]",
    "\N{CIRCLED DIGIT ONE}\N{CIRCLED DIGIT TWO}\N{CIRCLED DIGIT SEVEN}.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTILE)
async def test_data_cannot_make_us_call_what_is_not_on_the_internet(host: str) -> None:
    async with HttpSender() as sender, receiver(answer()) as here:
        DIALLED.clear()
        attempted = await sender.attempt(post(f"http://{host}:{here.port}/"), 5)

        assert attempted.outcome in ("blocked", "config")
        assert DIALLED == []
        assert here.connections == 0


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "[fe80::1]", "0.0.0.0", "2852039166", "[::]"],
)
async def test_not_even_a_definition_can_name_metadata_or_link_local_addresses(host: str) -> None:
    async with HttpSender() as sender:
        DIALLED.clear()
        attempted = await sender.attempt(post(f"http://{host}/latest/meta-data", is_literal=True), 5)

    assert attempted.outcome in ("blocked", "config")
    assert DIALLED == []


@pytest.mark.parametrize(
    "answers", ["10.0.0.1", "93.184.216.34 127.0.0.1", "127.0.0.1 93.184.216.34", "93.184.216.34 fe80::1"]
)
async def test_a_name_with_one_bad_address_is_not_called_at_the_good_one(answers: str) -> None:
    async with HttpSender(resolver=Names(answers)) as sender:
        DIALLED.clear()
        attempted = await sender.attempt(post("http://rebind.example/"), 5)

    assert attempted.outcome == "blocked"
    assert "rebind.example (" in str(attempted.error)
    assert DIALLED == []


async def test_a_name_that_changes_its_address_is_asked_once_and_dialled_where_it_was_judged() -> None:
    names = Names("93.184.216.34", "127.0.0.1")
    dialer = Dialer(resolver=names, now=FakeClock().monotonic)

    assert await dialer.vetted(place_of("http://rebind.example/"), OPEN, is_literal=False) == ("93.184.216.34",)
    assert names.asked == ["rebind.example"]


async def test_a_changed_answer_is_judged_again() -> None:
    clock, names = FakeClock(), Names("93.184.216.34", "127.0.0.1")
    dialer = Dialer(resolver=names, now=clock.monotonic)
    place = place_of("http://rebind.example/")

    await dialer.vetted(place, OPEN, is_literal=False)
    await clock.advance(dialing.REMEMBERED - 0.1)
    assert await dialer.vetted(place, OPEN, is_literal=False) == ("93.184.216.34",)
    await clock.advance(0.2)
    with pytest.raises(Blocked):
        await dialer.vetted(place, OPEN, is_literal=False)


async def test_what_one_definition_allows_is_not_allowed_for_another() -> None:
    dialer = Dialer(resolver=Names("10.0.0.1"), now=FakeClock().monotonic)
    place = place_of("http://api.internal/")

    allowed = rules_of(Egress.model_validate({"allow": "10.0.0.0/8"}))
    assert await dialer.vetted(place, allowed, is_literal=False) == ("10.0.0.1",)
    assert await dialer.vetted(place, OPEN, is_literal=True) == ("10.0.0.1",)
    with pytest.raises(Blocked):
        await dialer.vetted(place, OPEN, is_literal=False)


async def test_what_is_allowed_is_reached() -> None:
    async with HttpSender(resolver=Names("127.0.0.1")) as sender, receiver(answer()) as here:
        egress = Egress.model_validate({"allow": "127.0.0.1", "ports": [here.port]})
        attempted = await sender.attempt(post(f"http://hook.example:{here.port}/", egress=egress), 5)

    assert attempted.outcome == "ok"
    assert here.requests[0].headers["host"] == f"hook.example:{here.port}"


async def test_a_redirect_to_metadata_is_not_followed() -> None:
    target = {"Location": "http://169.254.169.254/latest/meta-data"}
    async with HttpSender() as sender, receiver(answer("302 Found", target)) as here:
        DIALLED.clear()
        attempted = await sender.attempt(post(here.url(), is_literal=True), 5)

    assert attempted.outcome == "redirect"
    assert [("127.0.0.1", here.port)] == DIALLED


async def test_a_host_nobody_answers_at_is_asked_for_anew() -> None:
    names = Names("93.184.216.34", "93.184.216.35")
    dialer = Dialer(resolver=names, now=FakeClock().monotonic)
    place = place_of("http://moved.example/")

    await dialer.vetted(place, OPEN, is_literal=False)
    dialer.forget("moved.example")

    assert await dialer.vetted(place, OPEN, is_literal=False) == ("93.184.216.35",)


async def test_a_name_without_an_address_and_a_resolver_that_hangs_are_outcomes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with HttpSender(resolver=Names("")) as sender:
        attempted = await sender.attempt(post("http://empty.example/"), 5)
    assert (attempted.outcome, attempted.error) == ("dns", "cannot resolve the host: the name has no address")

    class Hanging:
        async def resolve(self, _: str) -> Sequence[str]:
            await asyncio.Event().wait()
            raise AssertionError

    monkeypatch.setattr(dialing, "TIMEOUT", 0.05)
    async with HttpSender(resolver=Hanging()) as sender:
        attempted = await sender.attempt(post("http://slow.example/"), 5)
    assert (attempted.outcome, attempted.error) == ("dns", "cannot resolve the host: no answer in time")


# --- the resolver of the machine


async def test_who_asks_for_the_same_name_at_the_same_time_shares_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def once(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 0))] * 2

    monkeypatch.setattr(socket, "getaddrinfo", once)
    resolver = SystemResolver()

    async with asyncio.TaskGroup() as group:
        gives_up = group.create_task(resolver.resolve("shop.example"))
        tasks = [group.create_task(resolver.resolve("shop.example")) for _ in range(5)]
        await asyncio.sleep(0)
        gives_up.cancel()

    assert {task.result() for task in tasks} == {("93.184.216.34",)}
    assert asked == ["shop.example"]
    resolver.close()


async def test_a_name_that_no_encoding_can_hold_is_not_known() -> None:
    resolver = SystemResolver()

    with pytest.raises(socket.gaierror, match="not a host name"):
        await resolver.resolve("a" * 300)
    resolver.close()


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialing, "MOST", 10)
    dialer = Dialer(resolver=Names("93.184.216.34"), now=FakeClock().monotonic)

    for number in range(50):
        await dialer.vetted(place_of(f"http://host-{number}.example/"), OPEN, is_literal=False)

    assert (len(dialer._known), len(dialer._vetted)) == (10, 10)
