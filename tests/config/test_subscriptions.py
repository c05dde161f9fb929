from __future__ import annotations

from collections.abc import Mapping

import pytest

from hooksd.config.snapshot import Snapshot
from hooksd.config.subscriptions import endpoints_by_event, workflows_by_event
from tests.config.sets import snapshot, workflow

ENTRIES: Mapping[str, str] = {
    "a.toml": '["x", "y.*"]',
    "b.toml": '"x"',
    "c.toml": '["webhook:shop", "y.*"]',
    "d.toml": '["webhookId:shop", "webhook:*"]',
    "e.toml": '"manual"',
}
SHOP = "[webhooks.shop]\nauth.type = 'none'\n"


def files(entries: Mapping[str, str] = ENTRIES) -> dict[str, str]:
    return {name: workflow(on) for name, on in entries.items()} | {"shop.toml": f"version = 1\n{SHOP}"}


def listeners(found: Snapshot) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    plain, patterns = workflows_by_event(found.workflows, None)
    return {entry: [item.name for item in items] for entry, items in plain.items()}, [
        (entry, item.name) for entry, item in patterns
    ]


def test_workflows_are_found_by_each_entry_and_webhooks_by_one_spelling() -> None:
    plain, patterns = listeners(snapshot(files()))
    assert plain == {"x": ["a", "b"], "webhook:shop": ["c", "d"]}
    assert patterns == [("y.*", "a"), ("y.*", "c"), ("webhook:*", "d")]


def test_nothing_leads_to_a_workflow_that_is_started_by_hand() -> None:
    plain, patterns = listeners(snapshot({"e.toml": workflow('"manual"')}))
    assert (plain, patterns) == ({}, [])


CHANGES: Mapping[str, dict[str, str]] = {
    "what one does": {"a.toml": workflow(ENTRIES["a.toml"], 'when = "body.x"')},
    "what all do": {name: workflow(on, 'when = "body.x"') for name, on in ENTRIES.items()},
    "what one listens to": {"b.toml": workflow('["z", "y.*"]')},
    "one more": {"f.toml": workflow('"x"')},
    "another name": {"b.toml": "version = 1", "bb.toml": workflow('"x"')},
    "nothing": {},
}


@pytest.mark.parametrize("change", CHANGES)
def test_after_a_change_the_workflows_are_found_as_if_there_had_been_none_before(change: str) -> None:
    first = snapshot(files())
    changed = files() | CHANGES[change]
    second, fresh = snapshot(changed, previous=first), snapshot(changed)
    assert second.subscriptions.keys() == fresh.subscriptions.keys()
    assert all(item is second.workflows[item.name] for items in second.subscriptions.values() for item in items)
    assert all(item is second.workflows[item.name] for _, item in second.patterns)
    assert listeners(second) == listeners(fresh)
    assert workflows_by_event(second.workflows, first) == workflows_by_event(second.workflows, None)


def test_endpoints_are_found_by_what_they_subscribe_to_in_the_order_of_their_names() -> None:
    text = "version = 1\n" + "".join(
        f'[endpoints.{name}]\nurl = "https://{name}.example/"\nsubscribe = {entries}\n'
        for name, entries in {"b": '["x", "y.*"]', "a": '["x"]', "c": "[]"}.items()
    )
    plain, patterns = endpoints_by_event(snapshot({"e.toml": text}).endpoints.values())
    assert {entry: [item.name for item in items] for entry, items in plain.items()} == {"x": ["a", "b"]}
    assert [(entry, item.name) for entry, item in patterns] == [("y.*", "b")]
