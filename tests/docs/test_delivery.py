from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any, get_args

import orjson
import pytest

from hooksd.delivery.breaker import CONSECUTIVE, ENOUGH, FIRST_REST, LONGEST_REST, SHARE, WINDOW
from hooksd.delivery.dispatcher import CONCURRENCY
from hooksd.delivery.gate import ABOUT_THE_PAYLOAD
from hooksd.delivery.request import Payload, prepare
from hooksd.model.base import keys_of
from hooksd.model.endpoint import Endpoint
from hooksd.model.holding import HoldReason
from hooksd.model.record import DeliveryStatus, Outcome
from hooksd.model.retry import SCHEDULES, Retry
from hooksd.model.units import format_duration
from tests.delivery.house import KEY, endpoint
from tests.docs.console import carried_out, definitions, examples, page
from tests.end_to_end.daemon import Daemon

TEXT = page("delivery.md")
NOW = 1_795_305_600
BODY = b'{"a": "\xc3\xa9"}\r\n'


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples are told with curl")
def test_every_example_does_what_the_page_shows(daemon: Daemon) -> None:
    here = f"127.0.0.1:{daemon.port}"
    daemon.write({name: text.replace("127.0.0.1:9000", here) for name, text in definitions(TEXT).items()})
    daemon.credential("orders", "orders-token-0123")
    daemon.credential("partner", KEY.decode())
    daemon.start()

    for example in examples(TEXT):
        said = carried_out(example, daemon)
        assert example.fits(said), f"$ {example.command}\n{said}"


def signed(body: bytes = BODY) -> dict[str, str]:
    payload = Payload(delivery="dlv_1", headers={}, query={}, media="application/json", body=body)
    prepared = prepare(endpoint(secrets=[KEY, b"whsec_b2xkLW9sZC1vbGQtb2xk"]), payload, NOW)
    return {name.lower(): value for name, value in prepared.headers}


def snippet(language: str) -> str:
    (source,) = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    return str(source)


CASES = [(BODY, NOW, True), (BODY, NOW + 299, True), (BODY + b" ", NOW, False), (BODY, NOW + 301, False)]


@pytest.mark.parametrize(("body", "now", "authentic"), CASES)
def test_the_python_snippet_accepts_what_we_send_and_nothing_else(*, body: bytes, now: int, authentic: bool) -> None:
    scope: dict[str, Any] = {}
    exec(compile(snippet("python"), "docs/delivery.md", "exec"), scope)  # noqa: S102 - our own page

    assert scope["is_authentic"](signed(), body, KEY.decode(), now) is authentic


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
@pytest.mark.parametrize(("body", "now", "authentic"), CASES)
def test_the_javascript_snippet_accepts_what_we_send_and_nothing_else(
    *, body: bytes, now: int, authentic: bool
) -> None:
    arguments = [signed(), {"hex": body.hex()}, KEY.decode(), now]
    call = (
        "const [h, b, s, n] = JSON.parse(process.argv[1]); console.log(isAuthentic(h, Buffer.from(b.hex, 'hex'), s, n))"
    )
    command = ["node", "-e", f"{snippet('javascript')}\n{call}", orjson.dumps(arguments).decode()]

    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout

    assert said.strip() == str(authentic).lower()


@pytest.mark.parametrize("key", sorted(keys_of(Endpoint)))
def test_every_key_of_an_endpoint_is_described(key: str) -> None:
    assert f"\n| `{key}` |" in TEXT


def test_every_reason_to_wait_is_described() -> None:
    section = TEXT.split("## What waits")[1].split("\n## ")[0]

    assert re.findall(r"^\| `([a-z]+)` \|", section, re.MULTILINE) == list(get_args(HoldReason))
    assert f"{CONSECUTIVE} failures in a row, or half of at least {ENOUGH} attempts within a minute" in section
    assert (SHARE, WINDOW) == (0.5, 60)
    told = f"after {FIRST_REST:.0f} seconds, then after up to {LONGEST_REST / 60:.0f} minutes each"
    assert told in section
    assert "(" + ", ".join(str(status) for status in sorted(ABOUT_THE_PAYLOAD)) + ")" in section


@pytest.mark.parametrize("word", sorted({*get_args(Outcome), *get_args(DeliveryStatus)}))
def test_every_outcome_and_status_is_described(word: str) -> None:
    assert f"`{word}`" in TEXT


@pytest.mark.parametrize(("name", "waits"), SCHEDULES.items())
def test_every_schedule_is_told_as_it_is(name: str, waits: tuple[float, ...]) -> None:
    told = " ".join(format_duration(wait) for wait in waits)

    assert f"\n| `{name}` | {len(waits) + 1} | {told}".rstrip() in TEXT


def test_the_numbers_are_those_of_the_program() -> None:
    rule = Retry()

    assert f"`max`, {rule.max} by default | `delay` (`2s`), then `factor` (2) times" in TEXT
    assert (rule.delay, rule.factor, rule.max_delay) == (2, 2, 300)
    each = Endpoint.model_fields["max_in_flight"].default
    assert f"At most {CONCURRENCY} attempts are under way at the same time, and {each} to one endpoint" in TEXT
