"""Fixtures of the tests of deliveries."""

from __future__ import annotations

import pytest

from hooksd.journal.memory import MemoryJournal
from hooksd.testing import FakeClock
from tests.delivery.house import KEY, FakeSender, House, endpoint, snapshot


@pytest.fixture
def house() -> House:
    return House(
        clock=FakeClock(),
        journal=MemoryJournal(),
        sender=FakeSender(),
        snapshot=snapshot(endpoint("shop", secrets=[KEY]), endpoint("ledger")),
    )
