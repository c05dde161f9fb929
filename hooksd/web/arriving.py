"""From an authentic request to an event: what is kept of it, what it is called, and what it is about.

Pure but for the name of the event. The receiver calls it once for each request that it lets in.
"""

from __future__ import annotations

from collections.abc import Callable

from hooksd.auth.request import Inbound
from hooksd.auth.verdict import Authentic, Observed
from hooksd.clock import rfc3339
from hooksd.config.snapshot import CompiledWebhook
from hooksd.expr.scope import Scope
from hooksd.model import body
from hooksd.model.arrival import Arrival
from hooksd.model.body import Document
from hooksd.model.ids import EventId
from hooksd.model.webhook import UUID
from hooksd.web import credentials, naming
from hooksd.web.bodies import Content
from hooksd.web.body import Unreadable, check_body


def arrival_of(
    webhook: CompiledWebhook,
    request: Inbound,
    verdict: Authentic | Observed,
    now: float,
    content: Content | None,
    new_event: Callable[[], EventId],
) -> Arrival:
    """Return what a request is on its way to be an event.

    Args:
        webhook: Who received it.
        request: The request.
        verdict: What its verifier says.
        now: When it came, in Unix seconds.
        content: Its body, where that is not read in one go.
        new_event: Names it.

    Raises:
        Unreadable: The body or the query is not what it says.
        Unnamed: The request does not say what the event would be called or be about.
    """
    verifier = webhook.verifier
    if content is None:
        hides = verifier.credential_fields or verifier.credential_paths
        raw = credentials.kept_body(request, verifier) if hides else request.body
        media = webhook.media or request.media
        document = check_body(media or body.JSON, raw)
    else:
        document = Document(content.media, content.raw, content.data)
    headers = credentials.kept_headers(request, verifier)
    query = _query(webhook, request) if request.query_string else {}
    said, delivery_id = verifier.event(request, document), verifier.id(request, document)
    scope: Scope = {}
    if _reads(webhook, said):
        scope = {"body": document.value, "headers": headers, "query": query}
    kind = naming.event_type(webhook, said, scope)
    subject = None if webhook.subject is None else naming.subject(webhook, scope)
    if webhook.entry is not None:
        delivery_id = naming.delivery_id(webhook, delivery_id, scope)
    key, observed = (verdict.key, None) if isinstance(verdict, Authentic) else _observed(verdict)
    return Arrival(  # by place: by name takes three times as long
        new_event(),
        kind,
        subject,
        rfc3339(now),
        verifier.trust,
        webhook.name,
        delivery_id,
        headers,
        query,
        document,
        key,
        observed,
        webhook.frame,
    )


def _reads(webhook: CompiledWebhook, said: str | None) -> bool:
    """Tell whether a template of the webhook has to be rendered."""
    if webhook.subject is not None or (webhook.event is not None and not said):
        return True
    return webhook.entry is not None and webhook.entry.dedupe is not None


def _observed(verdict: Observed) -> tuple[int | None, str]:
    """Return the place of the secret that fitted, and what would have been said."""
    found = verdict.found
    return (found.key, "accepted") if isinstance(found, Authentic) else (None, found.reason)


def _query(webhook: CompiledWebhook, request: Inbound) -> dict[str, str]:
    try:
        return credentials.kept_query(request, webhook.verifier, (UUID,) if webhook.value.uuid else ())
    except ValueError as error:
        raise Unreadable(f"the query has more than {credentials.MAX_FIELDS} parameters") from error
