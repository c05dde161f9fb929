"""What the benchmark sends: a push as GitHub would report it, of a given size, and its signature."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

SECRET = "a-secret-of-the-benchmark"
REF = "refs/heads/main"


def push(size: int) -> bytes:
    """Return a JSON body of exactly `size` bytes."""
    commits: list[dict[str, Any]] = []
    body = {
        "ref": REF,
        "after": "9" * 40,
        "deleted": False,
        "repository": {"id": 4711, "full_name": "acme/app", "html_url": "https://github.example/acme/app"},
        "pusher": {"name": "ada", "email": "ada@example.com"},
        "commits": commits,
        "rest": "",
    }
    while len(_dump(body)) + len(_dump(_commit(len(commits)))) + 1 <= size:
        commits.append(_commit(len(commits)))
    body["rest"] = "." * (size - len(_dump(body)))
    return _dump(body)


def signature(body: bytes) -> str:
    """Return the value of `X-Hub-Signature-256`."""
    return "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def _commit(number: int) -> dict[str, Any]:
    return {
        "id": f"{number:040x}",
        "message": f"Change number {number} of the day, and why it was made",
        "timestamp": "2026-11-22T03:28:00Z",
        "author": {"name": "Ada Lovelace", "email": "ada@example.com"},
        "added": ["src/engine.py"],
        "modified": ["README.md"],
    }


def _dump(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
