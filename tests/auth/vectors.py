"""Requests that providers published, or that were derived from them: read where they lie beside the checkout."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hooksd.auth.request import Inbound

FOLDER = Path(__file__).parents[3] / "shared" / "vectors"


def shared_vectors(*names: str) -> list[Any]:
    """Return the vectors of some files, as parameters of a test."""
    files = [FOLDER / name for name in names]
    if not all(file.exists() for file in files):
        return [pytest.param({}, marks=pytest.mark.skip(reason="no shared vectors beside the checkout"))]
    found = [vector for file in files for vector in json.loads(file.read_text())]
    return [pytest.param(vector, id=vector["id"]) for vector in found]


def inbound_of(vector: dict[str, Any]) -> Inbound:
    """Return the request of a vector."""
    url = urlsplit(vector["url"])
    headers = tuple((name.lower(), value.encode().decode("latin-1")) for name, value in vector["headers"])
    media = next((value for name, value in headers if name == "content-type"), "")
    raw = base64.b64decode(vector["body_b64"]) if "body_b64" in vector else vector["body"].encode()
    return Inbound(
        method=vector["method"],
        path=url.path,
        query_string=url.query,
        headers=headers,
        body=raw,
        media=media.partition(";")[0].strip().lower(),
        url=vector["url"],
    )
