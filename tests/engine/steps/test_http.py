from __future__ import annotations

from typing import Any

import pytest

from hooksd.engine.steps.http import judge
from hooksd.engine.steps.intent import Act, Refuse
from hooksd.model.effect import MakeRequest, Performed
from hooksd.model.step import HttpStep
from tests.engine.steps.occasions import wants


def request(step: dict[str, Any], data: Any = None, **options: Any) -> MakeRequest:
    intent = wants(step, data, **options)
    assert isinstance(intent, Act), intent
    assert isinstance(intent.effect, MakeRequest)
    return intent.effect


def refusal(step: dict[str, Any], data: Any = None, **options: Any) -> str:
    intent = wants(step, data, **options)
    assert isinstance(intent, Refuse), intent
    return intent.error


def test_method_url_headers_and_body_are_rendered() -> None:
    effect = request(
        {
            "http": "POST https://api.example/repos/{{ body.repo }}?a=1",
            "headers": {"X-Actor": "{{ body.who }}"},
            "query": {"q": "a b&{{ body.who }}"},
            "json": {"who": "{{ body.who }}", "n": "{{ body.n }}"},
        },
        {"repo": "acme/app", "who": "me", "n": 3},
    )

    assert effect.method == "POST"
    assert effect.url == "https://api.example/repos/acme/app?a=1&q=a+b%26me"
    assert effect.headers == {"X-Actor": "me", "Content-Type": "application/json"}
    assert effect.body == b'{"who":"me","n":3}'


def test_a_content_type_that_is_written_stays() -> None:
    step = {"http": "PUT https://a.example/", "text": "<a/>", "headers": {"content-type": "text/xml"}}

    assert request(step).headers == {"content-type": "text/xml"}


def test_without_payload_the_body_is_empty() -> None:
    effect = request({"http": "GET https://a.example"})

    assert (effect.body, effect.headers, effect.timeout) == (b"", {}, 60.0)


def test_a_fragment_is_not_sent() -> None:
    assert request({"http": "GET https://a.example/x#part", "query": {"b": "1"}}).url == "https://a.example/x?b=1"


@pytest.mark.parametrize(
    "value",
    [
        "https://good.example/a b",
        "https://good.example/\r\nX-Evil: 1",
        "https://good.example\\@evil.example/",
        "https://good.example@evil.example/",
        "https://user:pass@good.example/",
        "https://good.example/public/../admin",
        "https://good.example/public/%2e%2E/admin",
        "https://good.example/./x",
        "https://good.example:port/",
        "https://good.example:99999/",
        "https:///nohost",
        "https://[::1",
        "file:///etc/passwd",
        "ftp://good.example/",
        "",
    ],
)
def test_a_url_that_could_mean_another_place_is_refused(value: str) -> None:
    assert refusal({"http": "GET {{ body.url }}"}, {"url": value})


def test_the_rendered_url_must_be_allowed() -> None:
    step = {"http": "GET https://{{ body.host }}/x"}

    assert request(step, {"host": "api.example"}, allow=("http:https://api.example/*",)).url == "https://api.example/x"
    assert "http:https://evil.example/x" in refusal(
        step, {"host": "evil.example"}, allow=("http:https://api.example/*",)
    )


def test_data_cannot_begin_a_header_of_its_own() -> None:
    step = {"http": "GET https://a.example/", "headers": {"X-A": "{{ body.x }}"}}

    assert "X-A" in refusal(step, {"x": "a\r\nX-Evil: 1"})


@pytest.mark.parametrize(
    ("expect", "code", "error"),
    [
        ("2xx", 204, None),
        ("2xx", 302, "the answer was 302, expected 2xx"),
        ("404", 404, None),
        ("404", 405, "the answer was 405, expected 404"),
        ("5xx", 503, None),
    ],
    ids=str,
)
def test_an_answer_is_a_success_only_if_its_status_is_expected(expect: str, code: int, error: str | None) -> None:
    step = HttpStep.model_validate({"http": "GET https://a.example/", "expect": [expect]})

    judged = judge(step, Performed(ok=True, code=code, output="body"))

    assert (judged.ok, judged.error) == (error is None, error)
    assert judged.output == "body"


def test_no_answer_at_all_stays_what_it_is() -> None:
    performed = Performed(ok=False, kind="connect", error="refused")
    step = HttpStep.model_validate({"http": "GET https://a.example/"})

    assert judge(step, performed) is performed


@pytest.mark.parametrize(
    ("url", "is_literal"),
    [
        ("https://api.example/{{ body }}", True),
        ("https://{{ body }}/", False),
        ("https://api.example{{ body }}/", False),
        ("{{ body }}", False),
    ],
)
def test_the_request_says_whether_its_host_is_written_in_the_definition(url: str, *, is_literal: bool) -> None:
    data = "https://a.example/" if url == "{{ body }}" else "a.example"

    assert request({"http": f"GET {url}"}, data).is_literal is is_literal
