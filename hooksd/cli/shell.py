"""Text as words of a POSIX shell that a terminal only shows, whatever bytes are in it; secrets as variables. Pure."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Sequence

from hooksd.cli.output import safe

HIDDEN = "***"
"""What the log has in the place of a secret."""
LONGEST = 64 * 1024
"""Bytes of a text that stands in a command as it is: a system takes hardly longer words."""

_PLAIN = str.maketrans("", "", "\n\t")


class Variables:
    """The variables that stand for secrets."""

    def __init__(self) -> None:
        self._places: dict[str, str] = {}

    def word(self, text: str, name: str, place: str, hidden: Sequence[str] = (HIDDEN,)) -> str:
        """Return a word with a variable in the place of each secret.

        Args:
            text: What the log has.
            name: What the variables are named after.
            place: Where the secret stands, for people.
            hidden: What secrets are in the text, the longest first.
        """
        first, *others = re.split("|".join(map(re.escape, hidden)), text) if hidden else [text]
        parts = [word(first)] if first else []
        for other in others:
            parts.append(f'"${self._named(name, place)}"')
            if other:
                parts.append(word(other))
        return "".join(parts) or "''"

    def _named(self, text: str, place: str) -> str:
        name = "SECRET_" + _unnamed(text).upper()
        number = 2
        unique = name
        while unique in self._places:
            unique, number = f"{name}_{number}", number + 1
        self._places[unique] = place
        return unique

    def needed(self) -> list[str]:
        """Return a command for each variable, which fails with a word about it when it is not set."""
        return [
            f': "${{{name}:?set it to the secret in {_unnamed(place, " ")}}}" &&'
            for name, place in self._places.items()
        ]


def _unnamed(text: str, other: str = "_") -> str:
    """Return letters and digits, which mean nothing to a shell."""
    return re.sub(r"[^A-Za-z0-9]+", other, text).strip(other)


def word(text: str) -> str:
    """Return one word that is this text. Control characters, line feeds and tabs excepted, are escapes for printf."""
    plain = text.translate(_PLAIN)
    if safe(plain) == plain:
        return shlex.quote(text)
    escaped = "".join(f"\\{byte:03o}" for byte in text.encode("utf-8", "surrogatepass"))
    return f"\"$(printf '{escaped}')\""


def is_plain(raw: bytes) -> bool:
    """Tell whether bytes can stand in a command as a quoted text, which a terminal only shows."""
    if len(raw) > LONGEST:
        return False
    try:
        text = raw.decode().translate(_PLAIN)
    except UnicodeDecodeError:
        return False
    return safe(text) == text


def bytes_of(raw: bytes) -> str:
    """Return a command that writes bytes: `printf` is part of every shell, so they may be as many as they like."""
    return f"printf %s {base64.b64encode(raw).decode()} | base64 -d"
