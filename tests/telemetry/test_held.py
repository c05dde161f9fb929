from __future__ import annotations

from hooksd.telemetry.metrics import Metrics


def test_an_endpoint_is_a_series_for_each_reason_while_it_is_held() -> None:
    metrics = Metrics()
    held: list[tuple[str, str]] = []
    metrics.watch_held(lambda: held)
    assert b"hooksd_endpoint_held{" not in metrics.render()

    held.extend([("shop", "breaker"), ("shop", "receiver")])
    text = metrics.render()
    assert b'hooksd_endpoint_held{endpoint="shop",reason="breaker"} 1.0' in text
    assert b'hooksd_endpoint_held{endpoint="shop",reason="receiver"} 1.0' in text

    held.clear()
    assert b"hooksd_endpoint_held{" not in metrics.render()


def test_before_anybody_can_say_nothing_is_held() -> None:
    assert b"# TYPE hooksd_endpoint_held gauge" in Metrics().render()
