from __future__ import annotations

import pytest

from hooksd.model.trust import TRUST_LABELS, Trust, trust_of


def test_trust_is_ordered_from_nobody_to_ourselves() -> None:
    assert TRUST_LABELS == ("anonymous", "token", "signed", "local")
    assert sorted(Trust) == [trust_of(label) for label in TRUST_LABELS]


@pytest.mark.parametrize("trust", Trust)
def test_a_label_names_its_trust(trust: Trust) -> None:
    assert trust_of(trust.label) is trust


def test_another_word_names_none() -> None:
    with pytest.raises(KeyError):
        trust_of("root")
