from __future__ import annotations

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from hooksd.config.writing import NotAlone, fresh, path_of, read_one, revised
from hooksd.model.base import Json

BY_HAND = """\
# Leads of the sales people.
version = 1

[webhooks.leads]   # one for all
auth.type   = "none"         # behind the proxy
limits.body = "1MiB"
event       = "lead.created"
"""

keys = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8)
leaves = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8"), max_size=40),
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
)
tables = st.dictionaries(keys, values, max_size=5)


def test_a_new_file_reads_as_a_person_would_write_it() -> None:
    document = {
        "updated_by": "ada",
        "event": "lead.created",
        "created_at": "2026-11-22T12:00:00.000Z",
        "auth": {"type": "bearer", "secret": "credential:leads"},
        "accept": ["application/json"],
        "path": None,
    }

    assert fresh("leads", document) == (
        "version = 1\n"
        "\n"
        "[webhooks.leads]\n"
        'auth.type   = "bearer"\n'
        'auth.secret = "credential:leads"\n'
        'event       = "lead.created"\n'
        'accept      = ["application/json"]\n'
        'created_at  = "2026-11-22T12:00:00.000Z"\n'
        'updated_by  = "ada"\n'
    )


def test_the_file_is_named_for_the_webhook_and_lies_apart() -> None:
    assert path_of("leads") == "webhooks/leads.toml"


@given(name=keys, document=tables)
def test_what_is_written_says_what_was_wanted(name: str, document: dict[str, Json]) -> None:
    assert tomli.loads(fresh(name, document))["webhooks"][name] == document


@given(name=keys, before=tables, after=tables)
def test_what_is_changed_says_what_was_wanted_too(name: str, before: dict[str, Json], after: dict[str, Json]) -> None:
    laid_out = fresh(name, before)

    assert revised(laid_out, name, after) == fresh(name, after)
    assert tomli.loads(revised(f"# by hand\n{laid_out}", name, after))["webhooks"][name] == after


def test_a_change_touches_nothing_else() -> None:
    changed = revised(
        BY_HAND,
        "leads",
        {"auth": {"type": "bearer", "secret": "credential:x"}, "event": "lead.new", "limits": {"body": "1MiB"}},
    )

    assert changed == BY_HAND.replace('"none" ', '"bearer" ').replace("lead.created", "lead.new").replace(
        "limits.body", 'auth.secret = "credential:x"\nlimits.body'
    )


def test_a_table_that_is_new_is_written_flat() -> None:
    changed = revised(BY_HAND, "leads", {**read_one(BY_HAND, "leads"), "made": {"up": {"a": 1}, "b": [{"c": 2}]}})

    assert "made.up.a = 1\n" in changed
    assert tomli.loads(changed)["webhooks"]["leads"]["made"] == {"up": {"a": 1}, "b": [{"c": 2}]}
    assert changed.startswith(BY_HAND.rstrip("\n"))


def test_a_key_that_is_null_goes() -> None:
    assert "event" not in revised(BY_HAND, "leads", {**read_one(BY_HAND, "leads"), "event": None})


def test_null_in_a_list_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="no null"):
        fresh("leads", {"accept": [None]})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("version = 1\n", "does not hold `\\[webhooks.leads\\]`"),
        (BY_HAND + "[webhooks.other]\nauth.type = 'none'\n", "also holds `webhooks.other`"),
        (BY_HAND + "[endpoints.chat]\nurl = 'https://x.example'\n", "also holds `endpoints`"),
        (BY_HAND + "[[steps]]\nfail = 'x'\n", "also holds `steps`"),
    ],
)
def test_a_file_that_holds_anything_else_is_told_from_one_that_does_not(text: str, why: str) -> None:
    with pytest.raises(NotAlone, match=why):
        read_one(text, "leads")


def test_what_cannot_be_edited_in_place_is_written_anew() -> None:
    inline = 'version = 1\nwebhooks = { leads = { auth = { type = "none" } } }\n'
    wanted = {"auth": {"type": "none"}, "event": "lead.created"}

    assert tomli.loads(revised(inline, "leads", wanted))["webhooks"]["leads"] == wanted
