from __future__ import annotations

from hooksd.clock import SystemClock


async def test_waiting_for_no_time_at_all_returns() -> None:
    await SystemClock().sleep(-1)
