"""From the bytes of all files to a checked set of definitions, or to everything that is wrong with them.

The daemon keeps one `Loader` as long as it lives, so that files that have not changed are not read again; the command
line makes one for each call. What concerns one file alone is kept with it. What concerns several is kept too as long as
the files that changed look to the others as before: a change of one among ten thousand costs about one. Secrets are
checked anew each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any

from hooksd.auth.remote import Remotes
from hooksd.config.body_schema import BodySchema, SchemaProblem, is_schema
from hooksd.config.checks import coverage, mail, permissions, references, schemas, secrecy, trust
from hooksd.config.checks.collection import Collection, collect
from hooksd.config.checks.written import Written
from hooksd.config.diagnostics import Diagnostic, in_order
from hooksd.config.document import Document, read
from hooksd.config.file import Content, content_of, digest_of
from hooksd.config.finding import Finding
from hooksd.config.remembered import Secrets
from hooksd.config.verifiers import Verifiers
from hooksd.model.base import Json
from hooksd.model.definitions import Defined, Definitions
from hooksd.model.endpoint import Endpoint
from hooksd.model.record import Origin
from hooksd.model.role import Role
from hooksd.model.webhook import Webhook
from hooksd.model.workflow import Workflow

Files = AbstractSet[str]
"""Names of some files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A verdict on a set of files."""

    definitions: Definitions | None
    """None when there are errors."""
    diagnostics: tuple[Diagnostic, ...]
    """In the order of files and lines."""
    verifiers: Verifiers | None = field(default=None, compare=False, repr=False)
    """What was made of the webhooks to check them, for `config.build`."""

    @property
    def ok(self) -> bool:
        """Tell whether there are no errors; warnings do not count."""
        return not any(diagnostic.severity == "error" for diagnostic in self.diagnostics)


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """What is known of one file from its bytes alone. Its places are looked up anew when something is wrong."""

    data: bytes
    content: Content
    defined: tuple[Defined[Any], ...]
    diagnostics: tuple[Diagnostic, ...]
    schema: Json = None
    """What it holds if it is a schema of bodies."""
    judging: tuple[Written, ...] = ()
    """Webhooks in it that name a schema."""

    def face(self) -> list[tuple[object, ...]]:
        """Return everything of it that what is said of other files can depend on."""
        return [(item.kind, item.name, item.sends, item.value is None, _seen(item)) for item in self.content.written]


class Loader:
    """Checks sets of files, and remembers what it knows of each file."""

    def __init__(
        self,
        *,
        secrets: Secrets,
        allow_inline_secrets: bool,
        public_url: str | None = None,
        remotes: Remotes | None = None,
        can_mail: bool = True,
    ) -> None:
        """Take what the checks need of the world.

        Args:
            secrets: Where references to secrets are looked up.
            allow_inline_secrets: A literal secret is a warning, not an error.
            public_url: The URL that callers use; None: not known, which a provider that signs it is warned of.
            remotes: Has keys fetched that are kept elsewhere; None: nobody does.
            can_mail: There is a mail server, so that `mail` steps can work.
        """
        self._public_url = public_url
        self._can_mail = can_mail
        self._allow_inline = allow_inline_secrets
        self._verifiers = Verifiers(secrets, remotes)
        self._files: dict[str, _File] = {}
        self._between: list[Finding] = []
        """What was wrong between files, secrets excepted."""
        self._secret: list[Finding] = []
        """What was wrong with secrets."""
        self._schemas: dict[str, BodySchema | SchemaProblem] = {}
        """By path."""

    def load(self, files: Mapping[str, bytes], pause: Callable[[], None] = lambda: None) -> Loaded:
        """Check a set of files and return all that is wrong with all of them, or the definitions.

        Args:
            files: The bytes of every `.toml` and `.json` file by its path relative to the directory of definitions.
            pause: Called often on the way, to let others have their turn.
        """
        # Whatever breaks on the way, nothing is known then.
        before, self._files = self._files, {}
        now = _files_of(files, before, pause)
        changed = {name for name, file in now.items() if before.get(name) is not file}
        # If the others cannot tell that these have changed, what is wrong with the others is known.
        is_alike = before.keys() == now.keys() and all(before[name].face() == now[name].face() for name in changed)
        collection, findings = collect(item for file in now.values() for item in file.content.written)
        looked_at = changed if is_alike else now.keys()
        self._between = [
            *_of(now.keys() - looked_at, self._between),
            *self._found_between(collection, looked_at, pause),
        ]
        if is_alike and self._verifiers.go_on():
            self._drop(item for name in changed for item in before[name].content.written)
        else:
            self._verifiers.begin()
            looked_at = now.keys()
        self._secret = [
            *_of(now.keys() - looked_at, self._secret),
            *self._found_secret(collection, looked_at, pause),
        ]
        documents = {name: file.schema for name, file in now.items() if file.schema is not None}
        self._schemas = schemas.compiled(documents, self._schemas)
        findings += schemas.check([item for file in now.values() for item in file.judging], self._schemas)
        while before:  # freed one by one: all at once would hold up every thread
            before.popitem()
            pause()
        self._files = now
        return self._loaded([*findings, *self._between, *self._secret], files)

    def _loaded(self, findings: list[Finding], files: Mapping[str, bytes]) -> Loaded:
        own = [diagnostic for file in self._files.values() for diagnostic in file.diagnostics]
        diagnostics = in_order([*own, *_diagnosed(findings, files)])
        loaded = Loaded(definitions=None, diagnostics=diagnostics)
        if not loaded.ok:
            return loaded
        documents = {name: schema.document for name, schema in self._schemas.items() if isinstance(schema, BodySchema)}
        definitions = _definitions((item for file in self._files.values() for item in file.defined), documents)
        return Loaded(definitions=definitions, diagnostics=diagnostics, verifiers=self._verifiers)

    def _found_between(self, collection: Collection, files: Files, pause: Callable[[], None]) -> Iterator[Finding]:
        """Yield what is wrong between definitions, looking at those in some files only."""
        workflows = [item for item in collection.workflows.values() if item.file in files]
        webhooks = [item for item in collection.webhooks.values() if item.file in files]
        yield from references.check(collection, _paced(workflows, pause))
        yield from permissions.check(collection, _paced(workflows, pause))
        yield from trust.check(collection, _paced(workflows, pause))
        yield from mail.check(_paced(workflows, pause), can_mail=self._can_mail)
        yield from coverage.check(_paced(webhooks, pause), public_url=self._public_url)

    def _found_secret(self, collection: Collection, files: Files, pause: Callable[[], None]) -> Iterator[Finding]:
        """Yield what is wrong with secrets, looking at definitions in some files only."""
        kinds = (collection.webhooks, collection.endpoints, collection.workflows, collection.roles)
        definitions = [item for kind in kinds for item in kind.values() if item.file in files]
        secrets, inline = self._verifiers.secrets, self._allow_inline
        return secrecy.check(_paced(definitions, pause), secrets, self._verifiers, allow_inline=inline)

    def _drop(self, gone: Iterable[Written]) -> None:
        for item in gone:
            if isinstance(item.value, Webhook):
                self._verifiers.drop(item.value.auth)


def _of(files: Files, findings: Iterable[Finding]) -> Iterator[Finding]:
    return (finding for finding in findings if finding.file in files)


def _files_of(files: Mapping[str, bytes], before: Mapping[str, _File], pause: Callable[[], None]) -> dict[str, _File]:
    """Return what is known of each file, in their order; only those that changed are read."""
    found: dict[str, _File] = {}
    for name in sorted(files):
        known = before.get(name)
        if known is None or known.data != files[name]:
            known = _read(name, files[name])
            pause()
        found[name] = known
    return found


def _paced(definitions: Iterable[Written], pause: Callable[[], None]) -> Iterator[Written]:
    for item in definitions:
        pause()
        yield item


def _seen(item: Written) -> object:
    """Return what other definitions depend on of one, besides its name and the events that it sends."""
    if item.kind == "webhook":
        return item.table.get("auth")
    return item.digest if item.kind == "role" else None


def _read(file: str, data: bytes) -> _File:
    document = read(file, data)
    if not isinstance(document, Document):
        return _File(data=data, content=Content(), defined=(), diagnostics=document)
    if is_schema(file, document.tree):
        return _File(data=data, content=Content(), defined=(), diagnostics=(), schema=document.tree)
    content = content_of(document)
    defined = tuple(_defined(item, item.value) for item in content.written if item.value is not None)
    diagnostics = tuple(_diagnose(finding, {file: document}) for finding in content.findings)
    judging = tuple(item for item in content.written if item.kind == "webhook" and "schema" in item.table)
    return _File(data=data, content=content, defined=defined, diagnostics=diagnostics, judging=judging)


def _diagnosed(findings: list[Finding], files: Mapping[str, bytes]) -> Iterator[Diagnostic]:
    """Look up where findings stand. The files are read again for it: their places take more memory than all else."""
    names = {name for finding in findings for name in (finding.file, *(other.file for other in finding.related))}
    read_again = {name: read(name, files[name]) for name in names}
    documents = {name: document for name, document in read_again.items() if isinstance(document, Document)}
    return (_diagnose(finding, documents) for finding in findings)


def _diagnose(finding: Finding, documents: Mapping[str, Document]) -> Diagnostic:
    related = tuple(documents[other.file].place(other.path, other.message) for other in finding.related)
    return documents[finding.file].diagnose(finding, related)


def _definitions(defined: Iterable[Defined[Any]], documents: Mapping[str, Json]) -> Definitions:
    found: dict[type, dict[str, Defined[Any]]] = {Webhook: {}, Endpoint: {}, Workflow: {}, Role: {}}
    for item in defined:
        found[type(item.value)][item.name] = item
    digests = {path: digest_of(document) for path, document in documents.items()}
    for name, item in found[Webhook].items():
        if item.value.schema_ in digests:  # another schema makes it another webhook
            found[Webhook][name] = replace(item, digest=digest_of([item.digest, digests[item.value.schema_]]))
    return Definitions(
        webhooks=found[Webhook],
        endpoints=found[Endpoint],
        workflows=found[Workflow],
        roles=found[Role],
        schemas=documents,
    )


def _defined(written: Written, value: Any) -> Defined[Any]:
    origin = Origin(file=written.file, line=written.line)
    return Defined(name=written.name, value=value, origin=origin, document=written.table, digest=written.digest)
