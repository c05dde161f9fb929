from __future__ import annotations

from pathlib import Path

import pytest

from hooksd.config.settings import Settings
from hooksd.config.sources import NAMES, read_sources


def test_every_setting_is_known_where_settings_are_read() -> None:
    assert set(Settings.model_fields) == NAMES


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'listen = "a:1"\r\n\r\nlisten = "b:2"\r\n', ":3:1: `listen` has a value already; remove one of them"),
        (b'listen = "a:1\n', ":1:14: the text is not closed on its line; close it"),
        (b"listen = +\n", ":1:10: invalid value"),
        (b"\xff\n", ": byte 0 is not UTF-8; save the file as UTF-8"),
        (b'\xef\xbb\xbflisten = "a:1"\n', ": it starts with a byte order mark; save the file as UTF-8"),
        (b"x = " + b"9" * 5000, ": Exceeds the limit"),
    ],
    ids=["twice", "open", "value", "bytes", "mark", "digits"],
)
def test_a_broken_file_of_settings_is_told_where_it_broke(data: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "hooksd.toml"
    file.write_bytes(data)

    [problem] = read_sources(file, {}).problems

    assert problem.startswith(f"{file}{said}")
