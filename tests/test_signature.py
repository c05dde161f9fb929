from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.model.auth import HashName, SecretEncoding
from hooksd.signature import Mac, decode_canonical, decode_key, digest, equal, standard_webhooks


def test_a_digest_is_the_one_of_the_rfc() -> None:
    # RFC 4231, test case 2.
    found = digest("sha256", b"Jefe", b"what do ya want for nothing?")

    assert found.hex() == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


@given(st.sampled_from(["sha1", "sha256", "sha384", "sha512"]), st.binary(max_size=300), st.binary(max_size=300))
def test_a_digest_is_what_the_standard_library_computes(algorithm: HashName, key: bytes, message: bytes) -> None:
    assert digest(algorithm, key, message) == hmac.new(key, message, getattr(hashlib, algorithm)).digest()


def test_equal_compares_all_bytes() -> None:
    assert equal(b"ab", b"ab")
    assert not equal(b"ab", b"ac")
    assert not equal(b"ab", b"abc")


class Hasty(bytes):
    """Bytes that do not let themselves be compared by what stops at the first difference."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared with ==, whose time tells how much was right")


def test_equal_does_not_compare_as_python_does_whose_time_tells_how_much_was_right() -> None:
    assert equal(Hasty(b"ab"), Hasty(b"ab"))
    assert not equal(Hasty(b"ab"), Hasty(b"ac"))


@pytest.mark.parametrize(
    ("secret", "encoding", "prefix", "key"),
    [
        (b"plain", "utf8", "", b"plain"),
        (b"6162", "hex", "", b"ab"),
        (b"whsec_YWJj", "base64", "whsec_", b"abc"),
        (b"YWI", "base64", "whsec_", b"ab"),
        (b"YWI=", "base64", "", b"ab"),
    ],
)
def test_a_secret_becomes_its_key(secret: bytes, encoding: SecretEncoding, prefix: str, key: bytes) -> None:
    assert decode_key(secret, encoding, prefix) == key


@pytest.mark.parametrize(
    ("secret", "encoding", "message"),
    [
        (b"", "utf8", "the secret is empty"),
        (b"whsec_", "base64", "the secret is empty"),
        (b"hush!", "base64", "the secret is not base64"),
        (b"hush!", "hex", "the secret is not hex"),
        (b"abc", "hex", "the secret is not hex"),
        (b"====", "base64", "the secret is not base64"),
    ],
)
def test_a_secret_that_is_no_key_is_refused_without_being_shown(
    secret: bytes, encoding: SecretEncoding, message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{message}$") as caught:
        decode_key(secret, encoding, "whsec_")

    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("YWI", "base64"), ("YWJ=", "base64"), (" YWI=", "base64"), ("YWI=\n", "base64"), ("YW_=", "base64"),
        ("YWI==", "base64"), ("é", "base64"), ("6", "hex"), ("6g", "hex"), ("61 62", "hex"), ("é", "hex"),
    ],
)  # fmt: skip
def test_bytes_have_one_text_only(text: str, encoding: str) -> None:
    assert decode_canonical(text, encoding) is None


@given(st.binary())
def test_canonical_texts_come_back(raw: bytes) -> None:
    assert decode_canonical(base64.b64encode(raw).decode(), "base64") == raw
    assert decode_canonical(raw.hex(), "hex") == raw
    assert decode_canonical(raw.hex().upper(), "hex") == raw


@given(st.text(max_size=20), st.sampled_from(["hex", "base64"]))
def test_any_text_decodes_or_does_not(text: str, encoding: str) -> None:
    found = decode_canonical(text, encoding)

    assert found is None or isinstance(found, bytes)


def test_a_standard_webhook_is_signed_as_its_specification_shows() -> None:
    # Standard Webhooks specification, reference libraries' test vector.
    key = decode_key(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "base64", "whsec_")

    signed = standard_webhooks(Mac("sha256", key), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.sampled_from(["sha1", "sha256", "sha384", "sha512"]), st.binary(max_size=200), st.binary(max_size=200))
def test_a_key_worked_in_beforehand_gives_the_same_hash(algorithm: HashName, key: bytes, message: bytes) -> None:
    mac = Mac(algorithm, key)

    assert mac.digest(message) == mac.digest(message) == hmac.new(key, message, getattr(hashlib, algorithm)).digest()


def test_a_key_longer_than_a_block_is_hashed_first() -> None:
    key = b"k" * 200

    assert Mac("sha256", key).digest(b"m") == hmac.digest(key, b"m", "sha256")
