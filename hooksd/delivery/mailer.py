"""Hands messages to one mail server (RFC 5321). `daemon.wiring` gives it to the engine for `SendMail`.

A message goes to all its recipients or to none: when the server refuses one of them, nothing is sent. When the
connection breaks after the text was on its way and before the server has said that it took it, nobody knows: the
outcome is `unknown`, and it is not tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

import aiosmtplib

from hooksd.clock import Clock
from hooksd.delivery.letter import letter
from hooksd.model.effect import Performed, SendMail
from hooksd.model.mailbox import address_of
from hooksd.model.secret import Secret
from hooksd.model.units import format_duration

AT_ONCE: Final = 4
"""Connections to the mail server at the same time: many servers close the door on more."""

Security = Literal["tls", "starttls", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The mail server of the settings."""

    host: str
    port: int
    security: Security
    sender: str
    """The mailbox that messages come from unless their step says another."""
    username: str | None = None
    password: Callable[[], Secret | None] = field(default=lambda: None)
    """Reads it when it is needed. Raises what the store of secrets raises."""


class Mailer:
    """Sends messages, each over a connection of its own."""

    def __init__(self, server: Server | None, *, clock: Clock, tls: ssl.SSLContext | None = None) -> None:
        """Prepare; nothing is dialled.

        Args:
            server: Where messages go; None: there is none, and every message fails.
            clock: Dates messages.
            tls: What certificates are checked against. Default: the system's authorities.
        """
        self._server = server
        self._clock = clock
        self._tls = tls
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def send(self, mail: SendMail) -> Performed:
        """Send one message and say what came of it."""
        if self._server is None:
            return Performed(ok=False, error="there is no mail server: set `smtp` and `smtp_from` in the settings")
        async with self._turns:
            return await self._sent(mail, self._server)

    async def _sent(self, mail: SendMail, server: Server) -> Performed:
        sending = asyncio.Event()
        try:
            async with asyncio.timeout(mail.timeout):
                return await self._handed_over(mail, server, sending)
        except TimeoutError:
            what = f"the mail server had not taken the message after {format_duration(mail.timeout)}"
            return _failed(sending, what, kind="timeout")
        except aiosmtplib.SMTPResponseException as error:
            # The server has spoken: the message was not taken, whenever it was.
            said = " ".join(str(error.message).split())[:500]
            if error.code < 0:
                return _failed(sending, f"the mail server does not speak SMTP: {said}", kind="connect")
            return Performed(ok=False, code=error.code, error=f"the mail server refused: {error.code} {said}")
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            said = " ".join(str(error).split())[:500] or type(error).__name__
            return _failed(sending, f"the mail server cannot be used: {said}", kind="connect")

    async def _handed_over(self, mail: SendMail, server: Server, sending: asyncio.Event) -> Performed:
        sender = mail.sender or server.sender
        recipients = tuple(dict.fromkeys((*mail.to, *mail.cc, *mail.bcc)))
        message = letter(mail, sender=sender, now=self._clock.now())
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=await self._context() if server.security != "none" else None,
            timeout=None,  # the time of the whole is bounded
        )
        try:
            await client.connect()
            await _logged_in(client, server)
            await client.mail(address_of(sender))
            for recipient in recipients:
                await client.rcpt(recipient)
            sending.set()
            answer = await client.data(message)
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await client.quit()
        finally:
            client.close()
        output = {"message_id": f"<{mail.id}@{address_of(sender).rpartition('@')[2]}>", "recipients": list(recipients)}
        return Performed(ok=True, code=answer.code, output={**output, "answer": " ".join(answer.message.split())[:500]})

    async def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            # Reads all authorities of the system: once, and not in the loop.
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        return self._tls


async def _logged_in(client: aiosmtplib.SMTP, server: Server) -> None:
    password = server.password()
    if server.username is not None and password is not None:
        await client.login(server.username, password.text())


def _failed(sending: asyncio.Event, what: str, *, kind: Literal["timeout", "connect"]) -> Performed:
    if sending.is_set():
        error = f"{what}; it had the text already, so nobody knows whether the message was sent"
        return Performed(ok=False, kind="unknown", error=error)
    return Performed(ok=False, kind=kind, error=what)
