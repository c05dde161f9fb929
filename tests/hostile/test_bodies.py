"""Bodies that are not what they say: refused with a place, or kept exactly, and never what breaks the log later."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest

from tests.end_to_end.daemon import Daemon, records
from tests.hostile.siege import siege, start

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
HOUSE = {
    "say.toml": """
        version = 1
        on      = "webhook:say"

        [webhooks.say]
        auth.type = "none"
        answer    = "wait:10s"
        subject   = "{{ body.text | default('none') }}"

        [[steps]]
        set.heard = "{{ body.text }}"

        [[steps]]
        respond = { text = "{{ vars.heard }}", again = "({{ body.text }})" }
        """
}
REFUSED = {
    "not a number": b'{"a": NaN}',
    "infinity": b"[Infinity]",
    "minus infinity": b"[-Infinity]",
    "number that is none": b"[01]",
    "number too large": b"[1e999]",
    "100,000 brackets": b"[" * 100_000,
    "100,000 brackets, closed": b"[" * 100_000 + b"]" * 100_000,
    "100,000 maps": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "101 levels": b"[" * 101 + b"]" * 101,
    "half a surrogate": b'["\\ud800"]',
    "surrogates turned round": b'["\\udc00\\ud800"]',
    "half a surrogate as UTF-8": b'["\xed\xa0\x80"]',
    "no UTF-8": b'["\xff"]',
    "overlong NUL": b'["\xc0\x80"]',
    "a raw NUL": b'["a\x00b"]',
    "a raw line feed": b'["a\nb"]',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "UTF-32": '{"a": 1}'.encode("utf-32"),
    "two values": b"{} {}",
    "a comma too many": b"[1,]",
    "a comment": b"[1] // one",
    "single quotes": b"{'a': 1}",
    "half of it": b'{"a": "b',
    "only white space": b"  \r\n ",
}
ACCEPTED = {
    "an escaped NUL": b'{"text": "a\\u0000b"}',
    "line separators": '{"text": "a\u2028b\u2029c\u0085d"}'.encode(),
    "terminal escapes": b'{"text": "\\u001b[2J\\u001b]0;owned\\u0007"}',
    "a pair of surrogates": b'{"text": "\\ud83d\\ude00"}',
    "no characters": '{"text": "\uffff\ufdd0"}'.encode(),
    "a number beyond doubles": b'{"text": "x", "n": 123456789012345678901234567890}',
    "a number with many digits": b'{"text": "x", "n": 0.1000000000000000055511151231257827}',
    "a number that vanishes": b'{"text": "x", "n": 1e-999}',
    "100 levels": b'{"text": ' + b"[" * 99 + b"]" * 99 + b"}",
    "names that mean something elsewhere": b'{"text": "x", "__proto__": 1, "__class__": {"__init__": 1}, "": 0}',
    "the mark of a record": b'{"text": "x", "_": "1.1.00000000.00000000"}',
    "the end of a record": b'{"text": "\\",\\"_\\":\\"9.9.9.9\\"}\\n{"}',
    "white space": b'\r\n{\r\n\t"text" :\n"x"\r}\r\n',
    "one name twice": b'{"text": "first", "text": "last"}',
}
TEXTS = [
    "{{ secrets.admin }}", "{{ body }}", "{% for a in range(10**9) %}x{% endfor %}", "{% include '/etc/passwd' %}",
    "{% import 'os' as o %}", "{{ ''.__class__.__mro__ }}", "{{ self }}", "{{ caller }}", "{{ namespace() }}",
    "{{ 'a' * 1000000000 }}", "{{ [1] | map(attribute='__class__') | list }}", "{% raw %}", "{#", "{{", "{%", "}}",
    "%}", "{{ vars.heard }}", "{{ event.data }}", "{{ env.PATH }}", "${HOME}", "$(id)", "`id`", "; id", "| id", "&& id",
    "../../etc/passwd", "/etc/passwd\x00.png", "-rf", "--help", "\r\nX-Injected: 1", "\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    "\x1b[31m", "\u202egnp.exe", "\ufeff", "\x7f", "'", '"', "\\", "\\u0000", "%00", "%s%n", "<script>", "]]>",
    "' OR 1=1 --", "null", "true", "NaN", "1e999", "", " ", "\t", "\u0000", "=cmd|' /C calc'!A0",
]  # fmt: skip
assert len(TEXTS) == 54


def post(daemon: Daemon, name: str, body: bytes, media: str = JSON) -> httpx.Response:
    return httpx.post(
        daemon.url(f"/hooks/{name}"), content=body, headers={"content-type": media}, timeout=20, trust_env=False
    )


def lines(daemon: Daemon) -> list[dict[str, Any]]:
    """Every record of the log, each a line for every reader."""
    for segment in daemon.log_dir.glob("log-*.jsonl"):
        assert b"\r" not in segment.read_bytes()
    return records(daemon.log_dir)


@pytest.mark.timeout(600)
def test_bodies_that_are_not_what_they_say_are_refused_or_kept_and_the_log_outlives_them(daemon: Daemon) -> None:
    daemon.write(HOUSE)
    start(daemon)

    with siege(daemon) as outcome:
        refused = {name: post(daemon, "say", body) for name, body in REFUSED.items()}
        accepted = {name: post(daemon, "say", body) for name, body in ACCEPTED.items()}

    assert {name: answer.status_code for name, answer in refused.items() if answer.status_code != 400} == {}
    assert [answer.json()["detail"] for answer in refused.values() if len(answer.json()["detail"]) > 300] == []
    assert {name: answer.status_code for name, answer in accepted.items() if answer.status_code not in {200, 202}} == {}
    assert accepted["one name twice"].json()["text"] == "last"
    outcome[0].check(f"{len(REFUSED) + len(ACCEPTED)} bodies")
    comes_back(daemon, len(ACCEPTED))


@pytest.mark.timeout(600)
def test_what_looks_like_a_template_a_command_or_a_header_is_text(daemon: Daemon) -> None:
    daemon.write(HOUSE)
    start(daemon)

    with siege(daemon) as outcome:
        answers = [post(daemon, "say", orjson.dumps({"text": text})) for text in TEXTS]

    assert [answer.status_code for answer in answers] == [200] * len(TEXTS)
    assert [answer.json() for answer in answers] == [{"text": text, "again": f"({text})"} for text in TEXTS]
    assert [answer for answer in answers if "x-injected" in answer.headers] == []
    assert "\x1b" not in daemon.stderr
    outcome[0].check(f"{len(TEXTS)} hostile texts")
    comes_back(daemon, len(TEXTS))


def comes_back(daemon: Daemon, said: int) -> None:
    """Kill the daemon, start it again, and find everything it accepted, by its commands too."""
    daemon.kill()
    daemon.start()

    heard = [record for record in lines(daemon) if record["type"] == "event.accepted"]
    assert len([record for record in heard if record["event"].get("webhook") == "say"]) == said
    for record in heard[-3:]:
        shown = daemon.command("show", record["event"]["id"])
        assert shown.returncode == 0, shown.stderr
        assert "\x1b" not in shown.stdout
    assert [record for record in lines(daemon) if record["type"] == "log.damaged"] == []
    assert daemon.stop() == 0
    assert "Traceback" not in daemon.stderr
