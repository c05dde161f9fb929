"""What the events of a webhook are called, as far as its definition tells. For people and for checks. Pure."""

from __future__ import annotations

from hooksd.auth.presets import PRESETS
from hooksd.model.auth import AllAuth, AnyAuth, Auth, PresetAuth
from hooksd.model.webhook import Webhook


def events_of(name: str, webhook: Webhook) -> str:
    """Return the types of a webhook's events, `*` for what the provider says.

    Args:
        name: Of the webhook.
        webhook: Its definition.
    """
    if not says_what_happened(webhook.auth):
        return webhook.event or f"webhook.{name}"
    return f"{name}.*" if webhook.event is None else f"{name}.*, {webhook.event}"


def says_what_happened(auth: Auth) -> bool:
    """Tell whether requests themselves say what their events are called; of an unknown preset that may be."""
    if auth.event:
        return True
    if isinstance(auth, AllAuth | AnyAuth):
        return any(map(says_what_happened, auth.of))
    return isinstance(auth, PresetAuth) and "event" in PRESETS.get(auth.preset, {"event": None})
