"""Handshakes as answers: what the receiver makes of a greeting. The greetings themselves are of `hooksd.auth`."""

from __future__ import annotations

from hooksd.auth.handshake import Greeting
from hooksd.config.snapshot import CompiledWebhook
from hooksd.web.answer import Answer


def may_greet(webhook: CompiledWebhook, method: str) -> bool:
    """Tell whether a request may be a handshake, so that it is read whatever else the webhook takes."""
    return webhook.greeter is not None and method in webhook.greeter.methods


def answer_of(greeting: Greeting) -> Answer:
    """Return what the provider gets."""
    headers = tuple((name.encode(), value.encode()) for name, value in greeting.headers)
    return Answer(status=greeting.status, headers=headers, body=greeting.body)
