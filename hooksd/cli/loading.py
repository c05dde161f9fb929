"""What several commands begin with: the settings of this call, the definitions, the daemon."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from hooksd.cli.client import Client
from hooksd.cli.invocation import Invocation
from hooksd.config import gaps
from hooksd.config.diagnostics import Diagnostic, in_order, render_text
from hooksd.config.load import Loaded
from hooksd.config.secrets import SecretProblem
from hooksd.config.settings import Settings, load_settings
from hooksd.config.tree import is_lookalike, scan
from hooksd.daemon.sources import loader, secret_store
from hooksd.errors import DefinitionsRejected, SettingsRejected, UsageError
from hooksd.model.definitions import Definitions


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """Files of definitions that are checked as one set."""

    root: Path
    files: Mapping[str, bytes]
    """By path relative to `root`."""
    unreadable: tuple[Diagnostic, ...] = ()
    """Files that cannot be read: the daemon applies nothing without them."""
    left_out: tuple[Diagnostic, ...] = ()
    """Names that are no definitions."""


def settings_of(ctx: click.Context) -> Settings:
    """Return the settings that hold for this call.

    Raises:
        SettingsRejected: The file, the environment or a flag is wrong.
    """
    invocation = ctx.ensure_object(Invocation)
    return load_settings(invocation.config, invocation.flags)


def directory(root: Path) -> Tree:
    """Read a directory of definitions.

    Raises:
        UsageError: There is none.
    """
    found = scan(root)
    if not found.exists:
        raise UsageError(f"there is no directory {root}; name one with --hooks-dir, or make it and put definitions in")
    unreadable, left_out = gaps.unreadable(found.unreadable), gaps.left_out(found.problems)
    return Tree(root=root, files=found.files, unreadable=unreadable, left_out=left_out)


def some_files(paths: Sequence[Path]) -> Tree:
    """Read some files as one set, named relative to the directory that holds them all.

    Raises:
        UsageError: One cannot be read, or the daemon would not read it although it looks like definitions.
    """
    if (unread := next((path for path in paths if is_lookalike(path.name)), None)) is not None:
        raise UsageError(f"{unread}: only names that end with .toml or .json are read; rename it or write it anew")
    root = Path(os.path.commonpath([path.absolute().parent for path in paths]))
    try:
        files = {str(path.absolute().relative_to(root)): path.read_bytes() for path in paths}
    except OSError as error:
        raise UsageError(f"cannot read {error.filename}: {error.strerror}") from error
    return Tree(root=root, files=files)


def load(settings: Settings, tree: Tree) -> Loaded:
    """Return what the daemon would say of a set of files: nothing but what cannot be read, if there is any such."""
    if tree.unreadable:
        return Loaded(definitions=None, diagnostics=tree.unreadable)
    loaded = loader(settings, secret_store(settings)).load(tree.files)
    return replace(loaded, diagnostics=in_order([*loaded.diagnostics, *tree.left_out]))


def definitions_of(settings: Settings) -> Definitions:
    """Return the definitions that the files hold now.

    Raises:
        DefinitionsRejected: They have errors.
    """
    loaded = load(settings, directory(settings.hooks_dir))
    if loaded.definitions is None or not loaded.ok:
        raise DefinitionsRejected(render_text(loaded.diagnostics, color=False))
    return loaded.definitions


def client_of(settings: Settings) -> Client:
    """Return a client of the daemon that the settings mean.

    Raises:
        SettingsRejected: The admin token cannot be read.
    """
    try:
        token = secret_store(settings).get(settings.admin_token) if settings.admin_token else None
    except SecretProblem as problem:
        raise SettingsRejected(f"admin_token: {problem.message}; {problem.hint or 'check the reference'}") from problem
    return Client(settings.admin_address, token)
