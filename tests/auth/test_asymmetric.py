from __future__ import annotations

import datetime as dt
from typing import Any, get_args

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from hooksd.auth.asymmetric import load_check
from hooksd.model.auth import SignatureName
from tests.auth.signing import KEY, OTHER, asymmetric, private, public_text

ALGORITHMS: tuple[Any, ...] = get_args(SignatureName)
MESSAGE = b"a message"


def pem(key: Any) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(serialization.Encoding.PEM, form).decode())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signature_fits_its_message_and_its_key_and_no_other(algorithm: SignatureName) -> None:
    check = load_check(public_text(algorithm, "pem"), "pem", algorithm)
    signature = asymmetric(algorithm, KEY, MESSAGE)

    assert check(signature, MESSAGE)
    assert not check(signature, MESSAGE + b" ")
    assert not check(asymmetric(algorithm, OTHER, MESSAGE), MESSAGE)
    assert not check(b"", MESSAGE)
    assert not check(signature[:-1], MESSAGE)
    assert not check(signature + b"\0", MESSAGE)


@pytest.mark.parametrize("encoding", ["hex", "base64", "spki-base64", "pem"])
def test_a_key_may_be_written_in_any_documented_way(encoding: Any) -> None:
    check = load_check(f" {public_text('ed25519', encoding)}\n", encoding, "ed25519")

    assert check(asymmetric("ed25519", KEY, MESSAGE), MESSAGE)


def test_a_certificate_stands_for_the_key_in_it() -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sender")])
    day = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder(name, name, private("rsa", KEY).public_key(), 1, day, day + dt.timedelta(days=1))
    certificate = builder.sign(private("rsa", KEY), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    check = load_check(certificate.decode(), "pem", "rsa-sha256")

    assert check(asymmetric("rsa-sha256", KEY, MESSAGE), MESSAGE)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("other", ["ed25519", "ecdsa-p256-sha256", "rsa-sha256"])
def test_a_key_of_another_kind_is_refused(algorithm: SignatureName, other: str) -> None:
    if algorithm.partition("-")[0] == other.partition("-")[0]:
        return
    with pytest.raises(ValueError, match="another kind"):
        load_check(public_text(other, "pem"), "pem", algorithm)


def test_a_key_of_another_curve_is_refused() -> None:
    with pytest.raises(ValueError, match="another kind"):
        load_check(pem(ec.generate_private_key(ec.SECP384R1())), "pem", "ecdsa-p256-sha256")


def test_a_short_rsa_key_is_refused() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - that is what is refused

    with pytest.raises(ValueError, match="1024 bits"):
        load_check(pem(short), "pem", "rsa-sha256")


def test_a_signature_by_another_hash_or_padding_is_none() -> None:
    check = load_check(public_text("rsa-sha256", "pem"), "pem", "rsa-sha256")

    assert not check(asymmetric("rsa-sha1", KEY, MESSAGE), MESSAGE)
    assert not check(asymmetric("rsa-pss-sha256", KEY, MESSAGE), MESSAGE)


@pytest.mark.parametrize("encoding", ["hex", "base64", "spki-base64", "pem"])
@pytest.mark.parametrize(
    "text", ["", "x", "00", "AAAA", "\u0661", "-----BEGIN PUBLIC KEY-----", "-----BEGIN CERTIFICATE-----"]
)
def test_what_is_no_key_is_told_without_showing_it(encoding: Any, text: str) -> None:
    with pytest.raises(ValueError, match=f"^this is no public key in {encoding}$"):
        load_check(text, encoding, "ed25519")


@given(st.sampled_from(ALGORITHMS), st.binary(max_size=80))
def test_no_bytes_make_a_check_raise(algorithm: SignatureName, signature: bytes) -> None:
    assert not load_check(public_text(algorithm, "pem"), "pem", algorithm)(signature, MESSAGE)
