from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.config.checks.events import OWN_EVENTS, Events, pattern_of, sends
from hooksd.model.patterns import can_overlap
from hooksd.model.webhook import Webhook

PATTERNS = st.lists(st.text(alphabet="ab.*", min_size=1, max_size=6), max_size=6)


@given(PATTERNS, st.text(alphabet="ab.*", min_size=1, max_size=6))
def test_the_index_answers_what_a_comparison_with_every_pattern_would(patterns: list[str], entry: str) -> None:
    slow = any(can_overlap(entry, pattern) for pattern in (*patterns, *OWN_EVENTS))
    assert Events(patterns).may_be(entry) is slow


def webhook(**auth: object) -> Webhook:
    return Webhook.model_validate({"auth": auth})


def test_a_webhook_whose_provider_names_events_sends_a_family_and_its_default() -> None:
    value = webhook(preset="github", secret="credential:x")
    assert list(sends("webhook", "gh", {}, value)) == ["webhook.gh", "gh.*"]


def test_a_webhook_without_sends_what_it_says_or_its_default() -> None:
    value = webhook(type="none")
    assert list(sends("webhook", "in", {}, value)) == ["webhook.in"]
    assert list(sends("webhook", "in", {"event": "order.{{ body.kind }}"}, value)) == ["order.*"]


@pytest.mark.parametrize("value", [None, webhook(preset="nonesuch")])
def test_a_webhook_with_errors_might_send_anything_of_its_name(value: Webhook | None) -> None:
    assert "in.*" in list(sends("webhook", "in", {}, value))


def test_a_workflow_sends_its_endings_and_what_it_emits() -> None:
    events = list(sends("workflow", "w", {"steps": [{"emit": "a.{{ body.x }}.b"}]}, None))
    assert "workflow.w.failed" in events
    assert "a.*.b" in events


@pytest.mark.parametrize(
    ("template", "pattern"),
    [("plain", "plain"), ("a{{ x }}b", "a*b"), ("{{ x }}{{ y }}", "**"), ("a{% if x %}b{% endif %}", "a*b*")],
)
def test_a_pattern_stands_for_whatever_a_template_becomes(template: str, pattern: str) -> None:
    assert pattern_of(template) == pattern
