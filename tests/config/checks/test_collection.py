from __future__ import annotations

import pytest

from hooksd.config.checks.collection import collect, renew
from hooksd.config.checks.written import Kind, Written
from hooksd.model.base import Json
from hooksd.model.role import Role
from hooksd.model.webhook import Webhook


def written(kind: Kind, name: str, file: str = "a.toml", **table: object) -> Written:
    return Written(kind=kind, name=name, file=file, line=1, path=(f"{kind}s", name), table=table, value=None, digest="")


def test_the_first_of_two_definitions_counts_and_the_second_is_told() -> None:
    first, second = written("role", "r"), written("role", "r", "b.toml")
    collection, (finding,) = collect([first, second])
    assert collection.roles["r"] is first
    assert (finding.code, finding.file, finding.related[0].file) == ("H030", "b.toml", "a.toml")


def test_definitions_of_different_kinds_may_share_a_name() -> None:
    kinds: tuple[Kind, ...] = ("webhook", "endpoint", "workflow", "role")
    collection, findings = collect([written(kind, "same") for kind in kinds])
    assert findings == []
    assert all(collection.of(kind)["same"].kind == kind for kind in kinds)


def test_a_default_path_and_a_written_one_collide_too() -> None:
    _, (finding,) = collect([written("webhook", "a", path="/hooks/b"), written("webhook", "b")])
    assert finding.code == "H031"
    assert "`/hooks/b`" in finding.message


@pytest.mark.parametrize(
    ("first", "second", "collides"),
    [
        ({"uuid": "1"}, {"uuid": "2"}, False),
        ({"uuid": "1"}, {"uuid": "1"}, True),
        ({"uuid": "1", "path": "/a"}, {"uuid": "1"}, False),
        ({"uuid": "1"}, {"path": "/hooks"}, True),
        ({"path": "/hooks"}, {"uuid": "1"}, True),
        ({"uuid": "1"}, {}, False),
    ],
)
def test_webhooks_share_a_path_only_where_each_has_a_uuid_of_its_own(
    first: dict[str, Json], second: dict[str, Json], *, collides: bool
) -> None:
    _, findings = collect([written("webhook", "a", **first), written("webhook", "b", **second)])

    assert [finding.code for finding in findings] == (["H031"] if collides else [])


def test_only_values_of_the_right_kind_are_handed_out() -> None:
    role = Role(allow=())
    item = Written(kind="role", name="r", file="a", line=1, path=(), table={}, value=role, digest="")
    collection, _ = collect([item, written("role", "broken")])
    assert collection.value("role", "r", Role) is role
    assert collection.value("role", "r", Webhook) is None
    assert collection.value("role", "broken", Role) is None
    assert collection.value("role", "missing", Role) is None


def test_a_definition_that_says_something_else_takes_the_place_of_the_one_of_its_name() -> None:
    items = [written("webhook", "a"), written("workflow", "a"), written("role", "r"), written("webhook", "b", uuid="1")]
    known, _ = collect(items)
    for place, item in enumerate(items):
        other = written(item.kind, item.name, more=1, **item.table)
        assert renew(known, [other]) == collect([*items[:place], other, *items[place + 1 :]])[0] != known
    assert renew(known, []) == known


@pytest.mark.parametrize("table", [{"path": "/hooks/b"}, {"uuid": "1"}])
def test_whether_another_path_is_free_cannot_be_told_without_all_webhooks(table: dict[str, Json]) -> None:
    known, _ = collect([written("webhook", "a"), written("webhook", "b")])
    assert renew(known, [written("webhook", "a", **table)]) is None


def test_which_of_two_files_comes_first_cannot_be_told_without_all_definitions() -> None:
    known, _ = collect([written("role", "r", "b.toml")])
    assert renew(known, [written("role", "r", "a.toml")]) is None
