"""What a webhook asks of requests, made ready for the receiver. Called by `config.build`."""

from __future__ import annotations

from hooksd.auth.coverage import leaves
from hooksd.auth.presets import expand
from hooksd.config.body_schema import BodySchema
from hooksd.config.snapshot import CompiledWebhook, Entry
from hooksd.expr.template import compile_template
from hooksd.model.auth import Auth, BasicAuth, BearerAuth, NoneAuth, SnsAuth, TokenAuth
from hooksd.model.base import Json
from hooksd.model.body import JSON
from hooksd.model.network import networks
from hooksd.model.webhook import Webhook

_IN_HEAD = ("header:", "query:")


def entry_of(webhook: Webhook, document: Json, known: CompiledWebhook | None) -> Entry | None:
    """Return what a webhook asks beyond what every webhook asks; None when that is nothing.

    Args:
        webhook: The webhook.
        document: The schema that it names; None without one.
        known: The webhook of this name that is in force: its schema is used again if it is this one.

    Raises:
        SchemaProblem: The schema is none.
        ExpressionProblem: `dedupe` does not compile.
    """
    entry = Entry(
        allowed=None if webhook.allow_ips is None else networks(webhook.allow_ips),
        rates=webhook.rate,
        unpacks="gzip" in webhook.accept_encoding,
        schema=None if document is None else _schema(document, known),
        dedupe=compile_template(webhook.dedupe) if isinstance(webhook.dedupe, str) else None,
        takes_all=webhook.dedupe is False,
    )
    return None if entry == Entry() else entry


def document_of(webhook: CompiledWebhook) -> Json:
    """Return the schema that a compiled webhook has; None without one."""
    return webhook.entry.schema.document if webhook.entry is not None and webhook.entry.schema is not None else None


def _schema(document: Json, known: CompiledWebhook | None) -> BodySchema:
    if known is not None and known.entry is not None and known.entry.schema is not None:
        schema = known.entry.schema
        if schema.document is document:
            return schema
    return BodySchema(document)


def media_of(auth: Auth) -> str | None:
    """Return what bodies are whatever their callers call them: Amazon SNS sends JSON and calls it text.

    Raises:
        AuthProblem: There is no such preset.
    """
    return JSON if any(isinstance(part, SnsAuth) for part in leaves(expand(auth))) else None


def reads_body(auth: Auth) -> bool:
    """Tell whether the body takes part in the proof of who calls. What nobody thought of here does.

    Raises:
        AuthProblem: There is no such preset.
    """
    match expand(auth):
        case NoneAuth() | BearerAuth() | BasicAuth():
            return False
        case TokenAuth(token=token):
            return not token.startswith(_IN_HEAD)
        case _:
            return True
