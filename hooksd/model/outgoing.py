"""Where an event goes out because endpoints subscribe to it, as the record of the event has it."""

from __future__ import annotations

from typing import Literal

from hooksd.model.value import fact


@fact
class DeliveryPlan:
    """A delivery that an event goes out by."""

    id: str
    endpoint: str
    fingerprint: str | None = None
    """Of the endpoint's definition, where the event is the ping that a new definition gets. Older records lack it."""


@fact
class NotSent:
    """An endpoint that subscribes to the event's type and does not get it."""

    endpoint: str
    reason: Literal["trust", "loop"]
    """`trust`: anybody may have caused it; `loop`: it was sent there before, and came back."""
