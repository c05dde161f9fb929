"""Requests for verifiers."""

from __future__ import annotations

from typing import Any

from hooksd.auth.build import build_verifier
from hooksd.auth.request import Inbound
from hooksd.auth.verdict import Authentic, Observed, Refused, Verifier
from hooksd.model.auth import AUTH_MODELS, auth_kind
from hooksd.model.base import Json
from hooksd.model.body import Document
from hooksd.model.secret import Secret

NOW = 1_700_000_000.0
SECRETS = {
    "credential:one": b"the first secret",
    "credential:two": b"the second secret",
    "credential:base64": b"whsec_dGhlIGJhc2U2NCBzZWNyZXQ=",
    "credential:short": b"short",
    "credential:empty": b"",
}


def secret(reference: str) -> Secret:
    return Secret(SECRETS[reference])


def auth(**keys: Any) -> Any:
    """Return an authentication as a file would write it."""
    model: Any = AUTH_MODELS[str(auth_kind(keys))]
    return model.model_validate(keys)


def verifier(**keys: Any) -> Verifier:
    return build_verifier(auth(**keys), secret)


def inbound(body: bytes = b"{}", /, *, media: str = "application/json", query: str = "", **headers: str) -> Inbound:
    """Return a request; `x_name="v"` is the header `x-name`."""
    return Inbound(
        method="POST",
        path="/hooks/x",
        query_string=query,
        headers=tuple((name.replace("_", "-").lower(), value) for name, value in headers.items()),
        body=body,
        media=media,
        url=None,
    )


def verdict(judge: Verifier, request: Inbound, now: float = NOW) -> str:
    """Return `key N` of an authentic request, the reason of a refused one."""
    match judge.verify(request, now):
        case Authentic(key=key):
            return f"key {key}"
        case Refused(reason=reason):
            return reason
        case Observed(found=found):
            return f"observed {found}"


def document(value: Json) -> Document:
    """Return a body that has a value, whatever bytes it came as."""
    return Document("application/json", b"", value)


def said(judge: Verifier, request: Inbound, data: Json) -> tuple[str | None, str | None]:
    """Return the event type and the delivery id that a request says."""
    return judge.event(request, document(data)), judge.id(request, document(data))
