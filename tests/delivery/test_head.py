from __future__ import annotations

import pytest

from hooksd.delivery.head import start_of, with_host
from hooksd.delivery.place import place_of

THERE = place_of("https://a.example:8443/in?a=b")


def test_a_head_asks_for_path_and_query_and_says_who_is_asked() -> None:
    assert start_of("PUT", THERE, [("X-A", "\N{SNOWMAN}")]) == (
        "PUT /in?a=b HTTP/1.1\r\nHost: a.example:8443\r\nX-A: \N{SNOWMAN}\r\n".encode()
    )


@pytest.mark.parametrize("name", ["Host", "host", "HOST"])
def test_a_host_that_a_definition_names_is_asked_for_instead(name: str) -> None:
    assert with_host([("X-A", "b"), (name, "other.example")], THERE) == [("X-A", "b"), (name, "other.example")]
