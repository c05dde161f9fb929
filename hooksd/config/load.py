"""From the bytes of all files to a checked set of definitions, or to everything that is wrong with them.

The daemon keeps one `Loader` as long as it lives, so that files that have not changed are not read again; the command
line makes one for each call. What concerns one file alone is kept with it; what concerns several, and secrets, is
checked anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from hooksd.config.checks import coverage, permissions, references, secrecy, trust
from hooksd.config.checks.collection import Collection, collect
from hooksd.config.checks.written import Written
from hooksd.config.diagnostics import Diagnostic, in_order
from hooksd.config.document import Document, read
from hooksd.config.file import Content, content_of
from hooksd.config.finding import Finding
from hooksd.config.secrets import SecretStore
from hooksd.model.definitions import Defined, Definitions, T
from hooksd.model.endpoint import Endpoint
from hooksd.model.record import Origin
from hooksd.model.role import Role
from hooksd.model.webhook import Webhook
from hooksd.model.workflow import Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A verdict on a set of files."""

    definitions: Definitions | None
    """None when there are errors."""
    diagnostics: tuple[Diagnostic, ...]
    """In the order of files and lines."""

    @property
    def ok(self) -> bool:
        """Tell whether there are no errors; warnings do not count."""
        return not any(diagnostic.severity == "error" for diagnostic in self.diagnostics)


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """What is known of one file from its bytes alone."""

    digest: bytes
    document: Document | None
    content: Content
    diagnostics: tuple[Diagnostic, ...]


class Loader:
    """Checks sets of files, and remembers what it knows of each file."""

    def __init__(self, *, secrets: SecretStore, allow_inline_secrets: bool, public_url: str | None = None) -> None:
        """Take what the checks need of the world.

        Args:
            secrets: Where references to secrets are looked up.
            allow_inline_secrets: A literal secret is a warning, not an error.
            public_url: The URL that callers use; None: not known, which a provider that signs it is warned of.
        """
        self._public_url = public_url
        self._secrets = secrets
        self._allow_inline = allow_inline_secrets
        self._files: dict[str, _File] = {}

    def load(self, files: Mapping[str, bytes]) -> Loaded:
        """Check a set of files and return all that is wrong with all of them, or the definitions.

        Args:
            files: The bytes of every `.toml` and `.json` file by its path relative to the directory of definitions.
        """
        self._files = {file: self._file(file, files[file]) for file in sorted(files)}
        collection, findings = collect(item for file in self._files.values() for item in file.content.written)
        findings += references.check(collection)
        findings += permissions.check(collection)
        findings += trust.check(collection)
        findings += coverage.check(collection, public_url=self._public_url)
        findings += secrecy.check(collection, self._secrets, allow_inline=self._allow_inline)
        documents = {name: file.document for name, file in self._files.items() if file.document is not None}
        own = [diagnostic for file in self._files.values() for diagnostic in file.diagnostics]
        diagnostics = in_order([*own, *(_diagnose(finding, documents) for finding in findings)])
        loaded = Loaded(definitions=None, diagnostics=diagnostics)
        return Loaded(definitions=_definitions(collection), diagnostics=diagnostics) if loaded.ok else loaded

    def _file(self, file: str, data: bytes) -> _File:
        digest = hashlib.sha256(data).digest()
        known = self._files.get(file)
        return known if known is not None and known.digest == digest else _read(file, data, digest)


def _read(file: str, data: bytes, digest: bytes) -> _File:
    document = read(file, data)
    if not isinstance(document, Document):
        return _File(digest=digest, document=None, content=Content(), diagnostics=document)
    content = content_of(document)
    diagnostics = tuple(_diagnose(finding, {file: document}) for finding in content.findings)
    return _File(digest=digest, document=document, content=content, diagnostics=diagnostics)


def _diagnose(finding: Finding, documents: Mapping[str, Document]) -> Diagnostic:
    related = tuple(documents[other.file].place(other.path, other.message) for other in finding.related)
    return documents[finding.file].diagnose(finding, related)


def _definitions(collection: Collection) -> Definitions:
    return Definitions(
        webhooks={
            name: _defined(item, item.value)
            for name, item in collection.webhooks.items()
            if isinstance(item.value, Webhook)
        },
        endpoints={
            name: _defined(item, item.value)
            for name, item in collection.endpoints.items()
            if isinstance(item.value, Endpoint)
        },
        workflows={
            name: _defined(item, item.value)
            for name, item in collection.workflows.items()
            if isinstance(item.value, Workflow)
        },
        roles={
            name: _defined(item, item.value) for name, item in collection.roles.items() if isinstance(item.value, Role)
        },
    )


def _defined(written: Written, value: T) -> Defined[T]:
    origin = Origin(file=written.file, line=written.line)
    return Defined(name=written.name, value=value, origin=origin, document=written.table, digest=written.digest)
