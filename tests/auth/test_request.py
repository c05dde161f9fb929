from __future__ import annotations

from dataclasses import replace

from tests.auth.requests import inbound


def test_every_value_of_a_header_is_returned_in_order() -> None:
    request = replace(inbound(), headers=(("x-a", "1"), ("x-b", "2"), ("x-a", "3")))

    assert request.header_values("x-a") == ["1", "3"]
    assert request.header_values("x-none") == []
