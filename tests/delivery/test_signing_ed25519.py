from __future__ import annotations

import importlib

import pytest

from hooksd.delivery.signing_ed25519 import ed25519_signature


def test_the_signature_is_that_of_the_standards_first_example() -> None:
    pytest.importorskip("cryptography")
    # RFC 8032, section 7.1, test 1.
    key = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")

    assert (
        ed25519_signature(key, b"").hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155")
    )


@pytest.mark.parametrize("key", [b"", b"short", b"k" * 33])
def test_what_is_no_key_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="an Ed25519 private key is"):
        ed25519_signature(key, b"")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ValueError, match=r"pip install hooksd\[crypto\]"):
        ed25519_signature(b"k" * 32, b"")
