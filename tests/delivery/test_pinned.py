from __future__ import annotations

from typing import Any

import pytest

from hooksd.config.snapshot import CompiledEndpoint
from hooksd.delivery.pinned import pin, unpin
from hooksd.delivery.request import RequestProblem
from hooksd.model.secret import Secret
from tests.delivery.house import KEY, endpoint

SECRETS = {"key": Secret(b"k-1"), "host": Secret(b"new.example")}


def written(url: str = "https://old.example/{{ secrets.key }}", **keys: Any) -> CompiledEndpoint:
    return endpoint("shop", url=url, secrets=[KEY], **keys)


def test_where_a_delivery_goes_stays_and_credentials_do_not() -> None:
    kept = pin(written(method="PUT", headers={}, sign=["github", "stripe"]))
    now = endpoint("shop", url="https://new.example/", secrets=[b"another secret"], timeout="3s")

    there = unpin(kept, now, SECRETS)

    assert there.url == "https://old.example/k-1"
    assert (there.value.method, there.value.sign) == ("PUT", ("github", "stripe"))
    assert (there.value.timeout, there.secrets) == (3.0, now.secrets)
    assert "k-1" in there.hidden


def test_nothing_secret_is_kept() -> None:
    assert b"k-1" not in pin(written())
    assert b"{{ secrets.key }}" in pin(written())


def test_a_host_from_a_secret_stays_one_that_is_not_written() -> None:
    there = unpin(pin(written("https://{{ secrets.host }}/")), endpoint("shop"), SECRETS)

    assert (there.url, there.is_literal) == ("https://new.example/", False)


def test_a_secret_that_is_gone_is_a_problem_of_the_request() -> None:
    with pytest.raises(RequestProblem, match="reads what is not there any more"):
        unpin(pin(written()), endpoint("shop"), {})
