from __future__ import annotations

import base64
import hashlib
import hmac
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.delivery.signing import header_of, sign

BODY = b'{"test": 2432232314}'
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIME = 1614265330
SECRET = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def accepts(headers: dict[str, str], secret: bytes, body: bytes, now: int) -> bool:
    """Verify as the text of the Standard Webhooks specification tells a receiver to."""
    key = base64.b64decode(secret.removeprefix(b"whsec_"))
    content = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    if abs(now - int(headers["webhook-timestamp"])) > 300:
        return False
    for versioned in headers["webhook-signature"].split(" "):
        version, _, signature = versioned.partition(",")
        if version == "v1" and hmac.compare_digest(signature, expected):
            return True
    return False


def signed(*secrets: bytes, scheme: str = "standard-webhooks", body: bytes = BODY) -> dict[str, str]:
    return dict(sign(scheme, secrets, id=ID, timestamp=TIME, body=body))


def test_the_signature_is_that_of_the_specifications_own_example() -> None:
    assert signed(SECRET) == {"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}


@given(st.binary(), st.binary(min_size=24, max_size=64), st.binary(min_size=24, max_size=64))
def test_a_receiver_accepts_either_secret_while_they_are_rotated(body: bytes, old: bytes, new: bytes) -> None:
    secrets = [b"whsec_" + base64.b64encode(secret) for secret in (new, old)]
    headers = {"webhook-id": ID, "webhook-timestamp": str(TIME), **signed(*secrets, body=body)}

    assert all(accepts(headers, secret, body, TIME + 10) for secret in secrets)
    assert not accepts(headers, secrets[0], body + b" ", TIME + 10)
    assert not accepts(headers, secrets[0], body, TIME + 301)


def test_a_secret_without_the_prefix_is_the_key_itself() -> None:
    expected = base64.b64encode(hmac.digest(b"plain text", f"{ID}.{TIME}.".encode() + BODY, "sha256")).decode()

    assert signed(b"plain text") == {"webhook-signature": f"v1,{expected}"}


def test_github_signs_the_body_with_the_first_secret() -> None:
    # From GitHub's documentation.
    headers = signed(b"It's a Secret to Everybody", b"old", scheme="github", body=b"Hello, World!")

    expected = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert headers == {"X-Hub-Signature-256": f"sha256={expected}"}


def test_stripe_signs_time_and_body_with_every_secret_as_it_is_written() -> None:
    header = signed(SECRET, b"old", scheme="stripe")["Stripe-Signature"]

    time, first, second = header.split(",")
    assert time == f"t={TIME}"
    for part, secret in ((first, SECRET), (second, b"old")):
        assert part == "v1=" + hmac.new(secret, f"{TIME}.".encode() + BODY, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
def test_a_plain_hash_goes_into_the_header_that_is_named(algorithm: str) -> None:
    headers = signed(b"key", scheme=f"hmac-{algorithm}:X-Etl-Webhook-Signature")

    assert headers == {"X-Etl-Webhook-Signature": hmac.new(b"key", BODY, algorithm).hexdigest()}


def test_without_a_secret_nothing_is_signed() -> None:
    assert signed() == {}


@pytest.mark.parametrize("secret", [b"whsec_", b"whsec_not/base64!"])
def test_a_secret_that_does_not_fit_is_refused_without_being_shown(secret: bytes) -> None:
    with pytest.raises(ValueError, match="the secret is") as caught:
        signed(secret)

    assert "not/base64" not in str(caught.value)


# --- receivers as they are


def headers_of(*secrets: bytes, now: int, body: bytes = BODY) -> dict[str, str]:
    signature = sign("standard-webhooks", secrets, id=ID, timestamp=now, body=body)
    return {"webhook-id": ID, "webhook-timestamp": str(now), **signature}


@pytest.mark.parametrize("package", ["standardwebhooks", "svix.webhooks"])
def test_the_libraries_of_receivers_accept_our_signatures(package: str) -> None:
    library = pytest.importorskip(package)
    now = int(time.time())
    receiver = library.Webhook(SECRET.decode())

    receiver.verify(BODY, headers_of(SECRET, now=now))
    receiver.verify(BODY, headers_of(b"whsec_" + base64.b64encode(b"a new secret, 24 bytes!!"), SECRET, now=now))
    for headers, body in (
        (headers_of(SECRET, now=now), BODY + b" "),
        (headers_of(SECRET, now=now - 600), BODY),
        (headers_of(b"whsec_" + base64.b64encode(b"other"), now=now), BODY),
    ):
        with pytest.raises(library.WebhookVerificationError):
            receiver.verify(body, headers)


def test_a_private_key_signs_so_that_the_public_key_checks() -> None:
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    key = ed25519.Ed25519PrivateKey.generate()
    raw, public = key.private_bytes_raw(), key.public_key()
    for stored in (raw, raw + public.public_bytes_raw()):
        secret = b"whsk_" + base64.b64encode(stored)
        symmetric, asymmetric = signed(SECRET, secret)["webhook-signature"].split(" ")

        assert symmetric == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        version, _, signature = asymmetric.partition(",")
        assert version == "v1a"
        public.verify(base64.b64decode(signature), f"{ID}.{TIME}.".encode() + BODY)


def test_a_private_key_does_not_sign_where_both_sides_need_the_secret() -> None:
    secret = b"whsk_" + base64.b64encode(b"k" * 32)

    assert signed(secret, b"shared", scheme="github") == signed(b"shared", scheme="github")
    with pytest.raises(ValueError, match="needs a secret that both sides have"):
        signed(secret, scheme="github")


@pytest.mark.parametrize(
    "scheme", ["standard-webhooks", "github", "stripe", "hmac-sha1:X-Etl-Signature", "hmac-sha256:X"]
)
def test_where_a_signature_stands_is_known_before_it_is_made(scheme: str) -> None:
    assert [*signed(b"shared", scheme=scheme)] == [header_of(scheme)]
