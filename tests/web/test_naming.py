from __future__ import annotations

import pytest

from hooksd.web.naming import MAX_SUBJECT, MAX_TYPE, Unnamed, event_type, subject
from tests.web.doubles import webhook

BODY = {"body": {"kind": "order.paid", "n": 7, "fake": "workflow.deploy.failed", "long": "x" * 2000}}


def test_the_providers_word_comes_after_the_name_of_the_webhook() -> None:
    assert event_type(webhook("shop", event="{{ body.kind }}"), "push", BODY) == "shop.push"


def test_a_providers_word_may_have_spaces() -> None:
    assert event_type(webhook("gitlab"), "Push Hook", BODY) == "gitlab.Push Hook"


def test_without_a_word_of_the_provider_the_template_names_the_event() -> None:
    assert event_type(webhook("shop", event="shop.{{ body.kind }}"), None, BODY) == "shop.order.paid"


def test_without_a_template_the_event_is_named_after_the_webhook() -> None:
    assert event_type(webhook("shop"), None, BODY) == "webhook.shop"


def test_a_missing_value_is_named() -> None:
    with pytest.raises(Unnamed, match=r"`event` .* `body.action` is missing"):
        event_type(webhook("shop", event="shop.{{ body.action }}"), None, BODY)


def test_data_cannot_speak_for_the_daemon() -> None:
    with pytest.raises(Unnamed, match="hooksd's own"):
        event_type(webhook("shop", event="{{ body.fake }}"), None, BODY)


def test_a_definition_may_name_any_type_itself() -> None:
    assert event_type(webhook("shop", event="workflow.deploy.failed"), None, BODY) == "workflow.deploy.failed"


@pytest.mark.parametrize("said", ["a\nb", "a\x85b", "a\x00", "x" * MAX_TYPE])
def test_a_word_that_is_no_event_type_is_refused(said: str) -> None:
    with pytest.raises(Unnamed, match="no control characters"):
        event_type(webhook("shop"), said, BODY)


def test_a_subject_is_optional_and_may_come_out_empty() -> None:
    assert subject(webhook("shop"), BODY) is None
    assert subject(webhook("shop", subject="{{ body.kind }}"), BODY) == "order.paid"
    assert subject(webhook("shop", subject=" {{ '' }} "), BODY) is None


def test_a_subject_has_no_control_characters_and_an_end() -> None:
    scope = {"body": {"text": "a\r\nb\x00c", "long": "x" * 2000}}

    assert subject(webhook("shop", subject="{{ body.text }}"), scope) == "a b c"
    assert len(subject(webhook("shop", subject="{{ body.long }}"), scope) or "") == MAX_SUBJECT


def test_a_subject_that_cannot_be_made_is_named() -> None:
    with pytest.raises(Unnamed, match="`subject`"):
        subject(webhook("shop", subject="{{ body.nothing }}"), BODY)
