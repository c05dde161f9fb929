"""What a provider would send, made from a definition without the code that verifies it."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from hooksd.auth.build import build_verifier
from hooksd.auth.presets import PRESETS, expand
from hooksd.auth.remote import Remotes
from hooksd.auth.request import Inbound
from hooksd.auth.verdict import Verifier
from hooksd.model.auth import (
    BasicAuth,
    BearerAuth,
    ConcreteAuth,
    HmacAuth,
    JwtAuth,
    PaypalAuth,
    SignatureAuth,
    SnsAuth,
    TokenAuth,
    TwilioAuth,
)
from hooksd.model.secret import Secret
from tests.auth.requests import NOW, auth

KEY = bytes(range(32, 64))
OTHER = bytes(range(64, 96))
TIMES = {"unix": f"{NOW:.0f}", "unix_ms": f"{NOW * 1000:.0f}", "rfc3339": "2023-11-14T22:13:20Z"}
URL = "https://hooks.example.com/hooks/x"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:orders"
SNS_CERTIFICATE = f"https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-{'0a' * 16}.pem"
PAYPAL_CERTIFICATE = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77"
AUDIENCE = "https://hooks.example.com"
NAMES = ("env:ONE", "env:TWO")
"""References to the secrets of a provider."""
TOLD: dict[str, dict[str, Any]] = {
    "github-actions-oidc": {"audience": AUDIENCE, "claims": {"repository": "o/r"}},
    "pubsub": {"audience": AUDIENCE, "claims": {"email": "push@example.iam"}},
    "sns": {"topics": TOPIC},
    "paypal": {"webhook_id": "WH-1"},
}
"""What a definition says besides the preset, instead of a secret."""


def type_of(name: str) -> str:
    return str(PRESETS[name]["type"])


def provider(name: str, *keys: bytes) -> Any:
    """Return the `auth` of a preset, as its documentation writes it."""
    if type_of(name) == "basic":
        return auth(preset=name, username="ann", password="env:ONE")
    if type_of(name) == "signature":
        algorithm, encoding = PRESETS[name]["algorithm"], PRESETS[name]["key_encoding"]
        shown = [public_text(algorithm, encoding, key) for key in keys or (KEY,)]
        return auth(preset=name, public_key=[PRESETS[name].get("key_prefix", "") + text for text in shown])
    if name in TOLD:
        return auth(preset=name, **TOLD[name])
    return auth(preset=name, secret=list(NAMES[: len(keys) or 1]))


def concrete(name: str) -> ConcreteAuth:
    return expand(provider(name))


def judge_of(name: str, *keys: bytes) -> Verifier:
    """Return the verifier of a preset that knows some keys, its certificates and key sets fetched."""
    known = concrete(name)
    secrets = {name: secret_text(known, key) for name, key in zip(NAMES, keys or (KEY,), strict=False)}
    remotes = Remotes()
    judge = build_verifier(provider(name, *keys), lambda reference: Secret(secrets[reference]), remotes)
    if isinstance(known, SnsAuth | PaypalAuth):
        judge.verify(sent_by(known), NOW)  # names the certificate
    for remote in remotes.due(NOW):
        document = jwks(*(keys or (KEY,))) if isinstance(known, JwtAuth) else public_pem(*(keys or (KEY,)))
        assert remote.received(document, NOW)
    return judge


def secret_text(known: ConcreteAuth, key: bytes = KEY) -> bytes:
    """Return a key as a provider shows it."""
    if isinstance(known, HmacAuth) and known.secret_encoding != "utf8":
        text = key.hex() if known.secret_encoding == "hex" else base64.b64encode(key).decode()
        return (known.secret_prefix + text).encode()
    return key.hex().encode()


@functools.cache
def private(kind: str, key: bytes) -> Any:
    """Return a private key; the same seed gives the same one in one process."""
    match kind:
        case "ed25519":
            return ed25519.Ed25519PrivateKey.from_private_bytes(key)
        case "ec":
            return ec.derive_private_key(int.from_bytes(key, "big"), ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def kind_of(algorithm: str) -> str:
    return {"ed25519": "ed25519", "ecdsa": "ec", "rsa": "rsa"}[algorithm.partition("-")[0]]


def public_text(algorithm: str, encoding: str, key: bytes = KEY) -> str:
    public = private(kind_of(algorithm), key).public_key()
    if encoding in {"hex", "base64"}:
        raw = public.public_bytes_raw()
        return str(raw.hex()) if encoding == "hex" else base64.b64encode(raw).decode()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    if encoding == "spki-base64":
        return base64.b64encode(public.public_bytes(serialization.Encoding.DER, form)).decode()
    return str(public.public_bytes(serialization.Encoding.PEM, form).decode())


def public_pem(key: bytes = KEY, *_: bytes) -> bytes:
    return public_text("rsa-sha256", "pem", key).encode()


def asymmetric(algorithm: str, key: bytes, message: bytes) -> bytes:
    """Return a signature."""
    signer = private(kind_of(algorithm), key)
    match algorithm:
        case "ed25519":
            return bytes(signer.sign(message))
        case "ecdsa-p256-sha256":
            return bytes(signer.sign(message, ec.ECDSA(hashes.SHA256())))
        case "ecdsa-p256-sha256-raw":
            numbers = decode_dss_signature(signer.sign(message, ec.ECDSA(hashes.SHA256())))
            return b"".join(number.to_bytes(32, "big") for number in numbers)
        case "rsa-pss-sha256":
            pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
            return bytes(signer.sign(message, pss, hashes.SHA256()))
    digest = hashes.SHA1() if algorithm == "rsa-sha1" else hashes.SHA256()  # noqa: S303 - what a provider may do
    return bytes(signer.sign(message, padding.PKCS1v15(), digest))


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def jwks(*keys: bytes, **more: str) -> bytes:
    """Return a key set; the key's own bytes name it."""
    listed = []
    for key in keys or (KEY,):
        numbers = private("rsa", key).public_key().public_numbers()
        e, n = (number.to_bytes((number.bit_length() + 7) // 8, "big") for number in (numbers.e, numbers.n))
        listed.append({"kty": "RSA", "kid": key[:4].hex(), "use": "sig", "e": base64url(e), "n": base64url(n), **more})
    return json.dumps({"keys": listed}).encode()


def claims_of(known: JwtAuth, body: bytes) -> dict[str, Any]:
    """Return what an honest token says."""
    said: dict[str, Any] = {"exp": NOW + 300, "iat": NOW, **known.claims}
    if known.issuers:
        said["iss"] = known.issuers[0]
    if known.audience:
        said["aud"] = known.audience[0]
    if known.body_claim:
        digest = hashlib.sha256(body)
        is_hex = known.body_claim_encoding == "hex"
        said[known.body_claim] = digest.hexdigest() if is_hex else base64.b64encode(digest.digest()).decode()
    return said


def token(claims: Any, key: bytes = KEY, *, secret: bytes | None = None, **header: Any) -> str:
    """Return a token by RS256, or by HS256 with a secret."""
    told = {"typ": "JWT", "alg": "HS256" if secret else "RS256", **({} if secret else {"kid": key[:4].hex()}), **header}
    message = ".".join(base64url(json.dumps(part).encode()) for part in (told, claims))
    if secret is not None:
        signature = hmac.new(secret, message.encode(), hashlib.sha256).digest()
    else:
        signature = asymmetric("rsa-sha256", key, message.encode())
    return f"{message}.{base64url(signature)}"


@dataclass
class Draft:
    """A request in the making."""

    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    data: Any = None

    def put(self, source: str, value: Any) -> None:
        kind, _, name = source.partition(":")
        if kind == "header":
            self.headers.setdefault(name.lower(), value)
        elif kind == "query":
            self.query.setdefault(name, value)
        elif kind in {"json", "json?"}:
            self.data = _inside(self.data, name.split("."), value)

    def value(self, source: str) -> str:
        kind, _, name = source.partition(":")
        if kind == "header":
            return self.headers[name.lower()]
        found = self.data
        for part in name.split("."):
            found = found[int(part) if isinstance(found, list) else part]
        return str(found)


def _inside(data: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value if data is None else data
    part, *rest = path
    if part in {"*", "0"}:
        first = data[0] if data else None
        return [_inside(first, rest, value)]
    found = data if isinstance(data, dict) else {}
    return {**found, part: _inside(found.get(part), rest, value)}


def sent_by(known: ConcreteAuth, key: bytes = KEY, moment: str | None = None) -> Inbound:
    """Return a request that the holder of a key sends at a time."""
    secret = secret_text(known, key).decode()
    match known:
        case SnsAuth():
            return sns_request(sns_message(key, moment))
        case TwilioAuth():
            return _twilio(secret)
    draft = Draft()
    for source in known.event:
        draft.put(source, "kind")
    if isinstance(known, HmacAuth | SignatureAuth):
        return _signed(known, key, draft, moment)
    for source in known.id:
        draft.put(source, "id-1")
    _prove(known, draft, key, moment)
    return _request(draft)


def _prove(known: ConcreteAuth, draft: Draft, key: bytes, moment: str | None) -> None:
    secret = secret_text(known, key).decode()
    match known:
        case TokenAuth():
            draft.put(known.token, secret)
        case BearerAuth():
            draft.headers["authorization"] = f"Bearer {secret}"
        case BasicAuth():
            draft.headers["authorization"] = "Basic " + base64.b64encode(f"ann:{secret}".encode()).decode()
        case JwtAuth():
            _jwt(known, key, draft, secret.encode())
        case PaypalAuth():
            _paypal(known, key, draft, moment or TIMES["rfc3339"])


def _jwt(known: JwtAuth, key: bytes, draft: Draft, secret: bytes) -> None:
    claims = claims_of(known, _request(draft).body)
    made = token(claims, key, secret=secret if known.algorithms[0] == "HS256" else None)
    draft.put(known.token or "header:Authorization", made if known.token else f"Bearer {made}")


def _twilio(secret: str) -> Inbound:
    pairs = {"CallSid": "CA1", "From": "+1415"}
    message = URL + "".join(name + pairs[name] for name in sorted(pairs))
    signature = base64.b64encode(hmac.new(secret.encode(), message.encode(), "sha1").digest()).decode()
    form = "application/x-www-form-urlencoded"
    headers = (("content-type", form), ("x-twilio-signature", signature))
    return Inbound(
        method="POST", path="/hooks/x", query_string="", headers=headers, body=b"CallSid=CA1&From=%2B1415", media=form,
        url=URL,
    )  # fmt: skip


def sns_message(key: bytes = KEY, moment: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a signed message of Amazon SNS."""
    message: dict[str, Any] = {
        "Type": "Notification", "MessageId": "id-1", "TopicArn": TOPIC, "Message": "{}", "SignatureVersion": "2",
        "Timestamp": moment or TIMES["rfc3339"], "SigningCertURL": SNS_CERTIFICATE, **more,
    }  # fmt: skip
    names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    if message["Type"] != "Notification":
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
    algorithm = "rsa-sha256" if message["SignatureVersion"] == "2" else "rsa-sha1"
    return {"Signature": base64.b64encode(asymmetric(algorithm, key, text.encode())).decode(), **message}


def sns_request(message: Any) -> Inbound:
    return Inbound(
        method="POST", path="/hooks/x", query_string="", headers=(("content-type", "text/plain"),),
        body=json.dumps(message).encode(), media="text/plain", url=URL,
    )  # fmt: skip


def _paypal(known: PaypalAuth, key: bytes, draft: Draft, moment: str) -> None:
    crc = binascii.crc32(_request(draft).body)
    message = f"t-1|{moment}|{known.webhook_id}|{crc}".encode()
    draft.headers |= {
        "paypal-transmission-id": "t-1",
        "paypal-transmission-time": moment,
        "paypal-cert-url": PAYPAL_CERTIFICATE,
        "paypal-auth-algo": "SHA256withRSA",
        "paypal-transmission-sig": base64.b64encode(asymmetric("rsa-sha256", key, message)).decode(),
    }


def _signed(known: HmacAuth | SignatureAuth, key: bytes, draft: Draft, moment: str | None) -> Inbound:
    time = moment or TIMES[known.timestamp_format]
    draft.put(known.timestamp or "", time)
    for source in known.id:
        draft.put(source, "id-1")
    template = known.signed if isinstance(known.signed, str) else known.signed["*"]
    for source in re.findall(r"\{(json\??:[^{}]+)\}", template):
        draft.put(source, "some")
    request = _request(draft)
    values = {
        "body": request.body.decode(),
        "timestamp": time,
        "id": "id-1",
        "method": "POST",
        "url": URL,
        "plain_url": URL,
    }
    message = re.sub(r"\{([^{}]+)\}", lambda found: values.get(found[1]) or draft.value(found[1]), template).encode()
    if isinstance(known, SignatureAuth):
        digest = asymmetric(known.algorithm, key, message)
    else:
        raw = secret_text(known, key) if known.secret_encoding == "utf8" else key
        digest = hmac.new(raw, message, getattr(hashlib, known.algorithm)).digest()
    text = digest.hex() if known.encoding[0] == "hex" else base64.b64encode(digest).decode()
    header = known.format.replace("{signature}", text).replace("{timestamp}", time)
    draft.put(known.signature or f"header:{known.header}", header)
    return _request(draft)


def _request(draft: Draft) -> Inbound:
    return Inbound(
        method="POST",
        path="/hooks/x",
        query_string="&".join(f"{name}={value}" for name, value in draft.query.items()),
        headers=(("content-type", "application/json"), *draft.headers.items()),
        body=json.dumps({} if draft.data is None else draft.data).encode(),
        media="application/json",
        url=URL,
    )
