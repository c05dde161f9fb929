"""Definitions that deliveries keep: `retry_target = "pinned"`. Pure.

A delivery keeps where it goes and how: URL, method, headers and signature, as templates, so that no secret is kept with
them. Secrets, credentials and limits are those of the definition in force: one that was rotated must work.
Called by `delivery.courier`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import orjson

from hooksd.config.endpoints import is_literal_host, reads_event
from hooksd.config.snapshot import CompiledEndpoint
from hooksd.delivery.request import RequestProblem
from hooksd.expr.problem import ExpressionProblem, RenderProblem
from hooksd.expr.template import compile_template
from hooksd.model.secret import Secret

KEPT = ("url", "method", "headers", "sign")
"""What a delivery keeps."""


def pin(endpoint: CompiledEndpoint) -> bytes:
    """Return what a delivery keeps of an endpoint, as it is written: bytes for a blob."""
    return orjson.dumps({key: getattr(endpoint.value, key) for key in KEPT}, default=dict)


def unpin(kept: bytes, endpoint: CompiledEndpoint, secrets: Mapping[str, Secret]) -> CompiledEndpoint:
    """Return an endpoint as it was, with the credentials that it has now.

    Args:
        kept: What `pin` returned.
        endpoint: As it is defined now.
        secrets: Those that definitions may read, by name.

    Raises:
        RequestProblem: A secret that it read is not there any more.
    """
    document = orjson.loads(kept)
    value = endpoint.value.model_copy(update={**document, "sign": tuple(document["sign"])})
    texts = {name: secret.reveal().decode("utf-8", "replace") for name, secret in secrets.items()}
    scope = {"secrets": texts}
    try:
        address = compile_template(value.url)
        # Those that read the event are with the delivery already.
        templates = {name: compile_template(text) for name, text in value.headers.items()}
        templates = {name: template for name, template in templates.items() if not reads_event(template)}
        url, headers = address.text(scope), {name: template.text(scope) for name, template in templates.items()}
    except (ExpressionProblem, RenderProblem) as problem:
        raise RequestProblem(f"the endpoint as it was pinned reads what is not there any more: {problem}") from problem
    read = {name.removeprefix("secrets.") for template in (address, *templates.values()) for name in template.names}
    return replace(
        endpoint,
        value=value,
        url=url,
        headers=headers,
        is_literal=is_literal_host(value.url),
        hidden=(*endpoint.hidden, *(texts[name] for name in read if name in texts)),
    )
