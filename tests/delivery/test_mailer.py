from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hooksd.delivery.mailer import Mailer, Security, Server
from hooksd.model.effect import SendMail
from hooksd.model.secret import Secret
from hooksd.testing import FakeClock
from tests.delivery.mail_server import MailServer, certificate, mail_server
from tests.delivery.receiver import receiver

MAIL = SendMail(
    id="run_1.tell",
    sender=None,
    to=("ada@example.com",),
    cc=("bob@example.com",),
    bcc=("eve@example.com", "ada@example.com"),
    reply_to=None,
    subject="A lead",
    text="Grüße\n.\nfrom\n",
    timeout=10,
)


def mailer(port: int, security: Security = "none", password: str | None = None, trusted: Path | None = None) -> Mailer:
    server = Server(
        host="127.0.0.1",
        port=port,
        security=security,
        sender="Hooks <hooks@example.com>",
        username="hooks" if password else None,
        password=lambda: Secret(password.encode()) if password else None,
    )
    tls = ssl.create_default_context(cafile=str(trusted)) if trusted else None
    return Mailer(server, clock=FakeClock(), tls=tls)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as one:
        yield one


async def test_a_message_arrives_as_it_was_written_once_at_each_recipient(server: MailServer) -> None:
    performed = await mailer(server.port).send(MAIL)

    (letter,) = server.letters
    assert performed.ok
    assert performed.code == 250
    assert performed.output == {
        "message_id": "<run_1.tell@example.com>",
        "recipients": ["ada@example.com", "bob@example.com", "eve@example.com"],
        "answer": "taken",
    }
    assert letter.sender == "hooks@example.com"
    assert letter.recipients == ("ada@example.com", "bob@example.com", "eve@example.com")
    assert letter.text == "Grüße\n.\nfrom\n"
    assert letter.message["From"] == "Hooks <hooks@example.com>"
    assert letter.message["Date"] == "Sun, 22 Nov 2026 12:00:00 +0000"
    assert "eve@example.com" not in str(letter.message)


async def test_one_refused_recipient_and_nobody_gets_it(server: MailServer) -> None:
    server.refuses = frozenset({"bob@example.com"})

    performed = await mailer(server.port).send(MAIL)

    assert not performed.ok
    assert (performed.code, performed.error) == (550, "the mail server refused: 550 no such user")
    assert server.letters == []


async def test_a_refused_text_was_not_sent_and_may_be_tried_again(server: MailServer) -> None:
    server.answer = "451 too busy"

    performed = await mailer(server.port).send(MAIL)

    assert (performed.ok, performed.code, performed.kind) == (False, 451, "")


async def test_a_server_that_hangs_up_with_the_text_leaves_it_unknown(server: MailServer) -> None:
    server.answer = ""

    performed = await mailer(server.port).send(MAIL)

    assert (performed.ok, performed.kind) == (False, "unknown")
    assert performed.error is not None
    assert "nobody knows whether the message was sent" in performed.error


async def test_nobody_listens() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        performed = await mailer(probe.getsockname()[1]).send(MAIL)

    assert (performed.ok, performed.kind) == (False, "connect")


async def test_a_server_that_says_nothing_costs_the_time_of_the_step() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        performed = await mailer(silent.getsockname()[1]).send(replace(MAIL, timeout=0.2))

    assert (performed.ok, performed.kind) == (False, "timeout")
    assert performed.error == "the mail server had not taken the message after 200ms"


async def test_what_answers_in_another_tongue_is_no_mail_server() -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)

    async with receiver(talk) as other:
        performed = await mailer(other.port).send(MAIL)

    assert (performed.ok, performed.kind) == (False, "connect")
    assert performed.code is None


async def test_without_a_server_nothing_is_sent() -> None:
    performed = await Mailer(None, clock=FakeClock()).send(MAIL)

    assert not performed.ok
    assert "set `smtp`" in (performed.error or "")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the certificate is made with openssl")
@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_login_goes_over_an_encrypted_connection(security: Security, tmp_path: Path) -> None:
    file, context = certificate(tmp_path)

    with mail_server(certificate=context, implicit=security == "tls") as server:
        performed = await mailer(server.port, security, "s3cret", file).send(MAIL)
        wrong = await mailer(server.port, security, "guess", file).send(MAIL)

    assert performed.ok, performed
    assert len(server.letters) == 1
    assert (wrong.ok, wrong.code) == (False, 535)
    assert "guess" not in str(wrong)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the certificate is made with openssl")
async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    _, context = certificate(tmp_path)

    with mail_server(certificate=context) as server:
        performed = await mailer(server.port, "starttls", "s3cret").send(MAIL)

    assert (performed.ok, performed.kind) == (False, "connect")
    assert server.logins == []


async def test_a_server_without_encryption_is_told_nothing(server: MailServer) -> None:
    performed = await mailer(server.port, "starttls", "s3cret").send(MAIL)

    assert not performed.ok
    assert server.letters == []
