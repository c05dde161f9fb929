"""Schemes that name a certificate in each request: Amazon SNS and PayPal.

Only the provider's own hosts are asked for it, by https, in the background and with bounds; the name is checked in full
before it is asked at all.

Source: AWS documentation, Verifying the signatures of Amazon SNS messages; PayPal developer documentation, Integrate
webhooks, self verification.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hooksd.auth import times
from hooksd.auth.refusal import Refusal
from hooksd.auth.remote import Remote, Remotes
from hooksd.auth.sources import Examined
from hooksd.auth.verdict import Reason
from hooksd.model.base import Json
from hooksd.signature import decode_canonical

MAX_CERTIFICATES = 8
"""How many certificates of one webhook are kept. Providers use one or two at a time."""

_SNS_HOST = r"https://sns\.([a-z]{2}(?:-[a-z]+){1,3}-[0-9])\.amazonaws\.com(?:\.cn)?"
_SNS_CERTIFICATE = re.compile(_SNS_HOST + r"/SimpleNotificationService-[0-9a-f]{32}\.pem")
_SNS_CONFIRM = re.compile(_SNS_HOST + r"/\?Action=ConfirmSubscription&[A-Za-z0-9=&:%._~*-]{1,2000}")
_PAYPAL_CERTIFICATE = re.compile(
    r"https://api(?:-m)?(?:\.sandbox)?\.paypal\.com/v1/notifications/certs/CERT-[A-Za-z0-9-]{1,100}"
)
_PART = re.compile(r"[!-{}~]{1,200}")
_ARN = re.compile(r"arn:aws(?:-cn|-us-gov)?:sns:([a-z0-9-]{1,40}):[0-9]{12}:[A-Za-z0-9_.-]{1,256}")
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED: Mapping[Json, tuple[str, ...]] = {
    "Notification": _NOTIFICATION,
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}

Check = Callable[[bytes, bytes], bool]
LoadCheck = Callable[[str, str], Check]
"""Makes what checks signatures from a certificate in PEM and the name of the signature. Raises ValueError."""


class Certificates:
    """The certificates that requests named, by algorithm and URL."""

    def __init__(self, remotes: Remotes, load: LoadCheck) -> None:
        """Begin with none.

        Args:
            remotes: Has them fetched.
            load: Makes a check of one.
        """
        self._remotes = remotes
        self._load = load
        self._known: dict[tuple[str, str], Remote[Check]] = {}

    def check(self, url: str, algorithm: str, now: float) -> Check:
        """Return what checks signatures.

        Args:
            url: Where the certificate is; its form has been checked.
            algorithm: The kind of signature.
            now: Unix time in seconds.

        Raises:
            Refusal: It is not there yet.
        """
        remote = self._known.get((url, algorithm))
        if remote is None:
            remote = self._learn(url, algorithm, now)
        found = remote.value(now) if remote is not None else None
        if found is None:
            raise Refusal("keys_unavailable")
        return found

    def _learn(self, url: str, algorithm: str, now: float) -> Remote[Check] | None:
        if len(self._known) >= MAX_CERTIFICATES:
            # Names that led nowhere make room; real certificates are never pushed out by inventions.
            empty = next((key for key, known in self._known.items() if known.value(now) is None), None)
            if empty is None or not self._known[empty].is_tried:
                return None
            del self._known[empty]
        load = self._load
        remote = Remote(url, lambda data: load(data.decode("ascii"), algorithm))
        self._known[url, algorithm] = self._remotes.want(remote)
        return remote


@dataclass(frozen=True, slots=True, kw_only=True)
class Sns:
    """Proves messages of Amazon SNS."""

    topics: frozenset[str]
    tolerance: float
    allow_sha1: bool
    certificates: Certificates

    def prove(self, seen: Examined, now: float) -> int:
        """Return 0.

        Raises:
            Refusal: AWS did not sign this for one of the topics, or too long ago.
        """
        if seen.header("x-amz-sns-rawdelivery") is not None:
            raise Refusal("unsigned_content")
        message = seen.json(())
        if not isinstance(message, dict) or not isinstance(message.get("Type"), str):
            raise Refusal("malformed_body")
        names = _SIGNED.get(message["Type"])
        if names is None:
            raise Refusal("malformed_body")
        url, algorithm = self._signer(message)
        signature = decode_canonical(str(message.get("Signature")), "base64")
        data = _lines(message, names)
        if signature is None:
            raise Refusal("bad_signature")
        if not self.certificates.check(url, algorithm, now)(signature, data):
            raise Refusal("bad_signature")
        if not abs(now - times.parse(str(message.get("Timestamp")), "rfc3339")) <= self.tolerance:
            raise Refusal("stale_timestamp")
        return 0

    def _signer(self, message: Mapping[str, Json]) -> tuple[str, str]:
        """Return where the certificate is and what kind of signature this is."""
        topic, url = message.get("TopicArn"), message.get("SigningCertURL")
        found = _SNS_CERTIFICATE.fullmatch(url) if isinstance(url, str) else None
        if found is None:
            raise Refusal("bad_cert_url")
        if not isinstance(topic, str) or topic not in self.topics:
            raise Refusal("bad_topic")
        region = _ARN.fullmatch(topic)
        if region is None or region[1] != found[1]:
            # A topic is signed for by its own region: no other is asked.
            raise Refusal("bad_cert_url")
        match message.get("SignatureVersion"):
            case "2":
                return found[0], "rsa-sha256"
            case "1" if self.allow_sha1:
                return found[0], "rsa-sha1"
        raise Refusal("bad_algorithm")


def _lines(message: Mapping[str, Json], names: tuple[str, ...]) -> bytes:
    found = [(name, message.get(name)) for name in names]
    if any(value is not None and not isinstance(value, str) for _, value in found):
        raise Refusal("malformed_body")
    return "".join(f"{name}\n{value}\n" for name, value in found if value is not None).encode()


def confirmation(message: Json) -> str | None:
    """Return the URL that confirms the subscription a signed message asks about; None: it asks about none."""
    if not isinstance(message, dict) or message.get("Type") != "SubscriptionConfirmation":
        return None
    url, region = message.get("SubscribeURL"), _ARN.fullmatch(str(message.get("TopicArn")))
    found = _SNS_CONFIRM.fullmatch(url) if isinstance(url, str) else None
    return found[0] if found and region and found[1] == region[1] else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paypal:
    """Proves transmissions of PayPal."""

    webhook_id: str
    tolerance: float | None
    certificates: Certificates

    def prove(self, seen: Examined, now: float) -> int:
        """Return 0.

        Raises:
            Refusal: PayPal did not sign this for the webhook, or too long ago.
        """
        given = seen.header("paypal-transmission-sig")
        if given is None:
            raise Refusal("missing_signature")
        moment = _told(seen, "paypal-transmission-time", "missing_timestamp")
        identity = _told(seen, "paypal-transmission-id", "missing_id")
        url = seen.header("paypal-cert-url") or ""
        if _PAYPAL_CERTIFICATE.fullmatch(url) is None:
            raise Refusal("bad_cert_url")
        if (seen.header("paypal-auth-algo") or "").upper() != "SHA256WITHRSA":
            raise Refusal("bad_algorithm")
        signature = decode_canonical(given, "base64")
        message = f"{identity}|{moment}|{self.webhook_id}|{binascii.crc32(seen.request.body)}".encode()
        if signature is None or not self.certificates.check(url, "rsa-sha256", now)(signature, message):
            raise Refusal("bad_signature")
        if self.tolerance is not None and not abs(now - times.parse(moment, "rfc3339")) <= self.tolerance:
            raise Refusal("stale_timestamp")
        return 0


def _told(seen: Examined, name: str, missing: Reason) -> str:
    found = seen.header(name)
    if not found:
        raise Refusal(missing)
    if _PART.fullmatch(found) is None:
        # A bar in it would move what stands between bars.
        raise Refusal("malformed_signature")
    return found
