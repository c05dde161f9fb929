"""What stands over a restart, like endpoints whose deliveries wait: facts in the log that `model.record` lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from hooksd.model.value import fact

HoldReason = Literal["disabled", "suspended", "receiver", "breaker", "rate"]
"""Why deliveries to an endpoint wait: its definition says so; 410; it asked for patience; it fails; its `rate`."""


@fact
class EndpointHeld:
    """From here on deliveries to an endpoint wait. None of them is dropped."""

    at: str
    endpoint: str
    reason: HoldReason
    until: str | None = None
    """When it is looked at again; null: when its definition changes, or somebody resumes it."""
    error: str | None = None
    fingerprint: str | None = None
    """For `suspended` and `breaker`: of the endpoint's definition. A definition with another one resumes it."""
    type: Literal["endpoint.held"] = "endpoint.held"


@fact
class EndpointReleased:
    """Deliveries to an endpoint no longer wait for this reason."""

    at: str
    endpoint: str
    reason: HoldReason
    type: Literal["endpoint.released"] = "endpoint.released"


@fact
class LogCarried:
    """What a file of the log takes over of those before it, so that they may go: what stands, and is no work."""

    at: str
    held: tuple[EndpointHeld, ...] = ()
    """Endpoints whose deliveries wait, for reasons that last over a restart."""
    pinged: Mapping[str, str] = field(default_factory=dict)
    """The fingerprint of each endpoint's definition that was pinged when it appeared or changed."""
    type: Literal["log.carried"] = "log.carried"
