"""`save`: put files of the request, or a value, on the disk, below a directory that the role allows.

Data can be in names, because a role says below what they must stay and `..` is refused; links on the way are not
followed: see `engine.saving`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import orjson

from hooksd.engine.steps.intent import Act, Intent, Occasion, Refuse, Settle
from hooksd.expr.event import files_json
from hooksd.model.base import Json
from hooksd.model.effect import SavedFile, SaveFiles
from hooksd.model.permission import base_of
from hooksd.model.received import ReceivedFile, numbered
from hooksd.model.step import SaveStep

_LONGEST_PART: Final = 255
"""Bytes of one part of a path that file systems take."""


def prepare(occasion: Occasion) -> Intent:
    """Render what goes where.

    Raises:
        RenderProblem: A template cannot be rendered.
    """
    value, to = occasion.render("save"), occasion.text("to")
    chosen = _files_in(occasion, value)
    if chosen is None and to.endswith("/"):
        return Refuse(error=f"`to` names a directory, {to[:200]!r}: a value needs the name of a file")
    if isinstance(chosen, list) and not chosen:
        return Settle(output=[])
    if value is None:
        return Refuse(error="there is nothing to save: the value is null")
    wanted = _wanted(chosen, value, to)
    bases: list[str] = []
    for item in wanted:
        if (problem := _problem(item.path)) is not None:
            return Refuse(error=problem)
        if (reason := occasion.rights.denial("save", item.path)) is not None:
            return Refuse(error=reason)
        role = occasion.rights.role
        bases.append(base_of("save", item.path, role) if role is not None else "")
    step = occasion.step.value
    return Act(
        effect=SaveFiles(
            files=tuple(wanted),
            bases=tuple(bases),
            on_exists=step.on_exists if isinstance(step, SaveStep) else "fail",
            is_one=not isinstance(chosen, list),
            id=f"{occasion.run.id}-{occasion.step.key}",
        )
    )


def _files_in(occasion: Occasion, value: Json) -> ReceivedFile | list[ReceivedFile] | None:
    """Return the file or the files that a value is; None when it is none.

    Only files of the event count: what data says of a file of another event is a value like any other.
    """
    event = occasion.run.event
    known = {file["path"]: event.files[key] for key, file in files_json(event).items()}

    def one(item: Json) -> ReceivedFile | None:
        return known.get(item.get("path", "")) if isinstance(item, Mapping) and "sha256" in item else None

    if (single := one(value)) is not None:
        return single
    items = list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list) else None
    if items is None or (not items and event.files):
        return None
    found = [one(item) for item in items]
    files = [file for file in found if file is not None]
    return files if len(files) == len(items) else None


def _wanted(chosen: ReceivedFile | list[ReceivedFile] | None, value: Json, to: str) -> list[SavedFile]:
    if chosen is None:
        data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else orjson.dumps(value)
        return [SavedFile(path=to, data=data)]
    if isinstance(chosen, ReceivedFile):
        return [SavedFile(path=f"{to}{chosen.name}" if to.endswith("/") else to, digest=chosen.digest)]
    folder, taken = to.rstrip("/"), set[str]()
    wanted = []
    for file in chosen:
        name = next(name for name in numbered(file.name) if name not in taken)
        taken.add(name)
        wanted.append(SavedFile(path=f"{folder}/{name}", digest=file.digest))
    return wanted


def _problem(path: str) -> str | None:
    """Return why a path cannot be one."""
    parts = path.removeprefix("/").split("/")
    if "\0" in path or any(part in {"", ".", ".."} for part in parts):
        return f"{path[:200]!r} is no path: it has an empty part, `.`, `..` or a NUL character"
    if any(len(part.encode("utf-8", "surrogatepass")) > _LONGEST_PART for part in parts):
        return f"{path[:200]!r} has a part of more than {_LONGEST_PART} bytes"
    return None
