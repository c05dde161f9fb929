from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest

from hooksd.delivery.agenda import CONCURRENCY
from hooksd.delivery.breaker import CONSECUTIVE, ENOUGH, FIRST_REST, LONGEST_REST, SHARE, WINDOW
from hooksd.delivery.gate import ABOUT_THE_PAYLOAD
from hooksd.delivery.policy import MAX_RETRY_AFTER
from hooksd.delivery.request import Payload, prepare
from hooksd.delivery.sender import KEPT, READ
from hooksd.delivery.transport import CONNECT_TIMEOUT
from hooksd.delivery.transport_connection import HEAD
from hooksd.delivery.transport_pool import KEEP_ALIVE
from hooksd.model.base import keys_of
from hooksd.model.endpoint import Endpoint
from hooksd.model.holding import HoldReason
from hooksd.model.record import DeliveryStatus, Outcome
from hooksd.model.retry import JITTER, SCHEDULES, Retry
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a receiver is asked to judge."""

    headers: Mapping[str, str]
    body: bytes = BODY
    secret: bytes = KEY
    now: int = NOW


def signed(*secrets: bytes, **replaced: str) -> dict[str, str]:
    """Return the headers of a request of ours, signed with these secrets, some of them replaced."""
    payload = Payload(delivery="dlv_1", headers={}, query={}, media="application/json", body=BODY)
    prepared = prepare(endpoint(secrets=[*secrets]), payload, NOW)
    ours = {name.lower(): value for name, value in prepared.headers.items()}
    return {**ours, **{f"webhook-{name}": value for name, value in replaced.items()}}


OLD = b"whsec_b2xkLW9sZC1vbGQtb2xk"
PLAIN = b"no-base64-but-the-key-itself"
AUTHENTIC = {
    "as it was sent": Request(headers=signed(KEY)),
    "the first of two signatures": Request(headers=signed(KEY, OLD)),
    "the second of two signatures": Request(headers=signed(OLD, KEY)),
    "beside a signature of another kind": Request(
        headers=signed(KEY, signature=f"v1a,AAAA {signed(KEY)['webhook-signature']}")
    ),
    "a secret that is the key itself": Request(headers=signed(PLAIN), secret=PLAIN),
    "nearly five minutes old": Request(headers=signed(KEY), now=NOW + 299),
    "nearly five minutes early": Request(headers=signed(KEY), now=NOW - 299),
}
NOT_AUTHENTIC = {
    "another body": Request(headers=signed(KEY), body=BODY + b" "),
    "another secret": Request(headers=signed(KEY), secret=OLD),
    "another id": Request(headers=signed(KEY, id="dlv_2")),
    "another time": Request(headers=signed(KEY, timestamp=str(NOW + 1))),
    "too old": Request(headers=signed(KEY), now=NOW + 301),
    "too early": Request(headers=signed(KEY), now=NOW - 301),
    "no headers": Request(headers={}),
    "no signature": Request(headers=signed(KEY, signature="")),
    "half a signature": Request(headers=signed(KEY, signature=signed(KEY)["webhook-signature"][:-9])),
    "a signature and more": Request(headers=signed(KEY, signature=signed(KEY)["webhook-signature"] + "A")),
    "a signature without its version": Request(headers=signed(KEY, signature=signed(KEY)["webhook-signature"][3:])),
    "a signature that is no ASCII": Request(headers=signed(KEY, signature="v1,\xe9")),
    "no time": Request(headers=signed(KEY, timestamp="")),
    "a time that is no number": Request(headers=signed(KEY, timestamp="soon")),
    "a time that is not a number": Request(headers=signed(KEY, timestamp="NaN")),
    "a time beyond all times": Request(headers=signed(KEY, timestamp="9" * 5000)),
    "a time with other digits": Request(headers=signed(KEY, timestamp="\u0661\u0662")),
}
REQUESTS = [*AUTHENTIC.values(), *NOT_AUTHENTIC.values()]
EXPECTED = dict.fromkeys(AUTHENTIC, True) | dict.fromkeys(NOT_AUTHENTIC, False)


def snippet(language: str) -> str:
    (source,) = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    return str(source)


def told(verdicts: Iterable[bool]) -> dict[str, bool]:
    return dict(zip(EXPECTED, verdicts, strict=True))


def written() -> bytes:
    """Return the requests as JSON, for programs in other languages."""
    return orjson.dumps(
        [
            {"headers": each.headers, "body": each.body.hex(), "secret": each.secret.decode(), "now": each.now}
            for each in REQUESTS
        ]
    )


def judged_by(command: list[str], directory: Path) -> dict[str, bool]:
    """Return what a program says of the requests that it reads."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "GOCACHE": str(directory / "cache")}
    environment |= {"GO111MODULE": "off", "GOPATH": str(directory / "path"), "GOFLAGS": "", "GOPROXY": "off"}
    done = subprocess.run(
        command, input=written(), cwd=directory, env=environment, capture_output=True, check=False, timeout=280
    )
    assert done.returncode == 0, done.stderr.decode()
    return told(orjson.loads(done.stdout))


def test_the_python_snippet_accepts_what_we_send_and_nothing_else() -> None:
    scope: dict[str, Any] = {}
    exec(compile(snippet("python"), "docs/delivery.md", "exec"), scope)  # noqa: S102 - our own page
    judge = scope["is_authentic"]

    assert told(judge(each.headers, each.body, each.secret.decode(), each.now) for each in REQUESTS) == EXPECTED


JAVASCRIPT = """
const requests = JSON.parse(require("node:fs").readFileSync(0));
console.log(JSON.stringify(requests.map((each) =>
  isAuthentic(each.headers, Buffer.from(each.body, "hex"), each.secret, each.now))));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_the_javascript_snippet_accepts_what_we_send_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "check.js").write_text(snippet("javascript") + JAVASCRIPT)

    assert judged_by(["node", "check.js"], tmp_path) == EXPECTED


GO = """package main

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"time"
)

func main() {
	var requests []struct {
		Headers      map[string]string
		Body, Secret string
		Now          int64
	}
	if err := json.NewDecoder(os.Stdin).Decode(&requests); err != nil {
		panic(err)
	}
	verdicts := make([]bool, len(requests))
	for i, each := range requests {
		header := http.Header{}
		for name, value := range each.Headers {
			header.Set(name, value)
		}
		body, err := hex.DecodeString(each.Body)
		if err != nil {
			panic(err)
		}
		verdicts[i] = IsAuthentic(header, body, each.Secret, time.Unix(each.Now, 0))
	}
	json.NewEncoder(os.Stdout).Encode(verdicts)
}
"""


@pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed")
@pytest.mark.timeout(300)
def test_the_go_snippet_accepts_what_we_send_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "check.go").write_text(snippet("go"))
    (tmp_path / "main.go").write_text(GO)

    assert judged_by(["go", "run", "check.go", "main.go"], tmp_path) == EXPECTED


@pytest.mark.skipif(shutil.which("gofmt") is None, reason="Go is not installed")
def test_the_go_snippet_is_written_as_go_is() -> None:
    source = snippet("go")

    assert subprocess.run(["gofmt"], input=source, capture_output=True, text=True, check=True).stdout == source


def test_the_defaults_are_those_of_the_program() -> None:
    section = TEXT.split("## Defaults, and why")[1].split("\n## ")[0]
    said = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|", section, re.MULTILINE))
    own = {name: field.default for name, field in Endpoint.model_fields.items()}
    waits = SCHEDULES[own["retry"]]

    assert f"{len(waits) + 1} over {sum(waits) // 3600:.0f} hours, and up to a fifth more" in said["attempts"]
    assert f'`retry = "{own["retry"]}"`' in said["attempts"]
    assert (JITTER, MAX_RETRY_AFTER) == (1 / 5, 86_400)
    assert said["an attempt"] == f"{own['timeout']:.0f} seconds, of which {CONNECT_TIMEOUT:.0f} for connecting"
    assert said["at a time"] == f"{own['max_in_flight']} for an endpoint, {CONCURRENCY} in all"
    assert f"after {CONSECUTIVE} failures in a row, or half of at least {ENOUGH} in a minute" in said["left alone"]
    rests = f"one probe after {FIRST_REST:.0f} seconds, later every {LONGEST_REST / 60:.0f} minutes"
    assert rests in said["left alone"]
    sizes = [f"{READ >> 20} MiB is read", f"{KEPT >> 10} KiB are kept", f"{HEAD >> 10} KiB of headers"]
    assert said["of an answer"] == ", ".join([*sizes, "nothing is unpacked"])
    assert said["idle connections"] == f"{KEEP_ALIVE:.0f} seconds"
    assert said["how often"].startswith("at most" if own["at_most_once"] else "at least")


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
