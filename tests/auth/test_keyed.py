from __future__ import annotations

import base64
import hmac
import time
import timeit
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.auth.keyed import pieces_of
from hooksd.auth.request import Inbound
from tests.auth.requests import NOW, SECRETS, inbound, verdict, verifier

ONE, TWO = SECRETS["credential:one"], SECRETS["credential:two"]
PLAIN: dict[str, Any] = {"type": "hmac", "secret": "credential:one", "header": "X-Sig"}
TIMED: dict[str, Any] = {
    **PLAIN, "signed": "{timestamp}.{body}", "timestamp": "header:X-Time", "tolerance": "5m",
}  # fmt: skip


def sign(message: bytes, key: bytes = ONE, algorithm: str = "sha256") -> str:
    return hmac.new(key, message, algorithm).hexdigest()


@given(st.binary(max_size=100))
def test_the_raw_bytes_are_what_is_signed(body: bytes) -> None:
    assert verdict(verifier(**PLAIN), inbound(body, x_sig=sign(body))) == "key 0"


@given(st.binary(min_size=1, max_size=50), st.data())
def test_any_change_of_the_body_is_noticed(body: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(body) - 1))
    changed = body[:place] + bytes([body[place] ^ data.draw(st.integers(1, 255))]) + body[place + 1 :]

    assert verdict(verifier(**PLAIN), inbound(changed, x_sig=sign(body))) == "bad_signature"


def test_hexadecimal_digits_may_be_large() -> None:
    assert verdict(verifier(**PLAIN), inbound(x_sig=sign(b"{}").upper())) == "key 0"


def test_while_rotating_either_secret_fits_and_the_verdict_tells_which() -> None:
    both = verifier(**{**PLAIN, "secret": ["credential:one", "credential:two"]})

    assert verdict(both, inbound(x_sig=sign(b"{}", ONE))) == "key 0"
    assert verdict(both, inbound(x_sig=sign(b"{}", TWO))) == "key 1"
    assert verdict(both, inbound(x_sig=sign(b"{}", b"a third one"))) == "bad_signature"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "missing_signature"),
        ({"x_sig": ""}, "missing_signature"),
        ({"x_sig": "zz"}, "bad_signature"),
        ({"x_sig": "é"}, "bad_signature"),
        ({"x_sig": sign(b"{}")[:-2]}, "bad_signature"),
        ({"x_sig": sign(b"{}") + "00"}, "bad_signature"),
        ({"x_sig": "sha256=" + sign(b"{}")}, "bad_signature"),
    ],
    ids=["none", "empty", "not hexadecimal", "not ascii", "cut", "longer", "with a prefix"],
)
def test_a_request_without_the_right_signature_is_refused(headers: dict[str, str], reason: str) -> None:
    assert verdict(verifier(**PLAIN), inbound(**headers)) == reason


def test_a_signature_header_given_twice_is_refused_even_when_one_fits() -> None:
    request = inbound(x_sig=sign(b"{}"))
    twice = request.changed(headers=(*request.pairs, ("x-sig", "00")))

    assert verdict(verifier(**PLAIN), twice) == "duplicate_header"


def test_base64_must_be_canonical() -> None:
    judge = verifier(**PLAIN, encoding="base64")
    good = base64.b64encode(hmac.digest(ONE, b"{}", "sha256")).decode()

    assert verdict(judge, inbound(x_sig=good)) == "key 0"
    assert verdict(judge, inbound(x_sig=good.rstrip("="))) == "bad_signature"
    assert verdict(judge, inbound(x_sig=good.replace("=", "=\t="))) == "bad_signature"


def test_several_encodings_mean_either() -> None:
    judge = verifier(**PLAIN, encoding=["hex", "base64"])

    assert verdict(judge, inbound(x_sig=sign(b"{}"))) == "key 0"
    assert verdict(judge, inbound(x_sig=base64.b64encode(hmac.digest(ONE, b"{}", "sha256")).decode())) == "key 0"


def timed(stamp: str, **more: str) -> Any:
    return inbound(x_sig=sign(stamp.encode("latin-1") + b".{}"), x_time=stamp, **more)


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        (str(int(NOW)), "key 0"),
        (str(int(NOW) - 300), "key 0"),
        (str(int(NOW) + 300), "key 0"),
        (str(int(NOW) - 301), "stale_timestamp"),
        (str(int(NOW) + 301), "stale_timestamp"),
        ("0", "stale_timestamp"),
        ("-1", "malformed_timestamp"),
        ("1e9", "malformed_timestamp"),
        ("nan", "malformed_timestamp"),
        ("9" * 16, "malformed_timestamp"),
        ("1_700_000_000", "malformed_timestamp"),
        ("", "missing_timestamp"),
    ],
)
def test_a_signed_time_must_be_near_and_plainly_written(stamp: str, expected: str) -> None:
    assert verdict(verifier(**TIMED), timed(stamp)) == expected


def test_the_signature_is_judged_before_the_time() -> None:
    assert verdict(verifier(**TIMED), inbound(x_sig="00", x_time="0")) == "bad_signature"
    assert verdict(verifier(**TIMED), inbound(x_sig="00", x_time="nonsense")) == "bad_signature"


def test_without_a_tolerance_any_signed_time_will_do_but_it_must_be_one() -> None:
    judge = verifier(**{key: value for key, value in TIMED.items() if key != "tolerance"})

    assert verdict(judge, timed("1")) == "key 0"
    assert verdict(judge, timed("x")) == "malformed_timestamp"


def test_bytes_of_a_header_are_signed_as_they_came() -> None:
    judge = verifier(**PLAIN, signed="{header:X-Name}{body}")
    name = "Zoë".encode().decode("latin-1")

    assert verdict(judge, inbound(x_sig=sign("Zoë{}".encode()), x_name=name)) == "key 0"


@pytest.mark.parametrize(
    ("signed", "request_", "message"),
    [
        ("{method}:{body}", inbound(), b"POST:{}"),
        ("{query:a}{body}", inbound(query="a=1"), b"1{}"),
        ("{json:a.0.b}:{body}", inbound(b'{"a":[{"b":"x"}]}'), b'x:{"a":[{"b":"x"}]}'),
        ("{json?:nope}:{body}", inbound(), b":{}"),
        ("{const:k}{body}", inbound(), b"k{}"),
        ("{form:payload}", inbound(b"payload=%7B%7D&x=1", media="application/x-www-form-urlencoded"), b"{}"),
    ],
)
def test_what_is_signed_can_hold_any_source(signed: str, request_: Inbound, message: bytes) -> None:
    judge = verifier(**PLAIN, signed=signed, partial="{body}" not in signed)

    assert verdict(judge, request_.changed(headers=(("x-sig", sign(message)),))) == "key 0"


def test_what_is_signed_can_depend_on_the_media_type() -> None:
    judge = verifier(**PLAIN, signed={"*": "{body}", "application/x-www-form-urlencoded": "{form:payload}"})

    assert verdict(judge, inbound(b"x", x_sig=sign(b"x"))) == "key 0"
    form = inbound(b"payload=x", media="application/x-www-form-urlencoded", x_sig=sign(b"x"))
    assert verdict(judge, form) == "key 0"


def test_the_url_is_signed_as_the_settings_say_or_not_at_all() -> None:
    judge = verifier(**PLAIN, signed="{url}{body}")
    request = inbound(x_sig=sign(b"https://a.example/x{}"))

    assert verdict(judge, request.changed(url="https://a.example/x")) == "key 0"
    assert verdict(judge, request) == "missing_component"


def test_a_missing_part_of_what_is_signed_is_never_empty() -> None:
    assert verdict(verifier(**PLAIN, signed="{header:X-A}{body}"), inbound(x_sig=sign(b"{}"))) == "missing_component"


def test_a_placeholder_without_a_meaning_is_no_source() -> None:
    with pytest.raises(ValueError, match="no source"):
        pieces_of("{body}{nope}")


def test_at_most_sixteen_signatures_of_a_request_are_tried() -> None:
    judge = verifier(**PLAIN, format="v1,{signature}", separator=" ")
    good, bad = "v1," + sign(b"{}"), "v1,00"

    assert verdict(judge, inbound(x_sig=" ".join([bad] * 15 + [good]))) == "key 0"
    assert verdict(judge, inbound(x_sig=" ".join([bad] * 16 + [good]))) == "bad_signature"


def test_a_request_of_a_kilobyte_is_verified_in_microseconds() -> None:
    body = b"x" * 1024
    judge, request = verifier(**PLAIN), inbound(body, x_sig=sign(body))

    seconds = (
        min(timeit.repeat(lambda: judge.verify(request, NOW), timer=time.process_time, number=500, repeat=5)) / 500
    )

    assert verdict(judge, request) == "key 0"
    assert seconds < 500e-6
