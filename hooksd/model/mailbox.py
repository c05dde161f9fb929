"""Addresses of e-mail: a strict form, so that what a permission was checked on is what a mail server reads.

No comments, no quoted parts, no groups, ASCII only: RFC 5321 allows more than anybody can judge by a pattern.
"""

from __future__ import annotations

import re
from typing import Final

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS: Final = rf"{_ATOM}(\.{_ATOM})*@{_LABEL}(\.{_LABEL})*"

MAILBOX_PATTERN: Final = rf'^({_ADDRESS}|[^<>@,;:"\\\x00-\x1f\x7f]+ <{_ADDRESS}>)$'
"""An address, or a name and an address in angle brackets."""

LONGEST: Final = 254
"""Characters of an address (RFC 5321, section 4.5.3.1.3, without the brackets)."""

_WHOLE: Final = re.compile(_ADDRESS)


def is_address(text: str) -> bool:
    """Tell whether a text is one address and nothing else."""
    return len(text) <= LONGEST and _WHOLE.fullmatch(text) is not None


def lowered(address: str) -> str:
    """Return an address with its domain in lower case: that part does not tell capitals apart."""
    local, mark, domain = address.rpartition("@")
    return f"{local}{mark}{domain.lower()}"


def address_of(mailbox: str) -> str:
    """Return the address of a mailbox that fits `MAILBOX_PATTERN`."""
    return mailbox.rpartition("<")[2].rstrip(">")
