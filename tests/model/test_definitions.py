from __future__ import annotations

from hooksd.model.definitions import Defined, Definitions
from hooksd.model.record import Origin
from hooksd.model.role import Role
from hooksd.model.webhook import Webhook

ORIGIN = Origin(file="a.toml", line=1)
HOOK = Defined(
    name="a",
    value=Webhook.model_validate({"auth": {"type": "none"}}),
    origin=ORIGIN,
    document={"auth": {"type": "none"}},
    digest="sha256:1",
)
ROLE = Defined(name="a", value=Role(), origin=ORIGIN, document={}, digest="sha256:2")


def test_definitions_are_counted_by_kind() -> None:
    counts = Definitions(webhooks={"a": HOOK}, roles={"a": ROLE}).counts()

    assert counts == {"webhooks": 1, "endpoints": 0, "workflows": 0, "roles": 1}


def test_names_are_told_apart_by_kind() -> None:
    digests = Definitions(webhooks={"a": HOOK}, roles={"a": ROLE}).digests()

    assert digests == {"webhook/a": "sha256:1", "role/a": "sha256:2"}
