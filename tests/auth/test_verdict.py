from __future__ import annotations

import pytest

from hooksd.auth.verdict import Authentic, authentic


@pytest.mark.parametrize("key", [0, 1, 15, 16, 1000])
def test_a_verdict_names_the_key_that_fitted_whether_it_was_made_before_or_not(key: int) -> None:
    assert authentic(key) == Authentic(key=key)
