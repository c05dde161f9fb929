from __future__ import annotations

import pytest

from hooksd.config.checks.headers import check


def problems(headers: object, **keys: object) -> list[str]:
    return [finding.message for finding in check("a.toml", ("endpoints", "out"), {"headers": headers, **keys})]


@pytest.mark.parametrize(
    "value",
    [
        "prod",
        "{{ secrets.env }}",
        "{{ event.type }}, {{ body.id | default('none') }}",
        "{{ 1 + 1 }}",
        "{{ body.id",  # reported where templates are
    ],
)
def test_a_header_is_a_constant_a_secret_or_made_of_the_event(value: str) -> None:
    assert problems({"X-Env": value}) == []


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ({"X Env": "1"}, "cannot be the name of a header"),
        ({"Transfer-Encoding": "chunked"}, "set by hooksd alone"),
        ({"X-Env": "1", "x-env": "2"}, "twice"),
        ({"X-Env": "a\nb"}, "control character"),
        ({"X-Env": "{{ secrets.a }}{{ body.id }}"}, "both a secret and the event"),
        ({"Cookie": "id={{ body.id }}"}, "written to the log"),
    ],
)
def test_what_cannot_be_sent_or_would_be_kept_readable_is_refused(headers: dict[str, str], problem: str) -> None:
    (found,) = problems(headers)

    assert problem in found


def test_who_makes_a_form_says_what_it_is() -> None:
    headers = {"Content-Type": "text/plain"}

    assert problems(headers, content_type="json") == []
    assert "leave the header out" in problems(headers, content_type="multipart")[0]


@pytest.mark.parametrize("headers", [None, "x", {"X-Env": 1}])
def test_what_has_the_wrong_type_is_reported_elsewhere(headers: object) -> None:
    assert problems(headers) == []
