"""Which events can arise from definitions: what webhooks receive, workflows emit, and hooksd says of itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from hooksd.auth.naming import says_what_happened
from hooksd.config.checks.written import Kind, raw_steps, text_of
from hooksd.model.base import Json
from hooksd.model.patterns import can_overlap
from hooksd.model.webhook import Webhook

SENDERS: tuple[Kind, ...] = ("webhook", "workflow")
"""Kinds of definitions that events come from."""
OWN_EVENTS = ("config.applied", "config.rejected", "config.held")
"""Events of hooksd itself that belong to no workflow."""
ENDINGS = ("succeeded", "failed", "cancelled", "timed_out", "skipped", "superseded")
"""How runs end: `workflow.NAME.ENDING` is an event."""


class Events:
    """The types of all events that can arise, indexed: there may be many thousands."""

    def __init__(self, patterns: Iterable[str]) -> None:
        """Take types of events, with `*` for what is known only later."""
        every = {*OWN_EVENTS, *patterns}
        self.plain = frozenset(pattern for pattern in every if "*" not in pattern)
        """Those without `*`."""
        families = {pattern for pattern in every if pattern.endswith(".*") and pattern.count("*") == 1}
        self._families = frozenset(pattern[:-1] for pattern in families)
        self._others = tuple(every - families - self.plain)

    def may_be(self, entry: str) -> bool:
        """Tell whether some event can fit an entry of `on`."""
        if "*" in entry:
            wide = (*self.plain, *(f"{family}*" for family in self._families), *self._others)
            return any(can_overlap(entry, pattern) for pattern in wide)
        prefixes = (entry[: dot.end()] for dot in re.finditer(r"\.", entry))
        return (
            entry in self.plain
            or any(prefix in self._families for prefix in prefixes)
            or any(can_overlap(entry, pattern) for pattern in self._others)
        )


def sends(kind: Kind, name: str, table: Mapping[str, Json], value: object) -> Iterator[str]:
    """Yield the types of the events that a definition gives rise to, as patterns.

    Args:
        kind: Of the definition.
        name: Of the definition.
        table: As it is written.
        value: Its model; None when it has errors.
    """
    if kind == "workflow":
        yield from (f"workflow.{name}.{ending}" for ending in ENDINGS)
        for _, _, step in raw_steps(table):
            if emitted := text_of(step, "emit"):
                yield pattern_of(emitted)
    elif kind == "webhook":
        yield pattern_of(text_of(table, "event") or f"webhook.{name}")
        if _names_events(value):
            yield f"{name}.*"


def pattern_of(template: str) -> str:
    """Return a pattern that every text fits that a template can become."""
    return re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "*", template, flags=re.DOTALL)


def _names_events(webhook: object) -> bool:
    """Tell whether the provider names the event; of a webhook with errors nothing is known, so it might."""
    return not isinstance(webhook, Webhook) or says_what_happened(webhook.auth)
