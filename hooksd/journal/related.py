"""Which records are about one event, run or delivery. Pure; used by `journal.reader`."""

from __future__ import annotations

from collections.abc import Mapping

from hooksd.instant import unix
from hooksd.model.ids import DELIVERY_PREFIX
from hooksd.model.plain import Json


class Related:
    """Takes the log record by record, oldest first, and learns on the way which runs and deliveries belong to it."""

    def __init__(self, identifier: str) -> None:
        """Begin with one id.

        Args:
            identifier: Of an event (with all its runs), of a run (with its event and its deliveries) or of a delivery.
        """
        self._identifier = identifier
        self._ids = {identifier}
        self._open: set[str] = set()
        self.has_begun = False
        """The record was seen that it began with: no earlier one is about it."""
        self.ended_at: float | None = None
        """When the last of it ended, in Unix seconds; None while something is open or nothing was seen."""

    @property
    def marks(self) -> tuple[bytes, ...]:
        """What the line of a record must hold one of, to be about it."""
        return tuple(identifier.encode() for identifier in self._ids)

    @property
    def marks_again(self) -> tuple[bytes, ...]:
        """What the line of a record holds one of by which a delivery of it begins anew after its end."""
        return tuple(b'"again":"%b"' % one.encode() for one in self._ids if one.startswith(DELIVERY_PREFIX))

    def is_mine(self, tree: Mapping[str, Json]) -> bool:
        """Tell whether a record is about a delivery of it."""
        return tree.get("delivery") in self._ids

    def go_on(self) -> None:
        """Take more: something of it begins anew."""
        self.ended_at = None

    def take(self, tree: Mapping[str, Json]) -> bool:
        """Tell whether a record belongs to it."""
        match tree["type"]:
            case "event.accepted":
                mine = self._event(tree)
            case "delivery.created":
                mine = self._begins(tree["delivery"], tree["run"])
            case "run.ended":
                mine = self._ends(tree["run"])
            case "delivery.ended":
                mine = self._ends(tree["delivery"])
            case _:
                return tree.get("run") in self._ids or tree.get("delivery") in self._ids
        if mine:
            self.ended_at = None if self._open else unix(tree["at"])
        return mine

    def _event(self, tree: Mapping[str, Json]) -> bool:
        event = tree["event"]
        runs = [plan["id"] for plan in (*tree["runs"], *tree.get("deliveries", ()))]
        if self._identifier in (event["id"], *runs):
            self.has_begun = True
        if event["id"] in self._ids:
            self._ids.update(runs)
        mine = self._ids.intersection(runs)
        self._open |= mine
        cause = event["cause"]
        return bool(mine) or event["id"] in self._ids or (cause is not None and cause["run"] in self._ids)

    def _begins(self, delivery: str, run: str) -> bool:
        if delivery not in self._ids and run not in self._ids:
            return False
        self.has_begun = self.has_begun or delivery == self._identifier
        self._ids.add(delivery)
        self._open.add(delivery)
        return True

    def _ends(self, identifier: str) -> bool:
        self._open.discard(identifier)
        return identifier in self._ids
