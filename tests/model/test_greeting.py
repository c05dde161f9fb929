from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hooksd.model.greeting import Handshake


def test_a_handshake_is_data_as_presets_write_it() -> None:
    rule = Handshake.model_validate({"method": "GET", "when": {"query:a": True}, "reply": {"json": {"b": 1}}})

    data = rule.data()

    assert data["reply"]["json"] == {"b": 1}
    assert (data["method"], data["signed"], data["when"]) == ("GET", False, {"query:a": True})
    assert "json" not in Handshake.model_validate({"reply": {}}).data()["reply"]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"reply": {}, "method": "PUT"},
        {"reply": {"status": 404}},
        {"reply": {}, "when": {"a": True}},
        {"reply": {}, "when": {"query:a": 1.5}},
        {"reply": {"headers": {"a b": "c"}}},
        {"reply": {"headers": {"a\r\nb": "c"}}},
    ],
)
def test_what_is_no_handshake_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Handshake.model_validate(wrong)
