"""Every preset, with requests of our own making and with those that providers published, where they are at hand."""

from __future__ import annotations

import base64
import hmac
import json
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from hooksd.auth import build
from hooksd.auth.build import build_verifier
from hooksd.auth.coverage import FORM, coverage
from hooksd.auth.presets import describe, expand, preset_names
from hooksd.auth.problem import AuthProblem
from hooksd.auth.remote import Remotes
from hooksd.auth.request import Inbound
from hooksd.auth.verdict import Authentic, Refused, Verifier
from hooksd.model.auth import Auth, HmacAuth, JwtAuth, NoneAuth, PresetAuth, SignedAuth, TokenAuth
from hooksd.model.secret import Secret
from hooksd.model.trust import Trust
from tests.auth.own_vectors import request_of
from tests.auth.requests import NOW, auth, document, said, verdict
from tests.auth.signing import KEY, OTHER, TOLD, concrete, judge_of, secret_text, sent_by, type_of
from tests.auth.vectors import inbound_of, shared_vectors

OWN = tomllib.loads((Path(__file__).parent / "vectors.toml").read_text())


def vectors() -> list[Any]:
    found = shared_vectors("published.json", "derived.json")
    return [param for param in found if param.values[0].get("auth", {}).get("type") != "legacy_hash"]


@pytest.mark.parametrize("vector", vectors())
def test_every_published_request_gets_the_verdict_that_its_provider_gives(vector: dict[str, Any]) -> None:
    secrets = {f"env:{place}": vector[key] for place, key in enumerate(("secret",)) if key in vector}
    secrets |= {f"env:{place}": text for place, text in enumerate(vector.get("secrets", ()))}
    told: dict[str, Any] = {key: vector[key] for key in ("public_key", "topics", "allow_sha1") if key in vector}
    keys: dict[str, Any] = {"preset": vector["preset"], **({"secret": list(secrets)} if secrets else {}), **told}
    auth = PresetAuth.model_validate({**keys, **vector.get("auth", {})})
    if vector.get("reason") == "config_error":
        with pytest.raises(AuthProblem, match="empty"):
            build_verifier(auth, lambda ref: Secret(secrets[ref].encode()))
        return
    with pytest.MonkeyPatch.context() as patch:
        # Some of the published secrets are shorter than ours may be.
        patch.setattr(build, "MIN_SECRET", 1)
        remotes = Remotes()
        verifier = build_verifier(auth, lambda ref: Secret(secrets[ref].encode()), remotes)
    verdict = verifier.verify(inbound_of(vector), vector["now"])
    if verdict == Refused(reason="keys_unavailable"):
        for remote in remotes.due(vector["now"]):
            assert remote.received(vector["certs"][remote.url].encode(), vector["now"])
        verdict = verifier.verify(inbound_of(vector), vector["now"])
    if vector["expect"] == "valid":
        assert isinstance(verdict, Authentic)
    else:
        assert isinstance(verdict, Refused)
        assert verdict.reason == vector.get("reason", verdict.reason)


def own(name: str) -> tuple[Verifier, Inbound]:
    vector = OWN[name]
    preset = vector.get("preset", name)
    judge = build_verifier(auth(preset=preset, secret="env:S"), lambda _: Secret(vector["secret"].encode()))
    request = Inbound(
        method="POST",
        path="/hooks/x",
        query_string="",
        headers=tuple((key.lower(), value) for key, value in vector["headers"].items()),
        body=vector["body"].encode(),
        media="application/json",
        url=vector.get("url"),
    )
    return judge, request


@pytest.mark.parametrize("name", sorted(OWN))
def test_a_request_that_another_program_signed_is_authentic_and_read(name: str) -> None:
    judge, request = own(name)

    assert verdict(judge, request) == "key 0"
    assert said(judge, request, json.loads(request.body)) == (OWN[name]["event"], OWN[name].get("id"))


@pytest.mark.parametrize(
    ("name", "events", "expected"),
    [
        ("sendgrid", [{"sg_event_id": "1"}], "1"),
        ("sendgrid", [{"sg_event_id": "1"}, {"sg_event_id": "2"}], None),
        ("eventgrid", [{"topic": "/t", "id": "1"}], "/t 1"),
        ("eventgrid", [{"topic": "/t", "id": "1"}, {"topic": "/t", "id": "2"}], None),
        ("eventgrid", [{"id": "1"}], None),
        ("line", {"events": [{"webhookEventId": "1"}]}, "1"),
        ("line", {"events": [{"webhookEventId": "1"}, {"webhookEventId": "2"}]}, None),
        ("line", {"events": []}, None),
    ],
)
def test_a_body_of_several_events_is_not_known_by_its_first(name: str, events: Any, expected: str | None) -> None:
    request = sent_by(concrete(name)).changed(body=json.dumps(events).encode())

    assert judge_of(name).id(request, document(events)) == expected


@pytest.mark.parametrize("changed", ["eventCode", "success", "pspReference"])
def test_what_happens_to_one_payment_of_adyen_is_told_apart(changed: str) -> None:
    item = {"eventCode": "CAPTURE", "success": "true", "pspReference": "7914"}
    request = sent_by(concrete("adyen"))

    ids = {
        judge_of("adyen").id(request, document({"notificationItems": [{"NotificationRequestItem": told}]}))
        for told in (item, {**item, changed: "other"})
    }

    assert len(ids) == 2
    assert "CAPTURE true 7914" in ids


def test_two_notifications_of_one_deploy_at_netlify_are_two() -> None:
    request = sent_by(concrete("netlify"))

    judge = judge_of("netlify")
    for state in ("building", "ready"):
        assert said(judge, request, {"id": "5ebc", "state": state}) == (state, None)


FROZEN: dict[str, Any] = json.loads((Path(__file__).parent / "vectors.json").read_text())


def test_there_are_vectors_for_every_preset() -> None:
    assert list(FROZEN) == list(preset_names())


@pytest.mark.parametrize(
    ("name", "case"),
    [pytest.param(name, case, id=f"{name}: {case['title']}") for name in FROZEN for case in FROZEN[name]["cases"]],
)
def test_every_vector_of_ours_keeps_its_verdict(name: str, case: dict[str, Any]) -> None:
    entry, remotes = FROZEN[name], Remotes()
    judge = build_verifier(
        PresetAuth.model_validate(entry["auth"]), lambda ref: Secret(entry["secrets"][ref].encode()), remotes
    )
    judge.verify(request_of(entry["request"]), entry["now"])  # names its certificate, if it has one
    for remote in remotes.due(entry["now"]):
        remote.received(entry["elsewhere"][remote.url].encode(), entry["now"])

    request = request_of({**entry["request"], **case.get("request", {})})

    assert verdict(judge, request, case.get("now", entry["now"])) == case["verdict"]


EVERY = preset_names()
SIGNED = [name for name in EVERY if isinstance(concrete(name), SignedAuth)]
TIMED = [name for name in (*SIGNED, "sns") if coverage(concrete(name)).window is not None]
ROTATED = [name for name in EVERY if type_of(name) not in {"basic", "aws-sns", "paypal"} and name not in TOLD]


@pytest.mark.parametrize("name", EVERY)
def test_a_request_of_the_provider_is_authentic_and_read(name: str) -> None:
    known = concrete(name)
    request = sent_by(known)

    event, identifier = said(judge_of(name), request, json.loads(request.body) if request.media != FORM else {})
    assert verdict(judge_of(name), request) == "key 0"
    assert (event is not None) == bool(known.event)
    told = (identifier or "").split()
    assert len(told) == len(known.id)
    assert set(told) <= {"id-1", "kind"}


@pytest.mark.parametrize("name", EVERY)
def test_a_request_with_another_secret_is_refused(name: str) -> None:
    assert verdict(judge_of(name, OTHER), sent_by(concrete(name))) in {"bad_signature", "bad_token", "unknown_key"}


@pytest.mark.parametrize("name", ROTATED)
def test_while_rotating_the_verdict_tells_which_secret_fitted(name: str) -> None:
    judge = judge_of(name, OTHER, KEY)

    assert verdict(judge, sent_by(concrete(name), KEY)) == "key 1"
    assert verdict(judge, sent_by(concrete(name), OTHER)) == "key 0"


@pytest.mark.parametrize("name", EVERY)
def test_nothing_that_proves_it_may_be_missing_or_stand_there_twice(name: str) -> None:
    known, judge = concrete(name), judge_of(name)
    request = sent_by(known)
    told = {source.partition(":")[2].lower() for source in known.event} | {"content-type"}
    proving = {header for header, _ in request.pairs} - told
    if not (isinstance(known, SignedAuth) and coverage(known).id):
        proving -= {source.partition(":")[2].lower() for source in known.id}

    for header in proving:
        without = request.changed(headers=tuple(pair for pair in request.pairs if pair[0] != header))
        twice = request.changed(headers=(*request.pairs, (header, "x")))
        empty = request.changed(headers=tuple((n, "" if n == header else v) for n, v in request.pairs))
        assert verdict(judge, without).startswith("missing_") or header.startswith("paypal-")
        assert verdict(judge, without) != "key 0"
        assert verdict(judge, twice) == "duplicate_header"
        assert verdict(judge, empty) != "key 0"
    if request.query_string:
        assert verdict(judge, request.changed(query_string="")) == "missing_token"
        twice = request.changed(query_string=f"{request.query_string}&{request.query_string}")
        assert verdict(judge, twice) == "duplicate_parameter"


@pytest.mark.parametrize("name", SIGNED)
def test_a_body_that_was_changed_in_any_way_is_refused(name: str) -> None:
    request, judge = sent_by(concrete(name)), judge_of(name)
    whole = coverage(concrete(name)).body == "full"

    if whole:
        assert verdict(judge, request.changed(body=request.body + b" ")) == "bad_signature"
        assert verdict(judge, request.changed(body=request.body + b"\n")) == "bad_signature"
    assert verdict(judge, request.changed(body=b"")) in {"bad_signature", "malformed_body", "missing_timestamp"}
    assert judge.trust is (Trust.SIGNED if whole else Trust.TOKEN)


@pytest.mark.parametrize("name", TIMED)
def test_a_time_is_fresh_up_to_the_second_that_the_provider_says(name: str) -> None:
    request, judge = sent_by(concrete(name)), judge_of(name)
    window = coverage(concrete(name)).window
    assert window is not None

    assert verdict(judge, request, NOW + window) == verdict(judge, request, NOW - window) == "key 0"
    assert verdict(judge, request, NOW + window + 1) == "stale_timestamp"
    assert verdict(judge, request, NOW - window - 1) == "stale_timestamp"


@pytest.mark.parametrize("name", TIMED)
@pytest.mark.parametrize("moment", ["1.7e9", "-1700000000", "\u0661\u0667", "nan", "0x6553f100"])
def test_a_signed_time_in_another_form_is_refused(name: str, moment: str) -> None:
    request = sent_by(concrete(name), moment=moment)
    latin = tuple((name, value.encode().decode("latin-1")) for name, value in request.pairs)

    assert verdict(judge_of(name), request.changed(headers=latin)) == "malformed_timestamp"


@pytest.mark.parametrize("name", SIGNED)
def test_a_signature_in_another_layout_or_encoding_is_refused(name: str) -> None:
    known, judge = concrete(name), judge_of(name)
    request = sent_by(known)
    assert isinstance(known, SignedAuth)
    if known.header is None or "hex" in known.encoding:
        return
    headers = dict(request.pairs)
    good = headers[known.header.lower()]
    start = known.format.partition("{signature}")[0] if "{timestamp}" not in known.format else ""
    raw = base64.b64decode(good.removeprefix(start))

    for text in (raw.hex(), base64.b64encode(raw).decode().rstrip("="), base64.b64encode(raw).decode() + "="):
        if start + text == good:
            continue  # DER of that length needs no padding
        changed = {**headers, known.header.lower(): start + text}
        assert verdict(judge, request.changed(headers=tuple(changed.items()))) == "bad_signature"


@pytest.mark.parametrize("name", [name for name in SIGNED if coverage(concrete(name)).url])
def test_a_signature_over_the_url_fits_no_other_url_and_none_that_is_not_known(name: str) -> None:
    request, judge = sent_by(concrete(name)), judge_of(name)

    assert verdict(judge, request.changed(url=f"{request.url}/")) == "bad_signature"
    assert verdict(judge, request.changed(url=None)) == "missing_component"


@pytest.mark.parametrize("name", ["gitea", "forgejo", "gogs"])
def test_a_form_whose_payload_is_signed_holds_nothing_else(name: str) -> None:
    known, judge = concrete(name), judge_of(name)
    assert isinstance(known, HmacAuth)
    body = b'payload={"a":1}'
    mac = hmac.new(secret_text(known), b'{"a":1}', "sha256").hexdigest()
    request = sent_by(known).changed(
        headers=((str(known.header).lower(), mac),),
        body=body,
        media=FORM,
    )

    assert verdict(judge, request) == "key 0"
    assert verdict(judge, request.changed(body=body + b"&more=1")) == "unsigned_content"
    assert verdict(judge, request.changed(body=body + b"&payload=1")) == "duplicate_parameter"
    assert verdict(judge, request.changed(body=b"other=1")) == "missing_component"


@pytest.mark.parametrize("more", [[{}], [None], [None, {}], [{"a": 1}, {"b": 2}]])
def test_a_second_item_that_adyen_did_not_sign_is_refused(more: list[Any]) -> None:
    request = sent_by(concrete("adyen"))
    data = json.loads(request.body)
    changed = json.dumps({**data, "notificationItems": [*data["notificationItems"], *more]}).encode()

    assert verdict(judge_of("adyen"), request.changed(body=changed)) == "unsigned_content"


@pytest.mark.parametrize(
    ("states", "expected"),
    [([KEY], "key 0"), ([KEY, KEY], "key 0"), ([KEY, OTHER], "duplicate_parameter"), ([KEY, None], "missing_token"),
     ([OTHER], "bad_token"), ([], "missing_token")],
    ids=["one", "two", "one is another's", "one without", "another's", "none"],
)  # fmt: skip
def test_every_notification_of_microsoft_graph_proves_itself(states: list[bytes | None], expected: str) -> None:
    value = [{"clientState": state.hex()} if state else {} for state in states]
    request = sent_by(concrete("msgraph")).changed(body=json.dumps({"value": value}).encode())

    assert verdict(judge_of("msgraph"), request) == expected


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_hashes_that_anybody_can_extend_cannot_be_asked_for(version: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[Any](Auth).validate_python({"type": "legacy_hash", "version": version, "header": "X-Signature"})


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_tells_people_where_its_secret_is(name: str) -> None:
    about = describe(name)

    assert about.name == name
    assert about.title
    assert about.secret_at
    assert about.source
    assert about.verified is None or urlsplit(about.verified).hostname
    assert about.proof
    assert not about.proof.startswith("header:")


def test_what_is_no_preset_stays_as_it_is() -> None:
    plain = auth(type="none")

    assert expand(plain) is plain
    assert isinstance(plain, NoneAuth)


def test_a_preset_stands_for_its_type_with_its_keys_replaced() -> None:
    found = expand(auth(preset="stripe", secret=["env:A", "env:B"], tolerance="10m", event="header:X-Event"))

    assert isinstance(found, HmacAuth)
    assert found.secrets == ("env:A", "env:B")
    assert found.tolerance == 600
    assert found.event == ("header:X-Event",)
    assert found.format == "t={timestamp},v1={signature}"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({}, ("json:id",)),
        ({"id": ""}, ()),
        ({"id": [""]}, ()),
        ({"id": ["header:A", "header:B"]}, ("header:A", "header:B")),
    ],
)
def test_the_id_of_a_preset_may_be_elsewhere_and_in_parts_or_not_be_asked_for(
    written: dict[str, Any], expected: tuple[str, ...]
) -> None:
    found = expand(auth(preset="stripe", secret="env:A", **written))

    assert isinstance(found, HmacAuth)
    assert found.id == expected


def test_a_token_of_a_preset_may_be_elsewhere() -> None:
    found = expand(auth(preset="gitlab", secret="env:A", token="query:t"))

    assert isinstance(found, TokenAuth)
    assert found.token == "query:t"


def test_an_unknown_preset_is_told_with_the_one_that_was_meant() -> None:
    with pytest.raises(AuthProblem, match="unknown preset `GitHib`") as caught:
        expand(auth(preset="GitHib", secret="env:A"))
    with pytest.raises(AuthProblem) as other:
        expand(auth(preset="zzz", secret="env:A"))

    assert caught.value.hint == "did you mean `github`?"
    assert str(other.value.hint).startswith("known are adyen, adyen-platform, alertmanager, ")


@pytest.mark.parametrize(
    ("name", "keys", "key"),
    [
        ("gitlab", {"tolerance": "5m"}, "tolerance"),
        ("gitlab", {"header": "X"}, "header"),
        ("github", {"username": "a"}, "username"),
    ],
)
def test_a_key_that_the_preset_does_not_have_is_told_by_name(name: str, keys: dict[str, Any], key: str) -> None:
    with pytest.raises(AuthProblem, match=f"does not take `{key}`") as caught:
        expand(auth(preset=name, secret="env:A", **keys))

    assert caught.value.key == key


@pytest.mark.parametrize(("name", "key"), [("paypal", "webhook_id"), ("postmark", "username")])
def test_a_key_that_the_preset_needs_is_told_by_name(name: str, key: str) -> None:
    with pytest.raises(AuthProblem, match=f"needs `{key}`"):
        expand(auth(preset=name))


def test_claims_are_asked_besides_those_of_the_preset() -> None:
    found = expand(auth(preset="pubsub", claims={"email": "a@b"}))

    assert isinstance(found, JwtAuth)
    assert found.claims == {"email_verified": True, "email": "a@b"}


@given(
    name=st.sampled_from(EVERY),
    place=st.integers(0, 9),
    value=st.text(st.characters(max_codepoint=255), max_size=30)
    | st.sampled_from(["t=1,v1=00", "sha256=", "v0=", "="]),
    body=st.none() | st.binary(max_size=40) | st.sampled_from([b"[]", b'{"value":[1]}', b"payload=1", b"[" * 3000]),
    media=st.sampled_from(["application/json", FORM, ""]),
    query=st.none() | st.text(max_size=20),
)
def test_nothing_that_is_written_into_a_request_makes_a_verifier_fail(
    name: str, place: int, value: str, body: bytes | None, media: str, query: str | None
) -> None:
    request = sent_by(concrete(name))
    headers = list(request.pairs)
    header, told = headers[place % len(headers)]
    headers[place % len(headers)] = (header, told[: place // 2] + value)
    changed = request.changed(
        headers=tuple(headers),
        body=request.body if body is None else body,
        media=media,
        query_string=request.query_string if query is None else query,
    )
    judge = judge_of(name)

    assert judge.verify(changed, NOW) != Refused(reason="internal_error")
    said(judge, changed, None)
