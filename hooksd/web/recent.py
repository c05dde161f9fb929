"""The last deliveries to an endpoint, each with its last exchange: what people look at when something did not arrive.

Pure. `daemon.control` hands in the log, newest record first; it is read twice, so that only what is shown is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from hooksd.model.base import Json
from hooksd.web.delivery_history import Tree, delivery_view

MOST = 100
"""Deliveries that are shown at most, with up to 64 KiB of payload and 64 KiB of answer each."""


def marks(endpoint: str) -> tuple[bytes, ...]:
    """Return what the line of a record holds that is about a delivery to an endpoint, as the log writes it."""
    return (f'"endpoint":"{endpoint}"'.encode(errors="surrogateescape"),)


def recent(read: Callable[[], Iterable[Tree]], endpoint: str, count: int = MOST) -> list[dict[str, Json]]:
    """Show the last deliveries to an endpoint, the last to be created first.

    Args:
        read: Returns the records with the marks of the endpoint, newest first.
        endpoint: Its name.
        count: How many deliveries.
    """
    wanted = _created(read(), endpoint, count)
    records = _records(read(), wanted)
    views = (delivery_view(identifier, records[identifier]) for identifier in wanted)
    return [view for view in views if view is not None]


def _created(trees: Iterable[Tree], endpoint: str, count: int) -> list[str]:
    found: dict[str, None] = {}
    for tree in trees:
        if tree["type"] == "delivery.created" and tree["endpoint"] == endpoint:
            found[tree["delivery"]] = None
            if len(found) == count:
                break
    return list(found)


def _records(trees: Iterable[Tree], wanted: Collection[str]) -> Mapping[str, list[Tree]]:
    """Return of each delivery how it began for the last time, its last attempt since and its end, oldest first."""
    found: dict[str, list[Tree]] = {identifier: [] for identifier in wanted}
    open_ = set(wanted)
    for tree in trees:
        if not open_:
            break
        identifier = tree.get("delivery")
        if identifier not in open_:
            continue
        mine = found[identifier]
        if tree["type"] == "delivery.created":
            open_.discard(identifier)
        elif any(one["type"] == tree["type"] for one in mine):
            continue
        mine.insert(0, tree)
    return found


def masked(value: Json, texts: Collection[str]) -> Json:
    """Return JSON data without some texts, wherever they stand in it.

    Args:
        value: The data.
        texts: Values of secrets.
    """
    match value:
        case str():
            for text in texts:
                value = value.replace(text, "***")
            return value
        case list() | tuple():
            return [masked(item, texts) for item in value]
        case Mapping():
            return {masked(key, texts): masked(item, texts) for key, item in value.items()}
        case _:
            return value
