from __future__ import annotations

import orjson
import pytest
from starlette.requests import Request
from starlette.types import Message

from hooksd.web.asked import MAX_BODY, Refusal, bytes_of, document_of, unknown


def request(*messages: Message) -> Request:
    left = list(messages)

    async def receive() -> Message:
        return left.pop(0)

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


def whole(content: bytes) -> Message:
    return {"type": "http.request", "body": content, "more_body": False}


async def test_a_document_is_read_and_none_is_null() -> None:
    assert await document_of(request(whole(b'{"a": 1}'))) == {"a": 1}
    assert await document_of(request(whole(b""))) is None


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (whole(b"{"), 400),
        (whole(bytes(MAX_BODY + 1)), 413),
        ({"type": "http.disconnect"}, 400),
    ],
)
async def test_what_cannot_be_read_is_refused(message: Message, status: int) -> None:
    with pytest.raises(Refusal) as refusal:
        await document_of(request(message))

    assert refusal.value.answer.status == status


async def test_bytes_are_taken_as_they_are() -> None:
    assert await bytes_of(request(whole(b"\xff"))) == b"\xff"


@pytest.mark.parametrize(
    ("known", "hint"),
    [
        (["shop", "erp"], "; did you mean 'shop'?"),
        (["slack", "erp"], "; known are 'erp', 'slack'"),
        (["a", "b", "c", "d", "e", "f", "g"], "; known are 'a', 'b', 'c', 'd', 'e' and 2 more"),
        (["slack"], "; there is only 'slack'"),
        ([], "; none is defined"),
    ],
)
def test_a_name_of_nothing_is_told_with_the_one_that_may_be_meant_or_with_those_that_are(
    known: list[str], hint: str
) -> None:
    answer = unknown("endpoint", "shpo", dict.fromkeys(known))

    assert answer.status == 404
    assert orjson.loads(answer.body)["detail"] == f"there is no endpoint 'shpo'{hint}"
