from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.policy import default

from hypothesis import given
from hypothesis import strategies as st

from hooksd.delivery.letter import letter
from hooksd.model.effect import SendMail

MAIL = SendMail(
    id="run_1.tell",
    sender=None,
    to=("ada@example.com",),
    cc=(),
    bcc=("eve@example.com",),
    reply_to=None,
    subject="A lead",
    text="Hello",
    timeout=10,
)
NAMES = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Type"]
line = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=300)
text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=3000)


@given(subject=line, said=text)
def test_whatever_is_said_the_headers_stay_those_of_the_message(subject: str, said: str) -> None:
    raw = letter(replace(MAIL, subject=subject, text=said), sender="hooks@example.com", now=0)
    message = message_from_bytes(raw, policy=default)

    assert raw.isascii()
    assert [name for name in message if name not in {"MIME-Version", "Content-Transfer-Encoding"}] == NAMES
    assert message["To"] == "ada@example.com"
    assert message["Message-ID"] == "<run_1.tell@example.com>"
    assert not message.is_multipart()


def test_a_name_with_letters_of_any_kind_is_encoded() -> None:
    raw = letter(MAIL, sender="Büro (Süd) <hooks@example.com>", now=0)

    assert raw.isascii()
    assert message_from_bytes(raw, policy=default)["From"].addresses[0].display_name == "Büro (Süd)"


def test_answers_go_where_they_are_wanted() -> None:
    raw = letter(replace(MAIL, reply_to="desk@example.com", cc=("a@x.org", "b@x.org")), sender="h@example.com", now=0)
    message = message_from_bytes(raw, policy=default)

    assert message["Reply-To"] == "desk@example.com"
    assert message["Cc"] == "a@x.org, b@x.org"
    assert message["Bcc"] is None
