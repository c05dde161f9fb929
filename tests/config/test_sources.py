from __future__ import annotations

from hooksd.config.settings import Settings
from hooksd.config.sources import NAMES


def test_every_setting_is_known_where_settings_are_read() -> None:
    assert set(Settings.model_fields) == NAMES
