from __future__ import annotations

import pytest
from pydantic import ValidationError

from hooksd.model.role import Role, split_url


@pytest.mark.parametrize(
    "pattern", ["https://api.example.com*", "https://a*b/", "https://a.*/", "api.example.com/*", "*://x/"]
)
def test_a_permission_that_would_let_other_hosts_in_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError, match="whose host is whole"):
        Role(allow=(f"http:{pattern}",))


@pytest.mark.parametrize(
    "pattern",
    ["*", "https://a.example/*", "https://*/x", "https://*.example.com/*", "http://127.0.0.1:*/x", "https://a.example"],
)
def test_whole_hosts_and_domains_may_be_named(pattern: str) -> None:
    assert Role(allow=(f"http:{pattern}",)).allow == (f"http:{pattern}",)


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://a.example/b?c", ("https://a.example", "/b?c")),
        ("https://a.example?c/d", ("https://a.example", "?c/d")),
        ("https://a.example:80//b", ("https://a.example:80", "//b")),
        ("https://a.example", ("https://a.example", "")),
        ("a/b", ("a/b", "")),
    ],
)
def test_a_url_is_split_behind_its_host(url: str, parts: tuple[str, str]) -> None:
    assert split_url(url) == parts
