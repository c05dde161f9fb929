"""What docs/providers.md says of each preset, made from the presets: `python -m tests.docs.providers` writes it.

Each example is a definition and, where a shared secret proves requests, a request signed with a secret of the page.
`test_providers.py` holds the page to it, and has each example judged.
"""

from __future__ import annotations

import base64
import json
import shlex
from pathlib import Path
from typing import Any

from hooksd.auth.coverage import coverage
from hooksd.auth.presets import HANDSHAKES, PRESETS, Preset, describe, expand, preset_names
from hooksd.auth.problem import AuthProblem
from hooksd.auth.sign import Occasion, Outgoing, signed
from hooksd.model.auth import BasicAuth, ConcreteAuth, HmacAuth, PresetAuth
from hooksd.model.secret import Secret
from tests.auth.requests import NOW
from tests.auth.signing import Draft

FILE = Path(__file__).parents[2] / "docs" / "providers.md"
BEGIN = "<!-- from here on made by `python -m tests.docs.providers` -->\n"
NOTHING = "\u2013"
HOST = "https://hooks.example.com"
PLAIN = "a secret for this page"
RAW = bytes(range(32, 56))
TOLD: dict[str, str] = {
    "discord": 'auth.public_key = "e7347d4a5b1c0d6f8b2a9c3e1f5d7b6a8c0e2f4a6b8d0c1e3f5a7b9c1d3e5f7a"',
    "discord-events": 'auth.public_key = "e7347d4a5b1c0d6f8b2a9c3e1f5d7b6a8c0e2f4a6b8d0c1e3f5a7b9c1d3e5f7a"',
    "standard-ed25519": 'auth.public_key = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="',
    "sourcehut": 'auth.public_key = "1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="',
    "sendgrid": 'auth.public_key = "file:keys/sendgrid"',
}
"""Public keys that stand in definitions."""
BODIES: dict[str, Any] = {
    "adyen": {"notificationItems": [{"NotificationRequestItem": {
        "pspReference": "7914073381342284", "merchantAccountCode": "TestMerchant", "merchantReference": "TestPayment-1",
        "amount": {"value": 1130, "currency": "EUR"}, "eventCode": "AUTHORISATION", "success": "true",
        "additionalData": {},
    }}]},
    "mailgun": {"signature": {}, "event-data": {"event": "delivered"}},
    "msgraph": {"value": [{"changeType": "updated"}]},
    "zoom": {"event": "meeting.started"},
}  # fmt: skip


def definition(name: str) -> str:
    """Return the two or more lines that name a provider."""
    lines = [f"[webhooks.{name}]", f'auth.preset = "{name}"']
    if PRESETS[name]["type"] == "basic":
        lines += ['auth.username = "ann"', f'auth.password = "credential:{name}"']
    else:
        told = [f'auth.{key} = "{value}"' for key, value in describe(name).example.items()]
        lines += told or [TOLD.get(name, f'auth.secret = "credential:{name}"')]
    if any("token" in handshake for handshake in HANDSHAKES.get(name, ())):
        lines.append(f'auth.verify_token = "credential:{name}-verify"')
    return "\n".join(lines)


def is_shared(name: str) -> bool:
    """Tell whether a secret that we have too proves requests."""
    return name not in TOLD and not describe(name).example


def auth_of(name: str) -> PresetAuth:
    keys: dict[str, Any] = {"preset": name, "secret": "env:S"}
    if PRESETS[name]["type"] == "basic":
        keys = {"preset": name, "username": "ann", "password": "env:S"}
    return PresetAuth.model_validate(keys)


def secret_of(known: ConcreteAuth) -> str:
    """Return the secret of the page, as the provider would show one."""
    if isinstance(known, HmacAuth) and known.secret_encoding != "utf8":
        return known.secret_prefix + (RAW.hex() if known.secret_encoding == "hex" else base64.b64encode(RAW).decode())
    return PLAIN


def request(name: str) -> Outgoing | None:
    """Return a request of the provider at `NOW`; None: only the provider can make one."""
    if not is_shared(name):
        return None
    known = expand(auth_of(name))
    draft = Draft(data=BODIES.get(name))
    for source in known.event:
        if source.startswith("json"):
            draft.put(source, "example")
    for source in known.id:
        if source.startswith("json"):
            draft.put(source, "1")
    body = json.dumps(draft.data if draft.data is not None else {}).encode()
    url = f"{HOST}/hooks/{name}"
    start = Outgoing(url=url, headers=(("Content-Type", "application/json"),), body=body, media="application/json")
    try:
        return signed(
            known, lambda _: Secret(secret_of(known).encode()), start, Occasion(now=NOW, id="1", event="example")
        )
    except AuthProblem as problem:
        raise AssertionError(f"{name}: {problem.message}") from problem


def curl(made: Outgoing) -> str:
    headers = [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in made.headers]
    return " \\\n  ".join([f"curl {shlex.quote(made.url)}", *headers, f"--data-raw {shlex.quote(made.body.decode())}"])


def row(name: str) -> str:
    """Return what the table says of a preset."""
    about, known = describe(name), PRESETS[name]
    event = " ".join(f"`{source}`" for source in about.event) or NOTHING
    return f"| [`{name}`](#{name}) | {about.title} | {known['type']} `{about.proof}` | {covers(name)} | {event} |"


def covers(name: str) -> str:
    told = {"public_key": "x"} if PRESETS[name]["type"] == "signature" else {}
    told |= {"webhook_id": "x"} if name == "paypal" else {}
    known = expand(
        PresetAuth.model_validate({"preset": name, **told}) if told or not is_shared(name) else auth_of(name)
    )
    said = str(coverage(known))
    return NOTHING if said == "nothing" else said


def example(name: str) -> str:
    about: Preset = describe(name)
    read = f"[{about.source}]({about.verified})" if about.verified else about.source
    text = f"### {name}\n\n{about.title}. Secret: {about.secret_at}. Source: {read}.\n\n"
    text += f"```toml\n{definition(name)}\n```\n"
    made = request(name)
    if made is not None:
        is_basic = isinstance(expand(auth_of(name)), BasicAuth)
        what = "password" if is_basic else "secret"
        text += f"\n```sh\n# {what} {shlex.quote(secret_of(expand(auth_of(name))))}, at {NOW:.0f}\n{curl(made)}\n```\n"
    return text


def generated() -> str:
    """Return everything of the page that is made from the presets."""
    table = ["| preset | provider | proof | covers | event type |", "|---|---|---|---|---|", *map(row, preset_names())]
    return BEGIN + "\n" + "\n".join(table) + "\n\n## One by one\n\n" + "\n".join(map(example, preset_names()))


def main() -> None:
    """Write the page."""
    FILE.write_text(FILE.read_text().partition(BEGIN)[0] + generated())


if __name__ == "__main__":
    main()
