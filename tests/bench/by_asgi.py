"""The daemon without its short way: every request goes through ASGI. Run by `servers`."""

from __future__ import annotations

from typing import Any

from hooksd.cli.main import main
from hooksd.daemon import server
from hooksd.web.guard import GuardedProtocol


def by_asgi(*arguments: Any, application: object, **options: Any) -> GuardedProtocol:
    """Make the protocol that knows no application."""
    return GuardedProtocol(*arguments, **options)


if __name__ == "__main__":
    vars(server).update(DirectProtocol=by_asgi)  # there is no setting: only the benchmark has a reason to choose
    main()
