"""A real mail server on this machine, for the tests of everything that sends mail."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.end_to_end.daemon import free_port


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message that the server took."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """It, parsed."""
        return message_from_bytes(self.raw, policy=default)

    @property
    def text(self) -> str:
        """What it says."""
        return str(self.message.get_content()).replace("\r\n", "\n")


@dataclass(kw_only=True)
class MailServer:
    """What it took, and how it behaves."""

    letters: list[Letter] = field(default_factory=list)
    refuses: frozenset[str] = frozenset()
    """Recipients that it does not know."""
    answer: str = "250 taken"
    """To the text of a message; empty: it hangs up without one."""
    port: int = 0
    logins: list[bytes] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - named by the library
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Know a recipient or not."""
        if address in self.refuses:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - see above
        """Take a message."""
        if not self.answer:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            return "421 gone"
        content = envelope.content
        assert isinstance(content, bytes)
        if self.answer.startswith("250"):
            self.letters.append(
                Letter(sender=envelope.mail_from or "", recipients=tuple(envelope.rcpt_tos), raw=content)
            )
        return self.answer

    def known(self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        """Let one person in."""
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login)
        return AuthResult(success=data == LoginPassword(b"hooks", b"s3cret"), handled=False)


@contextmanager
def mail_server(*, certificate: ssl.SSLContext | None = None, implicit: bool = False) -> Iterator[MailServer]:
    """Run a mail server.

    Args:
        certificate: Speak TLS with it; then a login is wanted too.
        implicit: From the start, instead of after STARTTLS.
    """
    server = MailServer(port=free_port())
    with warnings.catch_warnings():
        # The library cannot know that TLS from the start is TLS.
        warnings.filterwarnings("ignore", "Requiring AUTH while not requiring TLS")
        yield from _running(server, certificate, implicit=implicit)


def _running(server: MailServer, certificate: ssl.SSLContext | None, *, implicit: bool) -> Iterator[MailServer]:
    controller = Controller(
        server,
        hostname="127.0.0.1",
        port=server.port,
        ssl_context=certificate if implicit else None,
        tls_context=None if implicit else certificate,
        require_starttls=certificate is not None and not implicit,
        authenticator=server.known if certificate else None,
        auth_required=certificate is not None,
        auth_require_tls=not implicit,
    )
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def certificate(directory: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate for 127.0.0.1; return its file, for who trusts it, and what a server needs."""
    file, key = directory / "mail.pem", directory / "mail.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", file],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return file, context
