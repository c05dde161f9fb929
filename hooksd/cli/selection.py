"""Deliveries that had their end, chosen from the log. `deliveries --status` lists them, `redeliver` repeats them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hooksd.cli.moments import happened
from hooksd.journal.reader import LogReader

STATUSES = ("delivered", "exhausted", "gone", "indeterminate")
"""How deliveries end."""
FAILED = "failed"
"""All ends but `delivered`."""

Tree = Mapping[str, Any]

_ENDED = b'"type":"delivery.ended"'
_AGAIN = b'"again":"dlv_'


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which deliveries."""

    since: float | None
    """Unix seconds: they ended then or later."""
    until: float | None
    """Unix seconds: they ended before."""
    statuses: Collection[str]
    endpoint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A delivery and its last end."""

    tree: Tree
    is_again: bool
    """Somebody asked for it again since the beginning of the selection."""

    @property
    def delivery(self) -> str:
        """Its id."""
        return str(self.tree["delivery"])


def statuses_of(word: str) -> tuple[str, ...]:
    """Return the ends that a word stands for."""
    return STATUSES[1:] if word == FAILED else (word,)


def ended(reader: LogReader, selection: Selection) -> Iterator[Ended]:
    """Yield the deliveries that had their end and are not under way again, newest end first, each once.

    Args:
        reader: Reads the log; back to `since`, and no further.
        selection: Which.
    """
    seen: set[str] = set()
    again: set[str] = set()
    found: list[Tree] = []
    for entry in reader.backward((_ENDED, _AGAIN)):
        tree = entry.tree
        if selection.since is not None and happened(tree) < selection.since:
            break
        delivery = tree.get("delivery")
        if tree["type"] == "delivery.created" and tree.get("again"):
            again.add(str(delivery))
            seen.add(str(delivery))  # no end stands behind it, or it was seen: it is under way
        elif tree["type"] == "delivery.ended" and delivery not in seen:
            seen.add(str(delivery))
            found.append(tree)
    wanted = (tree for tree in found if _fits(tree, selection))
    yield from (Ended(tree=tree, is_again=tree["delivery"] in again) for tree in wanted)


def _fits(tree: Tree, selection: Selection) -> bool:
    is_in_time = selection.until is None or happened(tree) < selection.until
    is_there = selection.endpoint is None or tree["endpoint"] == selection.endpoint
    return is_in_time and is_there and tree["status"] in selection.statuses
