from __future__ import annotations

from hooksd.delivery.lanes import Lanes

LANE = ("shop", "order 7")


def test_the_first_goes_and_the_next_follows_when_it_has_ended() -> None:
    lanes = Lanes()

    assert [lanes.enter(LANE, name) for name in "abc"] == [True, False, False]
    assert lanes.enter(("shop", "order 8"), "x")
    assert lanes.leave(LANE, "a") == "b"
    assert lanes.leave(LANE, "b") == "c"
    assert lanes.leave(LANE, "c") is None
    assert lanes.enter(LANE, "d")


def test_one_that_ends_out_of_turn_moves_nobody() -> None:
    lanes = Lanes()
    for name in "abc":
        lanes.enter(LANE, name)

    assert lanes.leave(LANE, "b") is None
    assert lanes.leave(LANE, "a") == "c"
