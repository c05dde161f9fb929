"""Vectors of our own for every preset, frozen in vectors.json: `python -m tests.auth.own_vectors` writes them anew.

`test_presets.py` holds the verifiers to what stands there. Only public keys are in it: whoever writes it anew makes new
private ones. Each entry is a definition, what its references stand for, what is fetched from elsewhere, one honest
request, and what is said of it and of each change of it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hooksd.auth.coverage import FORM, coverage
from hooksd.auth.presets import preset_names
from hooksd.auth.request import Inbound
from hooksd.auth.verdict import Verifier
from hooksd.model.auth import JwtAuth, PaypalAuth, PresetAuth, SnsAuth
from tests.auth.requests import NOW, verdict
from tests.auth.signing import (
    KEY,
    NAMES,
    OTHER,
    PAYPAL_CERTIFICATE,
    SNS_CERTIFICATE,
    concrete,
    judge_of,
    jwks,
    provider,
    public_pem,
    secret_text,
    sent_by,
)

FILE = Path(__file__).parent / "vectors.json"


def entry(name: str) -> dict[str, Any]:
    known, honest = concrete(name), sent_by(concrete(name))
    written: PresetAuth = provider(name)
    auth = {"preset": name, **{key: value for key, value in written.overrides().items() if value is not None}}
    elsewhere: dict[str, str] = {}
    if isinstance(known, JwtAuth) and known.jwks_url:
        elsewhere[known.jwks_url] = jwks(KEY).decode()
    if isinstance(known, SnsAuth | PaypalAuth):
        elsewhere[SNS_CERTIFICATE if isinstance(known, SnsAuth) else PAYPAL_CERTIFICATE] = public_pem(KEY).decode()
    judge = judge_of(name)
    return {
        "auth": auth,
        "secrets": {NAMES[0]: secret_text(known).decode()},
        "elsewhere": elsewhere,
        "now": NOW,
        "request": written_down(honest),
        "cases": [case(judge, title, change) for title, change in changes(name, honest)],
    }


def changes(name: str, honest: Inbound) -> list[tuple[str, tuple[Inbound, float]]]:
    """Return the request and what may be done to it."""
    headers = honest.pairs
    found = [
        ("honest", (honest, NOW)),
        ("of another key", (sent_by(concrete(name), OTHER), NOW)),
        ("a space behind the body", (honest.changed(body=honest.body + b" "), NOW)),
        ("a field more", (honest.changed(body=_more(honest)), NOW)),
        ("no body", (honest.changed(body=b""), NOW)),
        ("no headers", (honest.changed(headers=()), NOW)),
        ("every header twice", (honest.changed(headers=headers + headers), NOW)),
        ("another url", (honest.changed(url=f"{honest.url}?x=1"), NOW)),
        ("empty headers", (honest.changed(headers=tuple((header, "") for header, _ in headers)), NOW)),
    ]
    window = coverage(concrete(name)).window
    if window is not None:
        for title, moment in (("at the last moment", window), ("a second too late", window + 1)):
            found += [(title, (honest, NOW + moment)), (f"{title}, of a clock ahead", (honest, NOW - moment))]
    return found


def _more(honest: Inbound) -> bytes:
    if honest.media == FORM:
        return honest.body + b"&more=1"
    data = json.loads(honest.body)
    return json.dumps({**data, "more": 1} if isinstance(data, dict) else [*data, 1]).encode()


def case(judge: Verifier, title: str, change: tuple[Inbound, float]) -> dict[str, Any]:
    request, now = change
    told = {"title": title, "verdict": verdict(judge, request, now), "now": now}
    return told if title == "honest" else {**told, "request": written_down(request)}


def written_down(request: Inbound) -> dict[str, Any]:
    return {
        "method": request.method, "url": request.url, "path": request.path, "query": request.query_string,
        "headers": [list(pair) for pair in request.pairs], "body": request.body.decode(), "media": request.media,
    }  # fmt: skip


def request_of(told: dict[str, Any]) -> Inbound:
    return Inbound(
        method=told["method"], path=told["path"], query_string=told["query"], media=told["media"], url=told["url"],
        headers=tuple((name, value) for name, value in told["headers"]), body=told["body"].encode(),
    )  # fmt: skip


def differing(entry: dict[str, Any]) -> dict[str, Any]:
    """Leave out of each case what it shares with the honest request."""
    honest = entry["request"]
    for told in entry["cases"]:
        if "request" in told:
            told["request"] = {key: value for key, value in told["request"].items() if value != honest[key]}
        if told["now"] == entry["now"]:
            del told["now"]
    return entry


def main() -> None:
    """Write the file."""
    entries = {name: differing(entry(name)) for name in preset_names()}
    lines = [f"  {json.dumps(name)}: {json.dumps(told)}" for name, told in entries.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
