from __future__ import annotations

import pytest
from pydantic import ValidationError

from hooksd.model.base import Json
from hooksd.model.webhook import Webhook

OPEN: Json = {"auth": {"type": "none"}}


def webhook(**keys: Json) -> Webhook:
    return Webhook.model_validate({**OPEN, **keys})


def test_who_may_call_must_be_written() -> None:
    with pytest.raises(ValidationError, match="auth"):
        Webhook.model_validate({})


@pytest.mark.parametrize(("answer", "seconds"), [("wait:10s", 10.0), ("wait:1.5s", 1.5), ("wait:500ms", 0.5)])
def test_an_answer_may_wait(answer: str, seconds: float) -> None:
    assert webhook(answer=answer).wait == seconds


@pytest.mark.parametrize("answer", ["accept", "none"])
def test_other_answers_do_not_wait(answer: str) -> None:
    assert webhook(answer=answer).wait is None


@pytest.mark.parametrize("answer", ["wait", "wait:10", "wait:1h", "ok"])
def test_an_answer_that_is_none_is_refused(answer: str) -> None:
    with pytest.raises(ValidationError, match="answer"):
        webhook(answer=answer)


@pytest.mark.parametrize("path", ["/", "/in/shop", "/a.b/~c", "/hooks/x/"])
def test_a_plain_path_is_taken(path: str) -> None:
    assert webhook(path=path).path == path


@pytest.mark.parametrize("path", ["in", "//a", "/a//b", "/a/../b", "/a/.", "/ä", "/a?b", "/%61", "/livez", "/readyz"])
def test_a_path_that_two_servers_could_read_differently_is_refused(path: str) -> None:
    with pytest.raises(ValidationError, match="path"):
        webhook(path=path)


def test_a_webhook_takes_posts_of_at_most_ten_mebibytes_unless_it_says_otherwise() -> None:
    value = webhook()

    assert value.methods == ("POST",)
    assert value.limits.body == 10 * 2**20
    assert value.enabled
