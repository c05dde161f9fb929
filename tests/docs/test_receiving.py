from __future__ import annotations

import shutil
from typing import get_args

import pytest

from hooksd.auth.verdict import Reason
from hooksd.model.base import keys_of
from hooksd.model.webhook import Limits, Webhook
from hooksd.web.credentials import CREDENTIAL_HEADERS
from hooksd.web.guard_limits import GuardReason
from hooksd.web.naming import RESERVED
from hooksd.web.refusals import WebReason
from tests.docs.console import carried_out, definitions, examples, page
from tests.end_to_end.daemon import Daemon

TEXT = page("receiving.md")


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples are told with curl")
def test_every_example_does_what_the_page_shows(daemon: Daemon) -> None:
    daemon.write(definitions(TEXT))
    daemon.start()

    for example in examples(TEXT):
        said = carried_out(example, daemon)
        assert example.fits(said), f"$ {example.command}\n{said}"


@pytest.mark.parametrize("key", sorted(keys_of(Webhook) - {"limits"} | {f"limits.{key}" for key in keys_of(Limits)}))
def test_every_key_of_a_webhook_is_described(key: str) -> None:
    assert f"\n| `{key}` |" in TEXT


@pytest.mark.parametrize("reason", [*get_args(Reason), *get_args(WebReason), *get_args(GuardReason)])
def test_every_reason_in_the_log_is_described(reason: str) -> None:
    assert f"`{reason}`" in TEXT


@pytest.mark.parametrize("word", sorted([*CREDENTIAL_HEADERS, *RESERVED]))
def test_every_word_with_a_meaning_of_its_own_is_named(word: str) -> None:
    assert f"`{word}`" in TEXT
