from __future__ import annotations

import pytest

from hooksd.config.entry import document_of, entry_of, media_of, reads_body
from hooksd.config.snapshot import Entry
from hooksd.model.base import Json
from hooksd.model.rate import Rate
from hooksd.model.webhook import Webhook
from tests.config.sets import snapshot

LEAD = '{"type": "object", "required": ["email"]}'


def webhook(**keys: Json) -> Webhook:
    return Webhook.model_validate({"auth": {"type": "none"}, **keys})


def test_a_webhook_without_options_asks_nothing_and_costs_nothing() -> None:
    assert entry_of(webhook(), None, None) is None
    assert entry_of(webhook(limits={"body": "1KB"}, answer="none", methods=["PUT"]), None, None) is None


def test_every_option_is_made_ready() -> None:
    entry = entry_of(
        webhook(
            allow_ips="192.0.2.0/24",
            rate=["5/1m", "1/1s per address"],
            accept_encoding=["gzip"],
            dedupe="{{ body.id }}",
        ),
        {"type": "object"},
        None,
    )

    assert entry is not None
    assert [str(network) for network in entry.allowed or ()] == ["192.0.2.0/24"]
    assert entry.rates == (Rate(count=5, seconds=60), Rate(count=1, seconds=1, per_address=True))
    assert entry.unpacks
    assert entry.dedupe is not None
    assert entry.dedupe.text({"body": {"id": 7}}) == "7"
    assert entry.schema is not None
    assert entry.schema.violations(5)
    assert entry_of(webhook(dedupe=False), None, None) == Entry(takes_all=True)


@pytest.mark.parametrize(
    ("auth", "reads"),
    [
        ({"type": "none"}, False),
        ({"type": "bearer", "secret": "env:X"}, False),
        ({"type": "basic", "username": "a", "password": "env:X"}, False),
        ({"type": "token", "token": "header:X-Token", "secret": "env:X"}, False),
        ({"type": "token", "token": "query:t", "secret": "env:X"}, False),
        ({"type": "token", "token": "form:t", "secret": "env:X"}, True),
        ({"type": "token", "token": "json:t", "secret": "env:X"}, True),
        ({"type": "hmac", "header": "X-Signature", "secret": "env:X"}, True),
        ({"preset": "github", "secret": "env:X"}, True),
        ({"preset": "gitlab", "secret": "env:X"}, False),
    ],
)
def test_the_body_is_only_waited_for_where_it_proves_something(auth: Json, reads: bool) -> None:  # noqa: FBT001
    assert reads_body(webhook(auth=auth).auth) is reads


HOOK = 'version = 1\n[webhooks.lead]\nauth.type = "none"\nschema = "schemas/lead.json"\n'


def test_a_schema_is_compiled_once_as_long_as_neither_it_nor_the_webhook_changes() -> None:
    files = {"lead.toml": HOOK, "schemas/lead.json": LEAD}
    first = snapshot(files)
    second = snapshot({**files, "schemas/lead.json": '{"type": "object"}'}, previous=first)

    assert document_of(first.webhooks["lead"]) == {"type": "object", "required": ["email"]}
    assert document_of(second.webhooks["lead"]) == {"type": "object"}
    assert first.definitions.digests() != second.definitions.digests()
    assert document_of(snapshot({"a.toml": 'version = 1\n[webhooks.a]\nauth.type = "none"\n'}).webhooks["a"]) is None


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        ({"preset": "sns", "topics": "arn:x"}, "application/json"),
        ({"type": "any", "of": [{"preset": "sns", "topics": "arn:x"}, {"type": "bearer"}]}, "application/json"),
        ({"preset": "github"}, None),
        ({"type": "none"}, None),
    ],
)
def test_bodies_of_amazon_sns_are_json_whatever_they_are_called(auth: Json, expected: str | None) -> None:
    assert media_of(Webhook.model_validate({"auth": auth}).auth) == expected
