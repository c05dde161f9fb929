"""The JSON Schemas that webhooks and endpoints name: is there such a file, and is it a schema?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from hooksd.config.body_schema import FOLDER, BodySchema, SchemaProblem
from hooksd.config.checks.written import Written, text_of
from hooksd.config.diagnostics import did_you_mean
from hooksd.config.finding import Finding
from hooksd.model.base import Json


def check(definitions: Iterable[Written], schemas: Mapping[str, BodySchema | SchemaProblem]) -> Iterator[Finding]:
    """Return every name of a schema that is none, and what is wrong with the schemas.

    Args:
        definitions: All that may name one.
        schemas: What was made of the files below `schemas/`, by path.
    """
    for written in definitions:
        name = text_of(written.table, "schema")
        if name is not None and name not in schemas:
            yield _unknown(written, name, schemas)
    for file, schema in schemas.items():
        if isinstance(schema, SchemaProblem):
            hint = "put what it refers to into its `$defs`" if "outside of the file" in schema.message else None
            yield Finding(code="H049", message=schema.message, file=file, path=schema.path, hint=hint)


def compiled(
    documents: Mapping[str, Json], known: Mapping[str, BodySchema | SchemaProblem]
) -> dict[str, BodySchema | SchemaProblem]:
    """Return what becomes of schemas; those that have not changed are not compiled again.

    Args:
        documents: The schemas by path.
        known: What this returned before.
    """
    return {file: _compiled(document, known.get(file)) for file, document in documents.items()}


def _compiled(document: Json, known: BodySchema | SchemaProblem | None) -> BodySchema | SchemaProblem:
    if isinstance(known, BodySchema) and known.document is document:
        return known
    try:
        return BodySchema(document)
    except SchemaProblem as problem:
        return problem


def _unknown(written: Written, name: str, schemas: Mapping[str, object]) -> Finding:
    if not name.startswith(FOLDER) or not name.endswith(".json"):
        message, hint = f"`{name}` is no schema: schemas are `.json` files in `{FOLDER}`", f"move it to `{FOLDER}`"
    else:
        message, hint = f"there is no file `{name}`", did_you_mean(name, schemas) or "its path begins at `hooks.d`"
    return Finding(code="H048", message=message, file=written.file, path=(*written.path, "schema"), hint=hint)
