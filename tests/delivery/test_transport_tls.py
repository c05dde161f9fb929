from __future__ import annotations

import ssl
from pathlib import Path
from types import SimpleNamespace

import pytest

from hooksd.delivery import transport_tls
from hooksd.delivery.request import Prepared, request_of
from hooksd.delivery.sender import HttpSender
from hooksd.delivery.transport_tls import BadCertificate, Contexts, context_of, trusted
from hooksd.model.identity import Identity
from hooksd.model.secret import Secret
from tests.delivery.certificates import Authority
from tests.delivery.receiver import answer, receiver
from tests.delivery.test_dialer import Names


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def secret(path: Path) -> Secret:
    return Secret(path.read_bytes())


def post(url: str, identity: Identity | None = None) -> Prepared:
    return request_of("POST", url, {}, b"{}", identity=identity)


def test_certificates_are_checked_whether_the_system_has_authorities_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert trusted().verify_mode == ssl.CERT_REQUIRED
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: SimpleNamespace(cafile=None, capath=None))

    fallback = trusted()

    assert fallback.verify_mode == ssl.CERT_REQUIRED
    assert fallback.check_hostname
    assert fallback.minimum_version == ssl.TLSVersion.TLSv1_2
    assert fallback.cert_store_stats()["x509_ca"] > 50


async def test_the_name_in_the_certificate_must_be_the_host_of_the_url_not_the_address(authority: Authority) -> None:
    tls = authority.serving(authority.vouch("hook", "DNS:hook.example"))
    async with (
        HttpSender(tls=authority.trusting(), resolver=Names("127.0.0.1")) as sender,
        receiver(answer(), tls) as here,
    ):
        right = await sender.attempt(post(f"https://hook.example:{here.port}/"), 5)
        wrong = await sender.attempt(post(f"https://other.example:{here.port}/"), 5)
        address = await sender.attempt(post(f"https://127.0.0.1:{here.port}/"), 5)

    assert right.outcome == "ok"
    assert set(right.exchange.phases) == {"dns", "connect", "tls", "request", "first_byte", "body"}
    assert (wrong.outcome, address.outcome) == ("tls", "tls")
    assert "not valid for 'other.example'" in str(wrong.error)
    assert len(here.requests) == 1


async def test_two_names_at_one_address_do_not_share_a_connection(authority: Authority) -> None:
    names = "DNS:a.example,DNS:b.example"
    tls = authority.serving(authority.vouch("hook", names))
    async with (
        HttpSender(tls=authority.trusting(), resolver=Names("127.0.0.1")) as sender,
        receiver(answer(), tls) as here,
    ):
        for host in ("a.example", "b.example", "a.example"):
            assert (await sender.attempt(post(f"https://{host}:{here.port}/"), 5)).outcome == "ok"

    assert here.connections == 2


async def test_tls_below_1_2_is_refused(authority: Authority) -> None:
    tls = authority.serving(authority.vouch("hook", "IP:127.0.0.1"))
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        tls.minimum_version, tls.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    async with HttpSender(tls=authority.trusting()) as sender, receiver(answer(), tls) as here:
        attempted = await sender.attempt(post(here.url()), 5)

    assert attempted.outcome in ("tls", "reset")
    assert here.requests == []


async def test_an_endpoint_with_an_authority_of_its_own_trusts_that_one_alone(
    authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "other")
    own = Identity(ca=secret(authority.own.certificate))
    tls = authority.serving(authority.vouch("hook", "IP:127.0.0.1"))
    async with HttpSender(tls=other.trusting()) as sender, receiver(answer(), tls) as here:
        assert (await sender.attempt(post(here.url()), 5)).outcome == "tls"
        assert (await sender.attempt(post(here.url(), own), 5)).outcome == "ok"
        elsewhere = Identity(ca=secret(other.own.certificate))
        assert (await sender.attempt(post(here.url(), elsewhere), 5)).outcome == "tls"


@pytest.mark.parametrize("is_apart", [True, False], ids=["key apart", "key beside"])
async def test_a_certificate_of_our_own_is_presented(authority: Authority, *, is_apart: bool) -> None:
    ours = authority.vouch("sender", "DNS:sender.example")
    pem, key = ours.certificate.read_bytes(), ours.key.read_bytes()
    identity = (
        Identity(certificate=Secret(pem), key=Secret(key)) if is_apart else Identity(certificate=Secret(pem + key))
    )
    tls = authority.serving(authority.vouch("hook", "IP:127.0.0.1"), asks=True)
    async with HttpSender(tls=authority.trusting()) as sender, receiver(answer(), tls) as here:
        without = await sender.attempt(post(here.url()), 5)
        assert (await sender.attempt(post(here.url(), identity), 5)).outcome == "ok"

    assert without.outcome in ("tls", "reset")
    assert len(here.requests) == 1


@pytest.mark.parametrize(
    "identity",
    [Identity(ca=Secret(b"no pem")), Identity(ca=Secret(b"\xff")), Identity(certificate=Secret(b"no pem"))],
    ids=["authority", "bytes", "certificate"],
)
async def test_what_is_no_certificate_is_an_outcome_and_is_not_shown(identity: Identity) -> None:
    with pytest.raises(BadCertificate, match="the certificates for TLS cannot be used") as raised:
        context_of(identity)
    assert "no pem" not in str(raised.value)

    async with HttpSender() as sender, receiver(answer()) as here:
        attempted = await sender.attempt(post(f"https://127.0.0.1:{here.port}/", identity), 5)
    assert (attempted.outcome, attempted.is_sent) == ("config", False)


def test_contexts_are_made_once_and_their_number_is_bounded(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport_tls, "MOST", 2)
    contexts = Contexts(authority.trusting())
    ca = secret(authority.own.certificate)

    assert contexts.of(None) is contexts.of(None)
    assert contexts.of(Identity(ca=ca)) is contexts.of(Identity(ca=Secret(ca.reveal())))
    for number in range(5):
        contexts.of(Identity(ca=Secret(ca.reveal() + b"\n" * number)))
    assert len(contexts._own) == 2
