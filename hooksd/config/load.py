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
from hooksd.config.checks import callers, coverage, mail, permissions, references, schemas, secrecy, trust
from hooksd.config.checks.collection import Collection, collect, renew
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

_JUDGING = frozenset({"webhook", "endpoint"})
"""Kinds of definitions that may name a schema."""

Files = AbstractSet[str]
"""Names of some files."""
_NAMES = frozenset({"H040", "H041", "H042", "H048"})
"""Codes of names that no file defines."""


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
    is_readable: bool = True
    """What it defines is known: it parses."""
    schema: Json = None
    """What it holds if it is a schema of bodies."""
    judging: tuple[Written, ...] = ()
    """Webhooks and endpoints in it that name a schema."""

    def face(self) -> list[tuple[object, ...]]:
        """Return everything of it that what is said of other files can depend on."""
        return [(item.kind, item.name, item.sends, item.value is None, _seen(item)) for item in self.content.written]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What was made of the last set as a whole."""

    collection: Collection | None = None
    """None if a name or a path stood for several definitions."""
    definitions: Definitions | None = None
    """None if there were errors."""


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
        trigger_keys: AbstractSet[str] = frozenset(),
    ) -> None:
        """Take what the checks need of the world.

        Args:
            secrets: Where references to secrets are looked up.
            allow_inline_secrets: A literal secret is a warning, not an error.
            public_url: The URL that callers use; None: not known, which a provider that signs it is warned of.
            remotes: Has keys fetched that are kept elsewhere; None: nobody does.
            can_mail: There is a mail server, so that `mail` steps can work.
            trigger_keys: The names of those who may trigger endpoints over the API.
        """
        self._public_url = public_url
        self._can_mail = can_mail
        self._trigger_keys = trigger_keys
        self._allow_inline = allow_inline_secrets
        self._verifiers = Verifiers(secrets, remotes)
        self._files: dict[str, _File] = {}
        self._between: list[Finding] = []
        """What was wrong between files, secrets excepted."""
        self._secret: list[Finding] = []
        """What was wrong with secrets."""
        self._schemas: dict[str, BodySchema | SchemaProblem] = {}
        """By path."""
        self._known = _Known()

    def load(self, files: Mapping[str, bytes], pause: Callable[[], None] = lambda: None) -> Loaded:
        """Check a set of files and return all that is wrong with all of them, or the definitions.

        Args:
            files: The bytes of every `.toml` and `.json` file by its path relative to the directory of definitions.
            pause: Called often on the way, to let others have their turn.
        """
        # Whatever breaks on the way, nothing is known then.
        before, self._files = self._files, {}
        known, self._known = self._known, _Known()
        now, changed = _files_of(files, before, pause)
        # If the others cannot tell that these have changed, what is wrong with the others is known.
        is_alike = before.keys() == now.keys() and all(before[name].face() == now[name].face() for name in changed)
        collection, findings = self._collected(now, changed, known.collection if is_alike else None)
        looked_at = changed if is_alike else now.keys()
        self._between = [
            *_beside(looked_at, now, self._between),
            *self._found_between(collection, _first(collection, looked_at, now), pause),
        ]
        if is_alike and self._verifiers.go_on():
            self._drop(item for name in changed for item in before[name].content.written)
        else:
            self._verifiers.begin()
            looked_at = now.keys()
        self._secret = [
            *_beside(looked_at, now, self._secret),
            *self._found_secret(_first(collection, looked_at, now), pause),
        ]
        documents = {name: file.schema for name, file in now.items() if file.schema is not None}
        self._schemas = schemas.compiled(documents, self._schemas)
        wrong = schemas.check([item for file in now.values() for item in file.judging], self._schemas)
        self._files = now
        found = [*_first_causes([*findings, *wrong, *self._between], now), *self._secret]
        diagnostics = in_order(
            [*(item for file in now.values() for item in file.diagnostics), *_diagnosed(found, files)]
        )
        loaded = Loaded(definitions=None, diagnostics=diagnostics)
        definitions = self._definitions(changed, known.definitions if is_alike else None) if loaded.ok else None
        self._known = _Known(collection=None if findings else collection, definitions=definitions)
        gone = [file for name, file in before.items() if now.get(name) is not file]
        del before, known
        while gone:  # freed one by one: all at once would hold up every thread
            gone.pop()
            pause()
        return replace(loaded, definitions=definitions, verifiers=self._verifiers if loaded.ok else None)

    def _collected(
        self, now: Mapping[str, _File], changed: Files, known: Collection | None
    ) -> tuple[Collection, list[Finding]]:
        """Put the definitions of all files together.

        Args:
            now: All files.
            changed: Those that differ from what is known.
            known: What was put together before, if there was nothing wrong with it and no other name has come.
        """
        renewed = known and renew(known, (item for name in changed for item in now[name].content.written))
        return (renewed, []) if renewed else collect(item for file in now.values() for item in file.content.written)

    def _definitions(self, changed: Files, known: Definitions | None) -> Definitions:
        """Return the definitions of a set without errors: those of the changed files and known ones, or all."""
        documents = {name: schema.document for name, schema in self._schemas.items() if isinstance(schema, BodySchema)}
        if known is None or known.schemas != documents:
            known, changed = Definitions(), self._files.keys()
        return _definitions((item for name in sorted(changed) for item in self._files[name].defined), known, documents)

    def _found_between(
        self, collection: Collection, definitions: list[Written], pause: Callable[[], None]
    ) -> Iterator[Finding]:
        """Yield what is wrong between definitions, looking at some only."""
        workflows = [item for item in definitions if item.kind == "workflow"]
        webhooks = [item for item in definitions if item.kind == "webhook"]
        endpoints = [item for item in definitions if item.kind == "endpoint"]
        yield from references.check(collection, _paced(workflows, pause))
        yield from permissions.check(collection, _paced(workflows, pause))
        yield from trust.check(collection, _paced(workflows, pause))
        yield from mail.check(_paced(workflows, pause), can_mail=self._can_mail)
        yield from callers.check(_paced(endpoints, pause), trigger_keys=self._trigger_keys)
        yield from coverage.check(_paced(webhooks, pause), public_url=self._public_url)

    def _found_secret(self, definitions: list[Written], pause: Callable[[], None]) -> Iterator[Finding]:
        """Yield what is wrong with secrets, looking at some definitions only."""
        secrets, inline = self._verifiers.secrets, self._allow_inline
        return secrecy.check(_paced(definitions, pause), secrets, self._verifiers, allow_inline=inline)

    def _drop(self, gone: Iterable[Written]) -> None:
        for item in gone:
            if isinstance(item.value, Webhook):
                self._verifiers.drop(item.value.auth)


def _beside(looked_at: Files, now: Mapping[str, _File], findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield what was found in files that are still there and not looked at again."""
    return (finding for finding in findings if finding.file in now and finding.file not in looked_at)


def _first(collection: Collection, files: Files, now: Mapping[str, _File]) -> list[Written]:
    """Return the definitions in some files; of those that share a name the first."""
    written = (item for name in sorted(files) for item in now[name].content.written)
    return [item for item in written if collection.of(item.kind)[item.name] is item]


def _files_of(
    files: Mapping[str, bytes], before: Mapping[str, _File], pause: Callable[[], None]
) -> tuple[dict[str, _File], Files]:
    """Return what is known of each file, in the order of names, and which are new; only these are read."""
    fresh: dict[str, _File] = {}
    for name, data in files.items():
        known = before.get(name)
        if known is None or known.data != data:
            fresh[name] = _read(name, data)
            pause()
    if before.keys() == files.keys():
        return {**before, **fresh}, fresh.keys()
    return {name: fresh.get(name) or before[name] for name in sorted(files)}, fresh.keys()


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
        return _File(data=data, content=Content(), defined=(), diagnostics=document, is_readable=False)
    if is_schema(file, document.tree):
        return _File(data=data, content=Content(), defined=(), diagnostics=(), schema=document.tree)
    content = content_of(document)
    defined = tuple(_defined(item, item.value) for item in content.written if item.value is not None)
    diagnostics = tuple(_diagnose(finding, {file: document}) for finding in content.findings)
    judging = tuple(item for item in content.written if item.kind in _JUDGING and "schema" in item.table)
    return _File(data=data, content=content, defined=defined, diagnostics=diagnostics, judging=judging)


def _first_causes(findings: Iterable[Finding], files: Mapping[str, _File]) -> Iterator[Finding]:
    """Leave out what may only follow from errors that are told anyway.

    A name that nothing defines may stand in a file that does not parse, and a step with errors may send any event.
    """
    silent: set[str] = set()
    if any(file.diagnostics for file in files.values()):
        silent.add("H047")
    if not all(file.is_readable for file in files.values()):
        silent |= _NAMES
    return (finding for finding in findings if finding.code not in silent)


def _diagnosed(findings: list[Finding], files: Mapping[str, bytes]) -> Iterator[Diagnostic]:
    """Look up where findings stand. The files are read again for it: their places take more memory than all else."""
    names = {name for finding in findings for name in (finding.file, *(other.file for other in finding.related))}
    read_again = {name: read(name, files[name]) for name in names}
    documents = {name: document for name, document in read_again.items() if isinstance(document, Document)}
    return (_diagnose(finding, documents) for finding in findings)


def _diagnose(finding: Finding, documents: Mapping[str, Document]) -> Diagnostic:
    related = tuple(documents[other.file].place(other.path, other.message) for other in finding.related)
    return documents[finding.file].diagnose(finding, related)


def _definitions(defined: Iterable[Defined[Any]], known: Definitions, documents: Mapping[str, Json]) -> Definitions:
    """Return definitions, and known ones where no other has their name."""
    found: dict[type, dict[str, Defined[Any]]] = {
        Webhook: dict(known.webhooks),
        Endpoint: dict(known.endpoints),
        Workflow: dict(known.workflows),
        Role: dict(known.roles),
    }
    digests = {path: digest_of(document) for path, document in documents.items()}
    for item in defined:
        kind = type(item.value)
        found[kind][item.name] = item
        # Another schema makes it another webhook or endpoint.
        if digests and kind in (Webhook, Endpoint) and item.value.schema_ in digests:
            found[kind][item.name] = replace(item, digest=digest_of([item.digest, digests[item.value.schema_]]))
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
