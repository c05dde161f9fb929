"""What the events of a webhook are called."""

from __future__ import annotations

from typing import Any

import pytest

from hooksd.auth.naming import events_of, says_what_happened
from hooksd.auth.presets import PRESETS, preset_names
from hooksd.model.auth import PresetAuth
from hooksd.model.webhook import Webhook

HMAC = {"type": "hmac", "header": "X-Sign", "secret": "env:X"}


@pytest.mark.parametrize(
    ("auth", "event", "called"),
    [
        ({"type": "none"}, None, "webhook.shop"),
        ({"type": "none"}, "shop.{{ body.kind }}", "shop.{{ body.kind }}"),
        ({"preset": "github", "secret": "env:X"}, None, "shop.*"),
        ({"preset": "github", "secret": "env:X"}, "shop.other", "shop.*, shop.other"),
        ({"preset": "telegram", "secret": "env:X"}, None, "webhook.shop"),
        (HMAC, None, "webhook.shop"),
        ({**HMAC, "event": "header:X-Event"}, None, "shop.*"),
        ({"type": "any", "of": [{"preset": "telegram", "secret": "env:X"}, HMAC]}, None, "webhook.shop"),
        ({"type": "any", "of": [{"preset": "github", "secret": "env:X"}, HMAC]}, None, "shop.*"),
    ],
    ids=[
        "nobody says",
        "the definition",
        "the provider",
        "both",
        "a provider that says nothing",
        "a signature",
        "a header",
        "none of several",
        "one of several",
    ],
)
def test_events_are_called_what_the_provider_or_the_definition_says(
    auth: dict[str, Any], event: str | None, called: str
) -> None:
    webhook = Webhook.model_validate({"auth": auth, "event": event})

    assert events_of("shop", webhook) == called
    assert says_what_happened(webhook.auth) is ("*" in called)


def test_of_a_preset_that_nobody_knows_they_may_say_it() -> None:
    assert says_what_happened(PresetAuth(preset="githbu", secret="env:X"))


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_known_by_what_it_stands_for(name: str) -> None:
    auth = PresetAuth.model_construct(preset=name)

    assert says_what_happened(auth) is bool(PRESETS[name].get("event"))
