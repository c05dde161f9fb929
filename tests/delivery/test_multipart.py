from __future__ import annotations

import email
from email.message import Message
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.delivery.multipart import multipart
from hooksd.model.received import ReceivedFile


def parsed(fields: dict[str, Any]) -> list[Message]:
    """Return the parts as any reader of MIME sees them."""
    media, raw = multipart(fields)
    message = email.message_from_bytes(f"Content-Type: {media}\r\n\r\n".encode() + raw)
    return [part for part in message.walk() if part is not message]


def test_text_is_a_field_a_list_repeats_it_and_other_values_are_json() -> None:
    parts = parsed({"name": "Ada", "tag": ["a", "b"], "address": {"city": "Oslo"}, "count": 3, "none": None})

    told = [(part.get_param("name", header="content-disposition"), part.get_payload(decode=True)) for part in parts]
    assert told == [
        ("name", b"Ada"),
        ("tag", b"a"),
        ("tag", b"b"),
        ("address", b'{"city":"Oslo"}'),
        ("count", b"3"),
        ("none", b""),
    ]
    assert [part.get_content_type() for part in parts[3:5]] == ["application/json", "application/json"]


def test_an_object_with_a_file_name_and_base64_is_a_file() -> None:
    file = {"filename": 'a"b\r\n.jpg', "base64": "/9j/4AA=", "content_type": "image/jpeg"}
    (first, second) = parsed({"photo": file, "plain": {"filename": "x", "base64": ""}})

    assert first.get_filename() == "a%22b%0D%0A.jpg"
    assert first.get_content_type() == "image/jpeg"
    assert first.get_payload(decode=True) == b"\xff\xd8\xff\xe0\x00"
    assert second.get_content_type() == "application/octet-stream"


@pytest.mark.parametrize(
    "file",
    [
        {"filename": "a", "base64": "a"},
        {"filename": "a", "base64": 1},
        {"filename": "a", "base64": "", "content_type": "a\r\nX-Evil: 1"},
        {"filename": "a", "base64": "", "content_type": 1},
    ],
)
def test_what_is_no_file_is_refused(file: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="photo"):
        multipart({"photo": file})


def test_files_of_a_request_come_behind_the_fields_under_the_names_that_the_caller_gave() -> None:
    named = ReceivedFile(
        field="doc", name="safe.pdf", filename="../../ä b.pdf", media="application/pdf", size=4, digest=""
    )
    nameless = ReceivedFile(field="body", name="body", filename="", media="", size=2, digest="")
    media, raw = multipart({"a": "1"}, [(named, b"%PDF"), (nameless, b"\r\n")])
    message = email.message_from_bytes(f"Content-Type: {media}\r\n\r\n".encode() + raw)

    field, doc, body = [part for part in message.walk() if part is not message]

    assert field.get_payload(decode=True) == b"1"
    assert (doc.get_content_type(), doc.get_payload(decode=True)) == ("application/pdf", b"%PDF")
    assert 'name="doc"; filename="../../ä b.pdf"'.encode() in raw
    assert (body.get_filename(), body.get_content_type()) == ("body", "application/octet-stream")


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=30), max_size=5))
def test_no_field_ends_its_part(fields: dict[str, str]) -> None:
    media, raw = multipart(fields)

    assert raw.count(media.partition("boundary=")[2].encode()) == len(fields) + 1
    assert (media, raw) == multipart(fields)
