"""`hooksd schema`: the JSON schemas of definitions and of records."""

from __future__ import annotations

from pathlib import Path

import click

from hooksd.cli.invocation import shared_options
from hooksd.cli.output import note, say
from hooksd.config.schema import documents
from hooksd.errors import UsageError

DIFFERENT = 2
SUFFIX = ".schema.json"


@click.command()
@shared_options
@click.argument("name", required=False)
@click.option("--write", "write_to", metavar="DIR", type=click.Path(path_type=Path), help="Write the files there.")
@click.option("--check", metavar="DIR", type=click.Path(path_type=Path), help="Exit with 2 when the files differ.")
def command(name: str | None, write_to: Path | None, check: Path | None) -> int:
    """Print, write or check the JSON schemas: of files of definitions, for editors; of records, for programs.

    NAME is one of the files; without it and without options their names are printed.
    """
    files = dict(documents())
    if write_to is not None:
        write_to.mkdir(parents=True, exist_ok=True)
        for file, data in files.items():
            (write_to / file).write_bytes(data)
            note(f"wrote {write_to / file}")
        return 0
    if check is not None:
        return _check(files, check)
    if name is None:
        for file in files:
            say(file)
        return 0
    chosen = next((data for file, data in files.items() if name in (file, file.removesuffix(SUFFIX))), None)
    if chosen is None:
        raise UsageError(f"there is no schema `{name}`: choose one of {', '.join(files)}")
    say(chosen.decode().rstrip("\n"))
    return 0


def _check(files: dict[str, bytes], where: Path) -> int:
    different = [
        file for file, data in files.items() if not (where / file).is_file() or (where / file).read_bytes() != data
    ]
    for file in different:
        note(f"{where / file} is not what this version writes; run `hooksd schema --write {where}`")
    return DIFFERENT if different else 0
