from __future__ import annotations

import json
from typing import Any

import pytest

from hooksd.auth.build import build_verifier
from hooksd.auth.certified import MAX_CERTIFICATES, confirmation
from hooksd.auth.handshake import Greeting, build_greeter
from hooksd.auth.remote import FIRST_RETRY, Remotes
from hooksd.auth.request import Inbound
from hooksd.auth.verdict import Refused, Verifier
from hooksd.model.secret import Secret
from tests.auth.requests import NOW, auth, verdict
from tests.auth.signing import (
    OTHER,
    PAYPAL_CERTIFICATE,
    SNS_CERTIFICATE,
    TOPIC,
    concrete,
    judge_of,
    public_pem,
    sent_by,
    sns_message,
    sns_request,
)

CONFIRM: dict[str, Any] = {
    "Type": "SubscriptionConfirmation", "Token": "t",
    "SubscribeURL": f"https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t",
}  # fmt: skip
SNS = judge_of("sns")


def nothing(_: str) -> Secret:
    raise AssertionError("there is no secret")


def fresh(name: str, **keys: Any) -> tuple[Verifier, Remotes]:
    remotes = Remotes()
    told = {"topics": TOPIC} if name == "sns" else {"webhook_id": "WH-1"}
    return build_verifier(auth(preset=name, **told, **keys), nothing, remotes), remotes


def message(**changes: Any) -> Inbound:
    return sns_request({**sns_message(), **changes})


@pytest.mark.parametrize("name", ["sns", "paypal"])
def test_with_no_certificate_yet_nothing_is_decided_and_nothing_waits(name: str) -> None:
    judge, remotes = fresh(name)
    request = sent_by(concrete(name))

    assert verdict(judge, request) == "keys_unavailable"
    (due,) = remotes.due(NOW)
    assert due.url == (SNS_CERTIFICATE if name == "sns" else PAYPAL_CERTIFICATE)
    due.received(public_pem(), NOW)
    assert verdict(judge, request) == "key 0"
    assert remotes.due(NOW) == []


@pytest.mark.parametrize("name", ["sns", "paypal"])
def test_what_is_no_certificate_is_asked_for_again_later(name: str) -> None:
    judge, remotes = fresh(name)
    request = sent_by(concrete(name))
    judge.verify(request, NOW)
    for due in remotes.due(NOW):
        assert not due.received(b"<html>", NOW)

    assert verdict(judge, request) == "keys_unavailable"
    assert remotes.due(NOW) == []
    assert len(remotes.due(NOW + FIRST_RETRY)) == 1


HOST = "https://sns.eu-central-1.amazonaws.com"
FILE = f"/SimpleNotificationService-{'0a' * 16}.pem"


@pytest.mark.parametrize(
    "url",
    [
        f"http://sns.eu-central-1.amazonaws.com{FILE}",
        f"https://sns.eu-central-1.amazonaws.com.evil.example{FILE}",
        f"https://evil.example/sns.eu-central-1.amazonaws.com{FILE}",
        f"https://sns.s3-eu-central-1.amazonaws.com{FILE}",
        f"https://sns.eu-central-1.amazonaws.com@evil.example{FILE}",
        f"https://user@sns.eu-central-1.amazonaws.com{FILE}",
        f"https://sns.eu-central-1.amazonaws.com:8443{FILE}",
        f"https://SNS.eu-central-1.amazonaws.com{FILE}",
        f"https://xsns.eu-central-1.amazonaws.com{FILE}",
        f"{HOST}/x{FILE}",
        f"{HOST}{FILE}?x=1",
        f"{HOST}{FILE}#x",
        f"{HOST}{FILE}\n",
        f"{HOST}/SimpleNotificationService-00.pem",
        f"https://sns.us-east-1.amazonaws.com{FILE}",
        "",
        None,
        1,
        ["x"],
    ],
)
def test_a_certificate_of_anybody_else_is_never_asked_for(url: Any) -> None:
    judge, remotes = fresh("sns")

    assert verdict(judge, message(SigningCertURL=url)) == "bad_cert_url"
    assert remotes.due(NOW) == []


@pytest.mark.parametrize(
    "url",
    [
        PAYPAL_CERTIFICATE.replace("https", "http"),
        PAYPAL_CERTIFICATE.replace("api.paypal.com", "api.paypal.com.evil.example"),
        PAYPAL_CERTIFICATE.replace("api.paypal.com", "evil.example/api.paypal.com"),
        PAYPAL_CERTIFICATE.replace("api.", "xapi."),
        PAYPAL_CERTIFICATE + "/../../x",
        PAYPAL_CERTIFICATE + "?x=1",
        "",
    ],
)
def test_neither_is_one_that_is_not_paypals(url: str) -> None:
    judge, remotes = fresh("paypal")
    headers = {**dict(sent_by(concrete("paypal")).headers), "paypal-cert-url": url}

    request = sent_by(concrete("paypal")).changed(headers=tuple(headers.items()))

    assert verdict(judge, request) == "bad_cert_url"
    assert remotes.due(NOW) == []


def test_invented_certificates_are_asked_for_in_bounds_and_push_no_real_one_out() -> None:
    judge, remotes = fresh("sns")
    judge.verify(message(), NOW)
    for due in remotes.due(NOW):
        due.received(public_pem(), NOW)
    for number in range(100):
        url = f"{HOST}/SimpleNotificationService-{number:032x}.pem"
        assert verdict(judge, message(SigningCertURL=url)) == "keys_unavailable"

    assert len(remotes.due(NOW)) == MAX_CERTIFICATES - 1
    for due in remotes.due(NOW):
        due.received(None, NOW)
    judge.verify(message(SigningCertURL=f"{HOST}/SimpleNotificationService-{'f' * 32}.pem"), NOW)
    assert [due.url[-8:] for due in remotes.due(NOW)] == ["ffff.pem"]
    assert verdict(judge, message()) == "key 0"


@pytest.mark.parametrize("name", ["Message", "MessageId", "Timestamp", "TopicArn", "Type"])
def test_whatever_aws_signed_cannot_be_changed(name: str) -> None:
    changed = {"Timestamp": "2023-11-14T22:13:21Z", "Type": "UnsubscribeConfirmation", "TopicArn": f"{TOPIC}2"}

    assert verdict(SNS, message(**{name: changed.get(name, "other")})) in {"bad_signature", "bad_topic"}
    assert verdict(SNS, message(Subject="added")) == "bad_signature"


def test_a_message_of_another_key_proves_nothing() -> None:
    assert verdict(SNS, sns_request(sns_message(OTHER))) == "bad_signature"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"TopicArn": TOPIC.replace("orders", "others")}, "bad_topic"),
        ({"TopicArn": None}, "bad_topic"),
        ({"SignatureVersion": "1"}, "bad_algorithm"),
        ({"SignatureVersion": "3"}, "bad_algorithm"),
        ({"SignatureVersion": 2}, "bad_algorithm"),
        ({"Signature": "no base64"}, "bad_signature"),
        ({"Signature": None}, "bad_signature"),
        ({"Type": "Other"}, "malformed_body"),
        ({"Type": None}, "malformed_body"),
        ({"Message": 1}, "malformed_body"),
        ({"Message": {"a": 1}}, "malformed_body"),
    ],
)
def test_a_message_in_another_form_is_refused(changes: dict[str, Any], reason: str) -> None:
    assert verdict(SNS, message(**changes)) == reason


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{", b"null"])
def test_a_body_that_is_no_message_is_refused(body: bytes) -> None:
    assert verdict(SNS, message().changed(body=body)) == "malformed_body"


def test_raw_delivery_is_not_signed() -> None:
    request = message().changed(headers=(("x-amz-sns-rawdelivery", "true"),))

    assert verdict(SNS, request) == "unsigned_content"


def test_a_signature_over_sha1_is_accepted_only_where_that_is_written() -> None:
    judge, remotes = fresh("sns", allow_sha1=True)
    request = sns_request(sns_message(SignatureVersion="1"))
    judge.verify(request, NOW)
    for due in remotes.due(NOW):
        due.received(public_pem(), NOW)

    assert verdict(judge, request) == "key 0"


def test_paypals_numbers_stand_between_bars_and_hold_none() -> None:
    judge, headers = judge_of("paypal"), dict(sent_by(concrete("paypal")).headers)
    for name in ("paypal-transmission-id", "paypal-transmission-time"):
        moved = tuple({**headers, name: f"{headers[name]}|x"}.items())
        assert verdict(judge, sent_by(concrete("paypal")).changed(headers=moved)) == "malformed_signature"
    other = tuple({**headers, "paypal-auth-algo": "SHA1withRSA"}.items())
    assert verdict(judge, sent_by(concrete("paypal")).changed(headers=other)) == "bad_algorithm"
    assert verdict(judge, sent_by(concrete("paypal"), moment="2023-11-13T22:13:20Z")) == "key 0"


def test_paypal_may_be_held_to_a_time() -> None:
    judge, remotes = fresh("paypal", tolerance="1h")
    request = sent_by(concrete("paypal"), moment="2023-11-14T21:13:19Z")
    judge.verify(request, NOW)
    for due in remotes.due(NOW):
        due.received(public_pem(), NOW)

    assert verdict(judge, request) == "stale_timestamp"
    assert verdict(judge, sent_by(concrete("paypal"))) == "key 0"


def test_a_confirmation_is_an_event_unless_it_is_to_be_confirmed() -> None:
    request, visited = sns_request(sns_message(**CONFIRM)), list[str]()
    confirming = build_greeter(auth(preset="sns", topics=TOPIC, confirm=True), nothing, visited.append)

    assert verdict(SNS, request) == "key 0"
    assert build_greeter(auth(preset="sns", topics=TOPIC), nothing, visited.append) is None
    assert confirming is not None
    assert confirming.greet(request, authentic=False) is None
    assert confirming.greet(message(), authentic=True) is None
    assert visited == []
    assert confirming.greet(request, authentic=True) == Greeting(status=200, headers=(), body=b"")
    assert visited == [CONFIRM["SubscribeURL"]]


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=t",
        "https://evil.example/?Action=ConfirmSubscription&Token=t",
        "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=t",
        "https://sns.eu-central-1.amazonaws.com/?Action=DeleteTopic&Token=t",
        "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=t\n",
        None,
        1,
    ],
)
def test_nothing_but_a_confirmation_at_aws_is_visited(url: Any) -> None:
    assert confirmation({**sns_message(), **CONFIRM, "SubscribeURL": url}) is None
    assert confirmation(json.loads("[]")) is None
    assert confirmation(sns_message()) is None


def test_an_unsigned_verdict_names_no_certificate_of_another_topic() -> None:
    judge, remotes = fresh("sns")

    assert judge.verify(message(TopicArn=f"{TOPIC}2"), NOW) == Refused(reason="bad_topic")
    assert remotes.due(NOW) == []
