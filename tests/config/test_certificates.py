from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hooksd.config.certificates import PemProblem, pem_problem
from hooksd.model.identity import Identity
from hooksd.model.secret import Secret
from tests.config.loading import load
from tests.delivery.certificates import Authority

NONE = "there is no certificate in PEM in it"
NO_KEY = "there is no private key in PEM in it"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def secret(path: Path) -> Secret:
    return Secret(path.read_bytes())


def test_what_tls_can_use_is_no_problem(authority: Authority) -> None:
    ca, own = secret(authority.own.certificate), authority.vouch("hook", "DNS:hook.example")
    certificate, key = secret(own.certificate), secret(own.key)
    both = Secret(certificate.reveal() + key.reveal())

    assert pem_problem(Identity(ca=ca)) is None
    assert pem_problem(Identity(certificate=certificate, key=key)) is None
    assert pem_problem(Identity(ca=ca, certificate=both)) is None
    assert pem_problem(Identity(certificate=Secret(key.reveal() + certificate.reveal()))) is None


@pytest.mark.parametrize("pem", [b"no pem", b"\xff\xfe", "Zürich".encode(), b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_what_is_no_certificate_is_told_of_the_key_that_names_it(pem: bytes, authority: Authority) -> None:
    assert pem_problem(Identity(ca=Secret(pem))) == PemProblem("ca", NONE)
    assert pem_problem(Identity(certificate=Secret(pem))) == PemProblem("certificate", NONE)
    assert pem_problem(Identity(certificate=secret(authority.own.certificate), key=Secret(pem))) == PemProblem(
        "key", NO_KEY
    )


def test_a_certificate_without_its_key_is_told(authority: Authority) -> None:
    own, other = authority.vouch("hook", "DNS:hook.example"), authority.vouch("other", "DNS:other.example")

    assert pem_problem(Identity(certificate=secret(own.certificate))) == PemProblem("certificate", NO_KEY)
    assert pem_problem(Identity(certificate=secret(own.certificate), key=secret(other.key))) == PemProblem(
        "key", "the private key is not that of the certificate"
    )


def test_a_key_with_a_password_is_told_and_nobody_is_asked_for_it(authority: Authority, tmp_path: Path) -> None:
    own, locked = authority.vouch("hook", "DNS:hook.example"), tmp_path / "locked.key"
    command = ["openssl", "ec", "-in", str(own.key), "-aes256", "-passout", "pass:sesame", "-out", str(locked)]
    subprocess.run(command, check=True, capture_output=True)

    found = pem_problem(Identity(certificate=secret(own.certificate), key=secret(locked)))

    assert found == PemProblem("key", "the private key has a password, and nobody is there to enter it")


def test_a_broken_certificate_is_an_error_at_the_key_that_names_it(authority: Authority, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no pem")
    text = f'version = 1\n[endpoints.erp]\nurl = "https://erp.example/"\ntls.ca = "file:{authority.own.certificate}"\n'

    assert load(tmp_path, {"a.toml": text}).ok
    (diagnostic,) = load(tmp_path, {"a.toml": f'{text}tls.certificate = "file:{broken}"\n'}).diagnostics

    assert (diagnostic.code, diagnostic.line, diagnostic.column) == ("H072", 5, 19)
    assert diagnostic.message == f"`tls.certificate` cannot be used: {NONE}"


def test_a_key_without_a_certificate_is_an_error(tmp_path: Path) -> None:
    text = 'version = 1\n[endpoints.erp]\nurl = "https://erp.example/"\ntls.key = "credential:github"\n'

    (diagnostic,) = load(tmp_path, {"a.toml": text}).diagnostics

    assert "name its `certificate`, too" in diagnostic.message
