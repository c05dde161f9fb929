from __future__ import annotations

import pytest
from starlette.types import Message

from hooksd.web.answer import PHRASES, Answer, encode_answer, json_answer, send_answer


async def sent(answer: Answer) -> list[Message]:
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    await send_answer(answer, send)
    return messages


async def test_an_answer_is_sent_with_its_length() -> None:
    start, body = await sent(json_answer(202, {"a": "ü"}))

    assert start["status"] == 202
    assert dict(start["headers"]) == {b"content-type": b"application/json", b"content-length": b"10"}
    assert body["body"] == b'{"a":"\xc3\xbc"}'


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_that_cannot_have_a_body_says_no_length(status: int) -> None:
    start, body = await sent(Answer(status=status))

    assert start["headers"] == ()
    assert body["body"] == b""


def test_a_header_is_read_by_its_name_in_lower_case() -> None:
    answer = Answer(status=405, headers=((b"allow", b"POST"),))

    assert answer.header("allow") == "POST"
    assert answer.header("location") is None


def test_an_answer_as_bytes_is_what_a_server_would_send() -> None:
    answer = Answer(status=202, headers=((b"content-type", b"application/json"),), body=b"{}")

    assert encode_answer(answer, [(b"date", b"today")]) == (
        b"HTTP/1.1 202 Accepted\r\ndate: today\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
    )


def test_an_answer_without_content_has_no_length() -> None:
    assert encode_answer(Answer(status=204)) == b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest.mark.parametrize(
    ("status", "phrase"),
    [
        (413, "Request Entity Too Large"),
        (414, "Request-URI Too Long"),
        (422, "Unprocessable Entity"),
        (503, "Service Unavailable"),
    ],
)
def test_a_status_is_called_the_same_by_every_version_of_python(status: int, phrase: str) -> None:
    assert PHRASES[status] == phrase
