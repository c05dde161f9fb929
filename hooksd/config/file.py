"""What one file defines: the definitions in it, and everything that is wrong with them whatever other files say."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import orjson
from pydantic import ValidationError

from hooksd.config.checks import expressions, names, rules
from hooksd.config.checks.events import sends
from hooksd.config.checks.keys import unknown_key
from hooksd.config.checks.secrecy import check_auth
from hooksd.config.checks.shape import MODELS, explain
from hooksd.config.checks.words import PATTERNS
from hooksd.config.checks.written import Kind, Model, Written
from hooksd.config.document import Document
from hooksd.config.finding import Finding
from hooksd.config.kinds import found
from hooksd.config.position import Path
from hooksd.model.base import NAME_PATTERN, Json
from hooksd.model.file import FILE_KEYS, SUPPORTED_VERSIONS, WORKFLOW_KEYS
from hooksd.model.own import OWN_FAMILIES

ROLES_FILE = "roles.toml"
"""The only file in which roles may be defined, so that one line of CODEOWNERS guards all privilege."""
MAX_NAME = 128
"""The longest name of a definition."""
MAX_SHOWN = 40
"""Characters of a longer one that a message shows."""

_KINDS: Mapping[str, Kind] = {
    "webhooks": "webhook",
    "endpoints": "endpoint",
    "workflows": "workflow",
    "roles": "role",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a file defines."""

    written: tuple[Written, ...] = ()
    findings: tuple[Finding, ...] = ()


def content_of(document: Document) -> Content:
    """Return what a file defines, and what is wrong with it on its own."""
    versions = list(_version(document))
    if any(finding.code == "H011" for finding in versions):
        # A file of another version means something else: its names are known, its mistakes are not.
        return Content(written=tuple(_nothing(item) for item in _tables(document)), findings=tuple(versions))
    written: list[Written] = []
    findings = [*versions, *_top(document)]
    for table in _tables(document):
        item, problems = _definition(table)
        written.append(item)
        findings += problems
    return Content(written=tuple(written), findings=tuple(findings))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """A table that defines something."""

    kind: Kind
    name: str
    file: str
    line: int
    path: Path
    value: Json


def _version(document: Document) -> Iterator[Finding]:
    supported = " and ".join(f"`version = {version}`" for version in SUPPORTED_VERSIONS)
    if "version" not in document.tree:
        hint = f"write `version = {SUPPORTED_VERSIONS[-1]}` at the top: it says which version of the format this is"
        yield Finding(code="H010", message="missing `version`", file=document.file, path=(), part="header", hint=hint)
        return
    version = document.tree["version"]
    if type(version) is not int or version not in SUPPORTED_VERSIONS:
        message = f"version {version} of the format is not supported" if type(version) is int else "no version number"
        hint = f"this hooksd reads {supported}"
        yield Finding(code="H011", message=message, file=document.file, path=("version",), hint=hint)


def _is_workflow(document: Document) -> bool:
    return not WORKFLOW_KEYS.isdisjoint(document.tree)


def _stem(document: Document) -> str:
    return document.file.rpartition("/")[2].rpartition(".")[0]


def _tables(document: Document) -> Iterator[_Table]:
    """Yield every definition of a file that has an allowed name and is a table."""
    if _is_workflow(document):
        own = {key: value for key, value in document.tree.items() if key not in FILE_KEYS}
        yield _Table(kind="workflow", name=_stem(document), file=document.file, line=1, path=(), value=own)
    for key, kind in _KINDS.items():
        tables = document.tree.get(key)
        if not isinstance(tables, Mapping):
            continue
        for name, value in tables.items():
            path = (key, name)
            line = document.line_of(path)
            yield _Table(kind=kind, name=name, file=document.file, line=line, path=path, value=value)


def _top(document: Document) -> Iterator[Finding]:
    """Check what stands at the top of a file, outside of any definition."""
    file = document.file
    is_workflow = _is_workflow(document)
    if is_workflow and not _is_name(_stem(document)):
        hint = f"rename the file, or write `[workflows.NAME]`: {_rule_for(_stem(document))}"
        message = f"`{_shown(_stem(document))}` cannot name a workflow"
        yield Finding(code="H024", message=message, file=file, path=(), part="header", hint=hint)
    for key, value in document.tree.items():
        if key not in FILE_KEYS and not is_workflow:
            yield unknown_key(None, file, (), (key,), document.tree)
        elif key in _KINDS and not isinstance(value, Mapping):
            message = f"expected a table, found {found(value)}"
            yield Finding(code="H016", message=message, file=file, path=(key,), hint=f"write `[{key}.NAME]`")
    if "roles" in document.tree and file != ROLES_FILE:
        message = "roles may be defined in roles.toml only"
        hint = "move them to roles.toml at the top of the directory: one file guards all privilege"
        yield Finding(code="H033", message=message, file=file, path=("roles",), part="key", hint=hint)


def _is_name(name: str) -> bool:
    return len(name) <= MAX_NAME and re.fullmatch(NAME_PATTERN, name) is not None


def _rule_for(name: str) -> str:
    """Return what names must be, and this one is not."""
    return PATTERNS[NAME_PATTERN] if len(name) <= MAX_NAME else f"a name has at most {MAX_NAME} characters"


def _shown(name: str) -> str:
    return name if len(name) <= MAX_NAME else f"{name[:MAX_SHOWN]}…"


def _definition(table: _Table) -> tuple[Written, list[Finding]]:
    """Check one definition."""
    if not isinstance(table.value, Mapping):
        message = f"expected a table, found {found(table.value)}"
        hint = f"write `[{table.kind}s.{table.name}]` and its keys below"
        return _nothing(table), [Finding(code="H016", message=message, file=table.file, path=table.path, hint=hint)]
    where = (table.kind, table.file, table.path, table.value)
    value: Model | None = None
    findings = list(_name(table))
    try:
        value = MODELS[table.kind].model_validate(table.value)
    except ValidationError as error:
        findings += explain(*where, error)
    readings, problems = expressions.compiled(*where)
    written = Written(
        kind=table.kind,
        name=table.name,
        file=table.file,
        line=table.line,
        path=table.path,
        table=table.value,
        value=value,
        digest=digest_of(table.value),
        is_sound=True,
        readings=tuple(readings),
        sends=tuple(sends(table.kind, table.name, table.value, value)),
    )
    findings += [*problems, *names.check(*where, readings), *rules.check(*where), *check_auth(written)]
    return (replace(written, is_sound=False) if findings else written), findings


def _name(table: _Table) -> Iterator[Finding]:
    if table.path and not _is_name(table.name):
        message, hint = f"`{_shown(table.name)}` cannot name a {table.kind}", _rule_for(table.name)
        yield Finding(code="H023", message=message, file=table.file, path=table.path, part="key", hint=hint)
    if table.kind == "webhook" and table.name.split(".")[0] in OWN_FAMILIES:
        # A provider's word comes after the webhook's name: callers could send what looks like an event of hooksd.
        message = f"`{table.name}` cannot name a webhook: its events would look like hooksd's own"
        hint = "choose another name, like that of the provider"
        yield Finding(code="H023", message=message, file=table.file, path=table.path, part="key", hint=hint)


def _nothing(table: _Table) -> Written:
    """Return a definition of which only the name is known, so that what refers to it is not wrong too."""
    return Written(
        kind=table.kind, name=table.name, file=table.file, line=table.line, path=table.path, table={}, value=None,
        digest=digest_of({}),
    )  # fmt: skip


def digest_of(table: Json) -> str:
    """Return `sha256:...` of a value in canonical JSON."""
    return "sha256:" + hashlib.sha256(orjson.dumps(table, option=orjson.OPT_SORT_KEYS)).hexdigest()
