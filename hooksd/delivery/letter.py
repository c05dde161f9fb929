"""A message as bytes (RFC 5322): headers that nothing breaks out of, and a text that every server transports. Pure."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr, formatdate
from typing import Final

from hooksd.model.effect import SendMail
from hooksd.model.mailbox import address_of

_POLICY: Final = SMTP.clone(cte_type="7bit")
"""Only ASCII is sent: what is not is encoded, so that no server needs an extension."""


def letter(mail: SendMail, *, sender: str, now: float) -> bytes:
    """Return a message with its headers.

    Args:
        mail: What is sent. Recipients of `bcc` are in no header.
        sender: Who it comes from: a mailbox.
        now: Unix seconds, for `Date`.
    """
    address = address_of(sender)
    message = EmailMessage(_POLICY)
    message["From"] = formataddr((sender.rpartition("<")[0].strip(), address))
    message["To"] = ", ".join(mail.to)
    if mail.cc:
        message["Cc"] = ", ".join(mail.cc)
    if mail.reply_to is not None:
        message["Reply-To"] = mail.reply_to
    message["Subject"] = mail.subject
    message["Date"] = formatdate(now, usegmt=True)
    message["Message-ID"] = f"<{mail.id}@{address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: programs on holiday do not answer it
    message.set_content(mail.text)
    return message.as_bytes()
