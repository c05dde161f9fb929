"""Changes webhooks for the admin API: by files alone, checked as a commit is, whole or not at all.

Each change is rehearsed on the directory's content as it is now; then the file is replaced in one step and durable;
then the reloader puts it in force. What people wrote beside the webhook is never touched.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets as randomness
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import tomli

from hooksd.clock import Clock, rfc3339
from hooksd.config import writing
from hooksd.config.diagnostics import Diagnostic
from hooksd.config.snapshot import Snapshot
from hooksd.config.tree import Tree, scan
from hooksd.daemon.judge import Held, Rejected, Verdict
from hooksd.daemon.reload import Status
from hooksd.model.base import Json
from hooksd.model.definitions import Defined
from hooksd.model.webhook import Webhook
from hooksd.telemetry import happenings
from hooksd.telemetry.observer import Observer
from hooksd.web.editing import Declined, Done, Editor, Wanted
from hooksd.web.views import HIDDEN, without_literals

READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


class Rehearsal(Protocol):
    """What judges content and puts it in force: `daemon.reload.Reloader`."""

    async def rehearse(self, tree: Tree) -> Verdict:
        """Return the verdict on some content without putting it in force."""
        ...

    async def reload(self, accept: str | None = None) -> Status:
        """Look at the files now and return the verdict."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """One file as it shall be."""

    path: str
    """Relative to the directory of definitions."""
    before: bytes | None
    after: bytes | None
    """None: the file goes."""
    webhook: str
    by: str

    @property
    def gone(self) -> tuple[str, ...]:
        """What it removes on purpose, as verdicts name it."""
        return (f"webhook/{self.webhook}",) if self.after is None else ()


class FileEditor:
    """The editor of one directory of definitions."""

    def __init__(
        self,
        *,
        root: Path,
        stage: Rehearsal,
        current: Callable[[], Snapshot],
        clock: Clock,
        observer: Observer,
    ) -> None:
        """Take what it works with.

        Args:
            root: The directory of definitions.
            stage: Judges content and puts it in force.
            current: Returns the definitions in force.
            clock: The time.
            observer: Told of every change.
        """
        self._root = root
        self._stage = stage
        self._current = current
        self._clock = clock
        self._observer = observer
        self._lock = asyncio.Lock()

    async def put(self, wanted: Wanted) -> Done | Declined:
        """Write a webhook and return when it is in force."""
        async with self._lock:
            defined = self._defined(wanted.name)
            if wanted.create and defined is not None:
                where = f"{defined.origin.file}:{defined.origin.line}"
                return Declined(reason="conflict", detail=f"there is a webhook {wanted.name!r} already, in {where}")
            if (stale := _stale(wanted.name, defined, wanted.known)) is not None:
                return stale
            tree = await asyncio.to_thread(scan, self._root)
            change = self._written(wanted, defined, tree.files)
            if isinstance(change, Declined):
                return change
            if change.before == change.after:
                return Done()
            declined = await self._made(change, tree)
            return declined or Done(created=defined is None)

    async def delete(self, name: str, *, by: str, known: str | None) -> Done | Declined:
        """Remove the file of a webhook and return when it is gone."""
        async with self._lock:
            defined = self._defined(name)
            if defined is None:
                return Declined(reason="unknown", detail=f"there is no webhook {name!r}")
            if (stale := _stale(name, defined, known)) is not None:
                return stale
            tree = await asyncio.to_thread(scan, self._root)
            path = defined.origin.file
            text = _alone(defined, tree.files)
            if isinstance(text, Declined):
                return text
            change = _Change(path=path, before=tree.files[path], after=None, webhook=name, by=by)
            return await self._made(change, tree) or Done()

    async def text(self, name: str) -> str | Declined:
        """Return the file that holds a webhook, if it holds nothing else and no literal secret."""
        defined = self._defined(name)
        if defined is None:
            return Declined(reason="unknown", detail=f"there is no webhook {name!r}")
        if without_literals(defined.document) != defined.document:
            detail = f"{defined.origin.file} holds a literal secret, which is not shown: change the file itself"
            return Declined(reason="conflict", detail=detail)
        tree = await asyncio.to_thread(scan, self._root)
        return _alone(defined, tree.files)

    def _defined(self, name: str) -> Defined[Webhook] | None:
        return self._current().definitions.webhooks.get(name)

    def _written(
        self, wanted: Wanted, defined: Defined[Webhook] | None, files: Mapping[str, bytes]
    ) -> _Change | Declined:
        """Return the file as it shall be."""
        path = defined.origin.file if defined is not None else writing.path_of(wanted.name)
        before = files.get(path)
        text = ""
        if defined is not None:
            known = _alone(defined, files)
            if isinstance(known, Declined):
                return known
            text = known
        elif before is not None:
            detail = f"{path} is there already and holds something else: rename or remove it, or choose another name"
            return Declined(reason="conflict", detail=detail)
        after = self._composed(wanted, defined, text)
        if isinstance(after, Declined):
            return after
        return _Change(path=path, before=before, after=after.encode(), webhook=wanted.name, by=wanted.by)

    def _composed(self, wanted: Wanted, defined: Defined[Webhook] | None, text: str) -> str | Declined:
        """Return the text with the stamps that belong to it; the text before when nothing else would change."""
        content = wanted.content
        if isinstance(content, Mapping) and _hides(content):
            detail = f"`{HIDDEN}` stands for a literal secret that is not shown: change the file itself"
            return Declined(reason="conflict", detail=detail)
        try:
            document = writing.read_one(content, wanted.name) if isinstance(content, str) else dict(content)
            base = content if isinstance(content, str) else text
            own = {key: value for key, value in document.items() if key not in writing.STAMPS and value is not None}
            if defined is not None and own == _own(defined) and base == text:
                return text
            stamped = {**own, **self._stamps(defined, wanted.by)}
            return writing.revised(base, wanted.name, stamped) if base else writing.fresh(wanted.name, stamped)
        except writing.NotAlone as error:
            return Declined(reason="invalid", detail=f"the text must define this webhook and nothing else: {error}")
        except tomli.TOMLDecodeError:
            return str(content)  # the rehearsal says where
        except ValueError as error:
            return Declined(reason="invalid", detail=str(error))

    def _stamps(self, defined: Defined[Webhook] | None, by: str) -> dict[str, Json]:
        now = rfc3339(self._clock.now())
        if defined is None:
            return dict(zip(writing.STAMPS, (now, by, now, by), strict=True))
        kept = {key: defined.document[key] for key in writing.STAMPS[:2] if key in defined.document}
        return {**kept, "updated_at": now, "updated_by": by}

    async def _made(self, change: _Change, tree: Tree) -> Declined | None:
        """Make a change, unless it is refused."""
        files = {path: data for path, data in tree.files.items() if path != change.path}
        if change.after is not None:
            files[change.path] = change.after
        verdict = await self._stage.rehearse(replace(tree, files=files))
        if isinstance(verdict, Rejected):
            return await self._refused(change, tree, verdict.diagnostics)
        if isinstance(verdict, Held) and verdict.removed != change.gone:
            detail = (
                f"the files in the directory are held back, for {verdict.reason}: agree to them or restore them first"
            )
            return Declined(reason="conflict", detail=detail)
        try:
            if not await asyncio.to_thread(_replaced, self._root / change.path, change.before, change.after):
                return Declined(reason="conflict", detail=f"{change.path} has just been changed: look at it, try again")
        except OSError as error:
            return _unwritable(change.path, error)
        status = await self._in_force(change)
        if status.state != "IN_SYNC":
            with contextlib.suppress(OSError):
                await asyncio.to_thread(_replaced, self._root / change.path, change.after, change.before)
            await self._stage.reload()
            detail = "files changed at the same time, and together they are refused: try again"
            return Declined(reason="conflict", detail=detail, diagnostics=status.diagnostics)
        self._observer.emit(
            happenings.WebhookWritten(
                webhook=change.webhook, by=change.by, file=change.path, is_gone=change.after is None
            )
        )
        return None

    async def _in_force(self, change: _Change) -> Status:
        status = await self._stage.reload()
        if status.state == "HELD" and status.removed == change.gone:
            # Whoever removes the last webhook by its name has agreed to it.
            status = await self._stage.reload(status.revision)
        return status

    async def _refused(self, change: _Change, tree: Tree, diagnostics: tuple[Diagnostic, ...]) -> Declined:
        """Say whose fault it is: of what is wanted, or of files that are refused without it."""
        if all(item.file != change.path for item in diagnostics if item.severity == "error"):
            verdict = await self._stage.rehearse(tree)
            if isinstance(verdict, Rejected):
                detail = "the files in the directory are refused as they are: mend them first"
                return Declined(reason="conflict", detail=detail, diagnostics=verdict.diagnostics)
        if change.after is None:
            detail = f"webhook {change.webhook!r} is still needed: change what refers to it first"
            return Declined(reason="conflict", detail=detail, diagnostics=diagnostics)
        return Declined(reason="invalid", detail=f"{change.path} would be refused", diagnostics=diagnostics)


def _hides(value: Json) -> bool:
    """Tell whether something stands in for a secret: what this API has shown comes back to be written."""
    if isinstance(value, Mapping | list):
        return any(_hides(item) for item in (value.values() if isinstance(value, Mapping) else value))
    return bool(value == HIDDEN)


def _own(defined: Defined[Webhook]) -> dict[str, Json]:
    return {key: value for key, value in defined.document.items() if key not in writing.STAMPS}


def _stale(name: str, defined: Defined[Webhook] | None, known: str | None) -> Declined | None:
    if known is None or (defined is not None and defined.digest == known):
        return None
    return Declined(reason="stale", detail=f"webhook {name!r} is another one by now: look at it, and change that")


def _alone(defined: Defined[Webhook], files: Mapping[str, bytes]) -> str | Declined:
    """Return the text of the file of a webhook, if it is a TOML file that defines nothing else."""
    path, name = defined.origin.file, defined.name
    problem = "it is not written in TOML"
    try:
        text = files[path].decode()
        if path.endswith(".toml") and writing.read_one(text, name) == defined.document:
            return text
        if path.endswith(".toml"):
            return Declined(reason="conflict", detail=f"{path} has just been changed: try again")
    except writing.NotAlone as error:
        problem = str(error)
    except (KeyError, ValueError):
        return Declined(reason="conflict", detail=f"{path} is not what is in force: mend it first")
    detail = f"webhook {name!r} stands in {path}:{defined.origin.line}, and {problem}: change that file itself"
    return Declined(reason="conflict", detail=detail)


def _unwritable(path: str, error: OSError) -> Declined:
    reason = error.strerror or str(error)
    if error.errno in READ_ONLY:
        detail = f"{path} cannot be written ({reason}): let the daemon's user write in the directory of definitions"
        return Declined(reason="read_only", detail=detail)
    return Declined(reason="no_room", detail=f"{path} cannot be written now ({reason}): nothing has changed")


def _replaced(path: Path, before: bytes | None, after: bytes | None) -> bool:
    """Replace a file in one step, durably; false when it is not what it was. It blocks: call it in a thread.

    Raises:
        OSError: It cannot be written; it is as it was.
    """
    if (path.read_bytes() if path.exists() else None) != before:
        return False
    if not path.parent.exists():
        path.parent.mkdir()
        _sync(path.parent.parent)
    if after is None:
        path.unlink()
    else:
        _write(path.resolve(), after)
    _sync(path.parent)
    return True


def _write(path: Path, data: bytes) -> None:
    # Names that begin with a dot are no definitions: nobody reads a file that is half written.
    draft = path.with_name(f".{path.name}.{randomness.token_hex(4)}")
    try:
        with draft.open("xb") as file:
            if path.exists():
                os.fchmod(file.fileno(), path.stat().st_mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_: type[Editor] = FileEditor
