"""How much is known about who caused an event."""

from __future__ import annotations

from enum import IntEnum


class Trust(IntEnum):
    """Ordered: an emitted event has the least trust among its causes."""

    ANONYMOUS = 0
    """Nobody proved anything (`auth.type = "none"`)."""
    TOKEN = 1
    """The caller knows a shared token or password."""
    SIGNED = 2
    """The caller signed these exact bytes."""
    LOCAL = 3
    """The operator or the daemon itself."""

    @property
    def label(self) -> str:
        """The word used in files and records."""
        return self.name.lower()


TRUST_LABELS = tuple(trust.label for trust in Trust)


def trust_of(label: str) -> Trust:
    """Return the trust of a label.

    Raises:
        KeyError: No trust has that label.
    """
    return Trust[label.upper()]
