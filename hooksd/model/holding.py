"""Endpoints whose deliveries wait: facts in the log like those of `hooksd.model.record`, which lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

HoldReason = Literal["disabled", "suspended", "receiver", "breaker", "rate"]
"""Why deliveries to an endpoint wait: its definition says so; 410; it asked for patience; it fails; its `rate`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointHeld:
    """From here on deliveries to an endpoint wait. None of them is dropped."""

    at: str
    endpoint: str
    reason: HoldReason
    until: str | None = None
    """When it is looked at again; null: when its definition changes, or somebody resumes it."""
    error: str | None = None
    fingerprint: str | None = None
    """For `suspended`: of the endpoint's definition. A definition with another one resumes it."""
    type: Literal["endpoint.held"] = "endpoint.held"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointReleased:
    """Deliveries to an endpoint no longer wait for this reason."""

    at: str
    endpoint: str
    reason: HoldReason
    type: Literal["endpoint.released"] = "endpoint.released"
