from __future__ import annotations

from typing import Any

import pytest

from hooksd.engine.commands import Attempt, Conclude
from hooksd.engine.machine import INTERRUPTED
from hooksd.engine.steps.intent import Act, Refuse
from hooksd.engine.steps.mail import MAX_SUBJECT
from hooksd.model.effect import SendMail
from hooksd.testing import Playbook
from tests.engine.steps.occasions import wants

STEP = {"id": "tell", "mail": "sales@example.com", "subject": "A lead", "text": "It is {{ body.name }}."}
ANYBODY = ("mail:*",)


def mail(data: Any = None, *, allow: tuple[str, ...] = ANYBODY, **more: Any) -> SendMail:
    intent = wants({**STEP, **more}, data or {"name": "Ada"}, allow=allow)
    assert isinstance(intent, Act), intent
    assert isinstance(intent.effect, SendMail)
    return intent.effect


def refused(data: Any, *, allow: tuple[str, ...] = ANYBODY, **more: Any) -> str:
    intent = wants({**STEP, **more}, data, allow=allow)
    assert isinstance(intent, Refuse), intent
    return intent.error


def test_a_message_is_rendered() -> None:
    more: dict[str, Any] = {"from": "Leads <leads@example.com>", "timeout": "5s"}
    effect = mail(
        {"name": "Ada", "by": "bob@Example.COM"},
        cc=["{{ body.by }}"],
        bcc="log@example.com",
        reply_to="{{ body.by }}",
        **more,
    )

    assert effect == SendMail(
        id="run_019ab000-0000-7000-8000-000000000002.tell",
        sender="Leads <leads@example.com>",
        to=("sales@example.com",),
        cc=("bob@example.com",),
        bcc=("log@example.com",),
        reply_to="bob@Example.COM",
        subject="A lead",
        text="It is Ada.",
        timeout=5.0,
    )


def test_every_attempt_has_the_same_message_id() -> None:
    ids = [wants(STEP, {"name": "Ada"}, allow=ANYBODY, number=number) for number in (1, 2)]

    assert ids[0] == ids[1]


def test_a_step_without_a_name_has_an_id_that_mail_allows() -> None:
    intent = wants({**STEP, "id": None}, {"name": "Ada"}, allow=ANYBODY)

    assert isinstance(intent, Act)
    assert isinstance(intent.effect, SendMail)
    assert intent.effect.id.endswith(".steps-0-")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "ada@example.com, eve@evil.example",
        "ada@example.com\r\nBcc: eve@evil.example",
        "Ada <ada@example.com>",
        "<ada@example.com>",
        '"a b"@example.com',
        "ada@[127.0.0.1]",
        "ada@exämple.com",
        "ada@example.com\u2028",
        "a" * 250 + "@example.com",
        "ada@example.com?cc=eve@evil.example",
        "@example.com",
        "ada@.com",
        "ada..b@example.com",
    ],
)
def test_what_is_not_one_plain_address_is_refused(address: str) -> None:
    for key in ("mail", "cc", "bcc"):
        step: dict[str, Any] = {key: "{{ body.to }}"}
        assert "is not one address" in refused({"name": "x", "to": address}, **step)
    assert "is not one address" in refused({"name": "x", "to": address}, reply_to="{{ body.to }}") or not address


@pytest.mark.parametrize("key", ["mail", "cc", "bcc"])
def test_every_recipient_must_be_allowed_as_it_is_rendered(key: str) -> None:
    step: dict[str, Any] = {key: "{{ body.to }}", "allow": ("mail:*@example.com",)}

    mail({"name": "x", "to": "ada@Example.com"}, **step)
    error = refused({"name": "x", "to": "ada@example.com.evil.example"}, **step)
    assert "does not allow `mail:ada@example.com.evil.example`" in error


def test_mail_needs_a_role() -> None:
    intent = wants(STEP, {"name": "Ada"}, allow=None)

    assert isinstance(intent, Refuse)
    assert "`mail` needs a role" in intent.error


def test_a_line_break_in_the_subject_begins_no_header() -> None:
    effect = mail({"name": "a\r\nBcc: eve@evil.example\u2028x"}, subject="New: {{ body.name }}")

    assert effect.subject == "New: a Bcc: eve@evil.example x"


def test_a_subject_that_never_ends_is_cut() -> None:
    assert len(mail({"name": "x" * 5000}, subject="{{ body.name }}").subject) == MAX_SUBJECT


def test_a_text_that_mail_cannot_carry_is_refused() -> None:
    assert "NUL" in refused({"name": "a\0b"})


def test_mail_that_was_under_way_in_a_crash_is_not_sent_again() -> None:
    (
        Playbook({"steps": [STEP], "on_failure": [{"id": "note", "set": {"a": 1}}]})
        .asks(Attempt(step="tell", number=1))
        .began("tell")
        .asks(Conclude(step="tell", status="interrupted", attempts=1, error=INTERRUPTED))
        .ended("tell", "interrupted", error=INTERRUPTED)
        .does("note", output={"a": 1})
        .ends("failed", step="tell", error=INTERRUPTED)
    )
