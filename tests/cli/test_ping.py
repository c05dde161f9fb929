"""Asking an endpoint whether it works."""

from __future__ import annotations

import orjson

from tests.cli.conftest import DELIVERY, EVENT, Command, FakeDaemon

PING = "POST /api/v1/endpoints/erp/ping"
SENT = {"event": EVENT, "delivery": DELIVERY}


def test_an_endpoint_is_pinged_and_what_came_of_it_can_be_asked(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(PING, 202, SENT)

    result = hooksd("ping", "erp")

    assert (result.status, result.out) == (0, f"event {EVENT}\ndelivery {DELIVERY}  erp\n")
    assert f"hooksd explain {DELIVERY}" in result.err


def test_programs_get_one_object(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(PING, 202, SENT)

    assert orjson.loads(hooksd("ping", "erp", "--json").out) == SENT


def test_an_unknown_endpoint_is_told_in_the_words_of_the_daemon(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says("POST /api/v1/endpoints/a%2Fb/ping", 404, {"title": "Not Found", "detail": "there is no endpoint"})

    result = hooksd("ping", "a/b")

    assert result.status == 1
    assert "there is no endpoint" in result.err
