from __future__ import annotations

import pytest

from hooksd.config.checks.urls import url_problem


@pytest.mark.parametrize(
    "url",
    ["https://a.example", "http://127.0.0.1:9000/x?y=1", "HTTPS://a.example/", "http://[::1]/", "https://a.example?\\"],
)
def test_what_can_be_called_is_fine(url: str) -> None:
    assert url_problem(url, is_whole=True) is None


@pytest.mark.parametrize(
    "start", ["h", "https:", "https://", "https://a.example/", "https://10.", "https://a.example:80"]
)
def test_so_is_what_can_begin_such_a_url(start: str) -> None:
    assert url_problem(start, is_whole=False) is None


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("ftp://a.example", "only http and https"),
        ("a.example/x", "only http and https"),
        ("https://", "no host"),
        ("https://a b.example/", "holds spaces"),
        ("https://u:p@a.example/", "credentials"),
        ("https://a.example:x/", "no URL"),
        ("https://a.example:0/", "port 0"),
        ("https://a.example\\.evil.example/", "disagree"),
        ("https://a%2eexample/", "disagree"),
        ("http://2130706433/", "ends in a number"),
        ("http://127.1/", "ends in a number"),
        ("http://a.0x7f/", "ends in a number"),
    ],
)
def test_what_cannot_be_called_or_leads_to_different_places_is_refused(url: str, problem: str) -> None:
    message, hint = url_problem(url, is_whole=True) or ("", "")

    assert problem in message
    assert hint


def test_a_user_may_stand_in_what_nobody_can_read() -> None:
    assert url_problem("https://u:p@a.example/", is_whole=True, may_hold_user=True) is None
