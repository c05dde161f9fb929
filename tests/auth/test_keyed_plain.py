"""The short form and the general one: of every request they say the same."""

from __future__ import annotations

import base64
import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.auth.keyed import keyed
from hooksd.auth.keyed_plain import plainly_keyed
from hooksd.auth.refusal import Refusal
from hooksd.auth.request import Inbound
from hooksd.auth.sources import Examined
from hooksd.model.auth import HmacAuth

KEYS = (b"the first of two keys", b"the second of two keys")
PLAIN: dict[str, Any] = {"type": "hmac", "secret": "credential:one", "header": "X-Sig"}
LAYOUTS = ("{signature}", "sha256={signature}", "v1 {signature}")


def definition(**keys: object) -> HmacAuth:
    return HmacAuth.model_validate(PLAIN | keys)


def said(proof: Any, request: Inbound) -> int | str:
    try:
        return int(proof.prove(Examined(request), 1000.0))
    except Refusal as refusal:
        return refusal.reason


def inbound(body: bytes, *values: str) -> Inbound:
    headers = tuple(("x-sig", value) for value in values)
    return Inbound(method="POST", path="/", query_string="", headers=headers, body=body, media="application/json")


@st.composite
def signatures(draw: st.DrawFn, layout: str, body: bytes, encoding: str) -> str:
    """Return the value of a header: right, almost right, or anything."""
    raw = hmac.new(draw(st.sampled_from((*KEYS, b"a third key"))), draw(st.sampled_from((body, b"{}"))), "sha256")
    text = raw.hexdigest() if encoding == "hex" else base64.b64encode(raw.digest()).decode()
    text = draw(st.sampled_from((layout, *LAYOUTS))).replace("{signature}", draw(st.sampled_from((text, text.upper()))))
    place = draw(st.integers(0, len(text)))
    piece = draw(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=3))
    cut = draw(st.integers(0, 2))
    return draw(st.sampled_from((text, text, f" {text}\t", text[:place] + piece + text[place + cut :], piece, "")))


@given(st.data())
def test_the_short_form_says_of_every_request_what_the_general_form_says(data: st.DataObject) -> None:
    encoding = data.draw(st.sampled_from(("hex", "base64")))
    layout = data.draw(st.sampled_from(LAYOUTS))
    auth = definition(format=layout, encoding=encoding)
    keys = data.draw(st.sampled_from((KEYS, KEYS[:1], KEYS[::-1], KEYS[:1] * 2)))
    body = data.draw(st.binary(max_size=100))
    request = inbound(body, *data.draw(st.lists(signatures(layout, body, encoding), max_size=2)))

    short = plainly_keyed(auth, keys)

    assert short is not None
    assert said(short, request) == said(keyed(auth, keys), request)


@pytest.mark.parametrize(
    "keys",
    [
        {"header": None, "signature": "query:sig"},
        {"format": "t={timestamp},v1={signature}", "signed": "{timestamp}.{body}"},
        {"format": "{signature}=="},
        {"separator": ","},
        {"encoding": ["hex", "base64"]},
        {"timestamp": "header:X-Time"},
        {"signed": "{method}{body}"},
        {"signed": {"*": "{body}", "application/x-www-form-urlencoded": "{form:payload}"}},
        {"forbid": ["query:extra"]},
    ],
)
def test_whatever_asks_for_more_takes_the_general_form(keys: dict[str, Any]) -> None:
    assert plainly_keyed(definition(**keys), KEYS) is None


def test_an_id_that_is_only_read_does_not_matter() -> None:
    assert plainly_keyed(definition(id="header:X-Id", event="header:X-Event"), KEYS) is not None
