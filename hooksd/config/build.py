"""From checked definitions to a snapshot: every expression compiled once, every secret read, every lookup indexed.

Called by `daemon.reload` in a thread, after `config.load` found no error; the engine compiles the workflows of
unfinished runs with `compile_workflow` when it recovers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, lru_cache

from hooksd.auth.handshake import build_greeter
from hooksd.config.body_schema import BodySchema
from hooksd.config.build_problem import blamed
from hooksd.config.endpoints import (
    authorization_of,
    credentials_in,
    grant_of,
    identity_of,
    is_literal_host,
    reads_event,
)
from hooksd.config.entry import document_of, entry_of, media_of, reads_body
from hooksd.config.secrets import SecretStore
from hooksd.config.snapshot import (
    CompiledEndpoint,
    CompiledStep,
    CompiledWebhook,
    CompiledWorkflow,
    Revision,
    Snapshot,
)
from hooksd.config.subscriptions import endpoints_by_event, workflows_by_event
from hooksd.config.verifiers import Verifiers
from hooksd.expr.condition import Condition, compile_condition
from hooksd.expr.template import Template, Value, compile_template, compile_value
from hooksd.model.base import Json
from hooksd.model.definitions import Defined, Definitions
from hooksd.model.endpoint import Endpoint
from hooksd.model.members import Members, is_plain
from hooksd.model.permission import least_trust
from hooksd.model.secret import Secret
from hooksd.model.step import SaveStep, Step, verb_of
from hooksd.model.webhook import Webhook
from hooksd.model.workflow import Phase, Workflow, step_key

TEMPLATED = frozenset(
    {"run", "env", "stdin", "http", "json", "text", "form", "headers", "query", "emit", "subject", "set", "respond"}
    | {"data", "fail", "mail", "cc", "bcc", "reply_to", "to"}
)
"""The keys of steps whose texts are templates, by the file's spelling. `shell` and `send` are constants by design."""

JSON_KEYS = frozenset({"json", "data", "respond"})
"""Keys for which null is a value; elsewhere it means that the key is not there."""

_SECRETS = "secrets."
PHASES: tuple[Phase, ...] = ("steps", "on_failure", "finally")


def build(
    definitions: Definitions,
    revision: Revision,
    secrets: SecretStore,
    previous: Snapshot | None = None,
    verifiers: Verifiers | None = None,
    pause: Callable[[], None] = lambda: None,
) -> Snapshot:
    """Make everything that the hot path needs from definitions that `config.load` found no error in.

    Workflows and webhooks that have not changed since `previous` are not compiled again, unless a secret of the webhook
    has changed on disk. Endpoints always are.

    Args:
        definitions: The set to put in force.
        revision: Which content this is.
        secrets: Where references to secrets are read.
        previous: The snapshot in force, to reuse what it compiled.
        verifiers: Those of the webhooks, as they were checked. Default: new ones.
        pause: Called for each definition, to let others have their turn.

    Raises:
        BuildProblem: A definition cannot be put in force after all: a secret vanished between the check and now, or the
            check overlooked something.
    """
    webhooks = _webhooks(definitions, secrets, verifiers or Verifiers(secrets), previous, pause)
    workflows = _workflows(definitions, previous, pause)
    read = _secrets_of(workflows.values(), secrets)
    endpoints, own = _endpoints(definitions, secrets, previous, pause)
    subscriptions, patterns = workflows_by_event(workflows, previous)
    receivers, receiver_patterns = endpoints_by_event(endpoints.values())
    enabled = [item for item in webhooks.values() if item.value.enabled]
    return Snapshot(
        revision=revision,
        definitions=definitions,
        webhooks=webhooks,
        by_path={item.path: item for item in enabled if item.value.uuid is None},
        by_uuid={(item.path, item.value.uuid): item for item in enabled if item.value.uuid},
        workflows=workflows,
        endpoints=endpoints,
        roles={name: role.value for name, role in definitions.roles.items()},
        secrets={**read, **own},
        subscriptions=subscriptions,
        patterns=patterns,
        receivers=receivers,
        receiver_patterns=receiver_patterns,
    )


def _webhooks(
    definitions: Definitions,
    secrets: SecretStore,
    verifiers: Verifiers,
    previous: Snapshot | None,
    pause: Callable[[], None],
) -> dict[str, CompiledWebhook]:
    same = _same_webhooks(definitions, previous, verifiers) if previous else {}
    compiled: dict[str, CompiledWebhook] = {}
    for name, webhook in definitions.webhooks.items():
        if name in same:
            compiled[name] = same[name]
            continue
        pause()
        with blamed(webhook.origin):
            document = definitions.schemas.get(webhook.value.schema_ or "")
            compiled[name] = _webhook(webhook, secrets, verifiers, previous, document)
    return compiled


def _workflows(
    definitions: Definitions, previous: Snapshot | None, pause: Callable[[], None]
) -> dict[str, CompiledWorkflow]:
    same = _same_workflows(definitions, previous) if previous else {}
    compiled: dict[str, CompiledWorkflow] = {}
    for name, workflow in definitions.workflows.items():
        if name in same:
            compiled[name] = same[name]
            continue
        pause()
        with blamed(workflow.origin):
            compiled[name] = _workflow(workflow, previous)
    return compiled


def _secrets_of(workflows: Iterable[CompiledWorkflow], secrets: SecretStore) -> dict[str, Secret]:
    """Return the secrets that workflows read, by name."""
    read: dict[str, Secret] = {}
    for workflow in workflows:
        if workflow.secrets:
            with blamed(workflow.origin):
                read.update(_read(secrets, workflow.secrets - read.keys()))
    return read


def _endpoints(
    definitions: Definitions, secrets: SecretStore, previous: Snapshot | None, pause: Callable[[], None]
) -> tuple[dict[str, CompiledEndpoint], dict[str, Secret]]:
    """Return the endpoints, and the secrets that their texts read, by name."""
    compiled: dict[str, CompiledEndpoint] = {}
    read: dict[str, Secret] = {}
    for name, endpoint in definitions.endpoints.items():
        pause()
        with blamed(endpoint.origin):
            own = _read(secrets, _secrets_in(_endpoint_names(endpoint.value)))
            compiled[name] = _endpoint(endpoint, secrets, own, _schema(endpoint, definitions, previous))
            read.update(own)
    return compiled, read


def _same_webhooks(definitions: Definitions, previous: Snapshot, verifiers: Verifiers) -> dict[str, CompiledWebhook]:
    """Return what was compiled of webhooks that have not changed, nor their secrets, and ask for nothing unusual."""
    before, compiled = previous.definitions.webhooks, previous.webhooks
    same = {name: compiled[name] for name, item in definitions.webhooks.items() if before.get(name) is item}
    return {
        name: known
        for name, known in same.items()
        if known.entry is None and known.greeter is None and verifiers.has(known.value.auth, known.verifier)
    }


def _same_workflows(definitions: Definitions, previous: Snapshot) -> dict[str, CompiledWorkflow]:
    """Return what was compiled of workflows that have not changed."""
    before, compiled = previous.definitions.workflows, previous.workflows
    return {name: compiled[name] for name, item in definitions.workflows.items() if before.get(name) is item}


def compile_workflow(defined: Defined[Workflow]) -> CompiledWorkflow:
    """Compile the expressions of one workflow.

    Raises:
        ExpressionProblem: One of them does not compile.
    """
    workflow = defined.value
    when, concurrency = _condition(workflow.when), _template(workflow.concurrency)
    steps = {phase: _steps(workflow, phase) for phase in PHASES}
    compiled: list[Condition | Template | Value | None] = [when, concurrency]
    for step in (step for phase in PHASES for step in steps[phase]):
        compiled += [step.condition, *step.values.values()]
    return CompiledWorkflow(
        name=defined.name,
        value=workflow,
        origin=defined.origin,
        digest=defined.digest,
        document=defined.document,
        when=when,
        concurrency=concurrency,
        steps=steps["steps"],
        on_failure=steps["on_failure"],
        finally_=steps["finally"],
        trust=least_trust(workflow.trust, workflow.run_as),
        reads=_read_by(when, concurrency),
        members=_members_of_body(when, concurrency),
        secrets=_secrets_in(name for item in compiled if item is not None for name in item.names),
    )


def _workflow(defined: Defined[Workflow], previous: Snapshot | None) -> CompiledWorkflow:
    known = previous.workflows.get(defined.name) if previous else None
    if known is None or known.digest != defined.digest:
        return compile_workflow(defined)
    # What it says has not changed, where it stands may have: another file, or lines above it.
    return known if known.origin == defined.origin else replace(known, origin=defined.origin)


def _steps(workflow: Workflow, phase: Phase) -> tuple[CompiledStep, ...]:
    return tuple(_step(phase, index, step) for index, step in enumerate(workflow.phase(phase)))


def _step(phase: Phase, index: int, step: Step) -> CompiledStep:
    condition = _condition(step.if_)
    values = {key: compile_value(value) for key, value in (*_templated(step), *_bare(step))}
    return CompiledStep(
        key=step_key(phase, index, step.id),
        phase=phase,
        index=index,
        verb=verb_of(step) or "",
        value=step,
        condition=condition,
        values=values,
        reads=_read_by(condition, *values.values()),
    )


def _templated(step: Step) -> Iterator[tuple[str, Json]]:
    """Yield the keys of a step that were written and may hold templates, as JSON data."""
    for name, key in _templated_keys(type(step)):
        if name not in step.model_fields_set:
            continue
        value = getattr(step, name)
        if value is not None or key in JSON_KEYS:
            yield key, list(value) if isinstance(value, tuple) else value


@cache
def _templated_keys(kind: type[Step]) -> tuple[tuple[str, str], ...]:
    """Return the keys that may hold templates in steps of one kind: by the model's spelling and by the file's."""
    keys = ((name, field.alias or name) for name, field in kind.model_fields.items())
    return tuple((name, key) for name, key in keys if key in TEMPLATED)


def _bare(step: Step) -> Iterator[tuple[str, Json]]:
    """Yield what is an expression without braces and gives a value, as the template that gives the same."""
    if isinstance(step, SaveStep):
        yield "save", f"{{{{ {step.save} }}}}"


def _webhook(
    defined: Defined[Webhook], secrets: SecretStore, verifiers: Verifiers, previous: Snapshot | None, document: Json
) -> CompiledWebhook:
    webhook = defined.value
    known = previous.webhooks.get(defined.name) if previous else None
    verifier = verifiers.of(webhook.auth)
    # The same verifier has the same secrets; what answers handshakes may have others.
    is_known = known is not None and known.value is webhook and known.verifier is verifier and known.greeter is None
    if known is not None and is_known and document_of(known) is document:
        return known if known.origin == defined.origin else replace(known, origin=defined.origin)
    return CompiledWebhook(
        name=defined.name,
        value=webhook,
        origin=defined.origin,
        path=webhook.path_as(defined.name),
        verifier=verifier,
        event=_template(webhook.event),
        subject=_template(webhook.subject),
        greeter=build_greeter(webhook.auth, secrets.get, verifiers.remotes.visit),
        entry=entry_of(webhook, document, known),
        reads_body=reads_body(webhook.auth),
        media=media_of(webhook.auth),
    )


def _schema(endpoint: Defined[Endpoint], definitions: Definitions, previous: Snapshot | None) -> BodySchema | None:
    """Return the schema of an endpoint; the one it had if it is the same."""
    document = definitions.schemas.get(endpoint.value.schema_ or "")
    known = previous.endpoints.get(endpoint.name) if previous else None
    if known is not None and known.schema is not None and known.schema.document is document:
        return known.schema
    return None if document is None else BodySchema(document)


def _endpoint(
    defined: Defined[Endpoint], secrets: SecretStore, own: Mapping[str, Secret], schema: BodySchema | None
) -> CompiledEndpoint:
    endpoint = defined.value
    texts = {name: secret.text() for name, secret in own.items()}
    scope = {"secrets": texts}
    authorization, hidden = authorization_of(endpoint, secrets.get)
    grant = grant_of(endpoint, secrets.get)
    if grant is not None:
        hidden = (*hidden, grant.client_secret.text())
    templates = {name: compile_template(text) for name, text in endpoint.headers.items()}
    headers = {name: template.text(scope) for name, template in templates.items() if not reads_event(template)}
    return CompiledEndpoint(
        name=defined.name,
        value=endpoint,
        origin=defined.origin,
        url=compile_template(endpoint.url).text(scope),
        headers=headers,
        secrets=tuple(secrets.get(reference) for reference in endpoint.secrets),
        hidden=(*texts.values(), *hidden, *credentials_in(headers)),
        is_literal=is_literal_host(endpoint.url),
        authorization=authorization,
        grant=grant,
        identity=identity_of(endpoint, secrets.get),
        digest=defined.digest,
        schema=schema,
        templates={name: template for name, template in templates.items() if reads_event(template)},
    )


def _condition(source: str | None) -> Condition | None:
    return None if source is None else compile_condition(source)


def _template(source: str | None) -> Template | None:
    return None if source is None else compile_template(source)


def _endpoint_names(endpoint: Endpoint) -> frozenset[str]:
    return frozenset().union(*(compile_template(text).names for text in (endpoint.url, *endpoint.headers.values())))


def _read_by(*expressions: Condition | Template | Value | None) -> frozenset[str]:
    """Return the names in scope that expressions read."""
    references = (reference for item in expressions if item is not None for reference in item.references)
    return _shared(frozenset(str(reference.path[0]) for reference in references))


def _members_of_body(*expressions: Condition | Template | None) -> Members | None:
    """Return what expressions read of `body`, if that is some of its members."""
    names: set[str] = set()
    for reference in (reference for item in expressions if item is not None for reference in item.references):
        match reference.path:
            case ("body", str() as name, *_) if is_plain(name):
                names.add(name)
            case ("body", *_):
                return None
    return _members(frozenset(names)) if names else None


@lru_cache(maxsize=1024)
def _members(names: frozenset[str]) -> Members:
    """Return one reader for all that read the same."""
    return Members(names)


@cache
def _shared(names: frozenset[str]) -> frozenset[str]:
    """Return one set for all that are equal: there are few, and thousands of definitions have one."""
    return names


def _secrets_in(names: Iterable[str]) -> frozenset[str]:
    """Return the names of the secrets among dotted names, `secrets.NAME`."""
    return frozenset(name.removeprefix(_SECRETS).partition(".")[0] for name in names if name.startswith(_SECRETS))


def _read(secrets: SecretStore, names: frozenset[str]) -> dict[str, Secret]:
    """Return secrets by name."""
    return {name: secrets.named(name) for name in sorted(names)} if names else {}
