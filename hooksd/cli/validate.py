"""`hooksd validate`: what the daemon would say of these files."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hooksd import __version__
from hooksd.cli.invocation import shared_options
from hooksd.cli.list import covered
from hooksd.cli.loading import Tree, directory, load, settings_of, some_files
from hooksd.cli.output import as_json, counted, note, say
from hooksd.config.diagnostics import as_json as diagnostic_json
from hooksd.config.diagnostics import render_github, render_sarif, render_text
from hooksd.config.load import Loaded
from hooksd.errors import UsageError
from hooksd.model.auth import NoneAuth
from hooksd.model.definitions import Definitions

BAD = 1
WARNINGS = 3


@click.command()
@shared_options
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    help="Of what is wrong. Default: text.",
)
@click.option("--strict", is_flag=True, help="Exit with 3 when there are warnings.")
@click.option("-v", "--verbose", is_flag=True, help="Say of each webhook what its signature covers.")
@click.pass_context
def command(ctx: click.Context, paths: tuple[Path, ...], form: str, strict: bool, verbose: bool) -> int:
    """Check definitions and say what is wrong, where and what to do. Needs no daemon.

    PATHS is one directory, or files that are checked as a set of their own. Default: the directory of definitions.
    `github` writes what GitHub shows beside the lines of a pull request, `sarif` what code scanning reads, `json` one
    problem a line.
    """
    settings = settings_of(ctx)
    tree = _tree(paths or (settings.hooks_dir,))
    loaded = load(settings, tree)
    _write(loaded, tree, form)
    if verbose and form == "text" and loaded.definitions is not None:
        _write_coverage(loaded.definitions)
    if not loaded.ok:
        return BAD
    return WARNINGS if strict and loaded.diagnostics else 0


def _tree(paths: tuple[Path, ...]) -> Tree:
    if len(paths) == 1 and not paths[0].is_file():
        return directory(paths[0])
    if any(path.is_dir() for path in paths):
        raise UsageError("name one directory, or any number of files")
    return some_files(paths)


def _write(loaded: Loaded, tree: Tree, form: str) -> None:
    prefix = f"{_from_here(tree.root)}/"
    match form:
        case "json":
            for diagnostic in loaded.diagnostics:
                say(as_json(diagnostic_json(diagnostic)))
        case "github":
            click.echo(render_github(loaded.diagnostics, prefix=prefix), nl=False)
        case "sarif":
            click.echo(render_sarif(loaded.diagnostics, version=__version__, prefix=prefix), nl=False)
        case _:
            _write_text(loaded, tree)


def _write_text(loaded: Loaded, tree: Tree) -> None:
    if loaded.diagnostics:
        say(render_text(loaded.diagnostics, color=sys.stdout.isatty()))
    if loaded.ok and loaded.definitions is not None:
        say(f"{counted(loaded.definitions.counts())} in {_from_here(tree.root)}: ok")
    else:
        errors = sum(diagnostic.severity == "error" for diagnostic in loaded.diagnostics)
        note(f"{errors} error{'s' if errors != 1 else ''} in {_from_here(tree.root)}")


def _write_coverage(definitions: Definitions) -> None:
    for name, defined in definitions.webhooks.items():
        said = covered(defined.value) or "nothing: whoever has the secret may write anything"
        if isinstance(defined.value.auth, NoneAuth):
            said = "nothing: anybody may call"
        say(f"webhook {name}: its proof covers {said}")


def _from_here(root: Path) -> str:
    here = Path.cwd()
    absolute = root.absolute()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(root)
