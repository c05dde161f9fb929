"""Events that hooksd itself sends, and who gets them: whoever names them. Pure.

What happens to a configuration or to a run is for those who look after it. An endpoint of somebody else's that asks for
everything means everything of its own kind, and no diagnostics with lines of files in them.
"""

from __future__ import annotations

OWN_FAMILIES = frozenset({"workflow", "config", "daemon", "log"})
"""What the types of hooksd's own events begin with."""

PING = "ping"
"""The type of the event that asks an endpoint whether it works. It is sent to one endpoint, subscribed or not."""


def reaches(pattern: str, event_type: str) -> bool:
    """Tell whether an entry of `subscribe` that fits an event reaches it, too.

    Args:
        pattern: The entry. One that names a family of hooksd's own events reaches those of that family.
        event_type: The type of the event.
    """
    family = event_type.partition(".")[0]
    return family not in OWN_FAMILIES or pattern.startswith(f"{family}.")
