r"""What commands print: results on standard output, messages on standard error, and no escape that came from data.

Whatever a caller sent may stand in the log. Control characters are shown as `\x1b`, so that a terminal prints them
instead of obeying them.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping, Sequence

import click
import orjson

from hooksd.cli.width import cells, padded, shortened
from hooksd.model.plain import Json

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""C0, DEL and C1 control characters, the marks that reorder text or end a line (Unicode TR 36), and
halves of characters, which no terminal can be sent."""
_UNSEEN_IN_JSON = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Those of them that JSON texts hold as they are."""

GAP = "  "
LEAST = 12
"""Characters of a column that tell something."""
IDENTIFIED = 42
"""Characters of a column that begins with an identifier, which can still be copied, and the sign of a cut."""

Cuts = Sequence[tuple[int, int]]
"""Columns of a table, in the order in which they are cut, and how many characters stay of each."""


def safe(text: object) -> str:
    """Return text that a terminal only shows: control characters are written as escapes."""
    return _CONTROL.sub(_escaped, str(text))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def as_json(tree: Json) -> str:
    """Return one line of JSON that a terminal only shows."""
    text = orjson.dumps(tree, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    return _UNSEEN_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def as_pretty_json(tree: Json) -> str:
    """Return JSON for people that a terminal only shows."""
    text = orjson.dumps(tree, default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_INDENT_2).decode()
    return _UNSEEN_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def say(line: str = "", *, nl: bool = True) -> None:
    """Print one line of the result. Colours are left out where standard output is no terminal."""
    click.echo(line, nl=nl)


def note(line: str) -> None:
    """Print one line for the person, on standard error."""
    click.echo(line, err=True)


def terminal_width() -> int | None:
    """Return how many characters a line of the terminal has; None: results go elsewhere, where no line is too long."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table(
    header: Sequence[str], rows: Sequence[Sequence[object]], *, width: int | None = None, cuts: Cuts = ()
) -> list[str]:
    """Return the lines of a table: columns as wide as their widest cell.

    Args:
        header: Titles of the columns.
        rows: As many cells each; made safe here.
        width: Of the terminal: what does not fit is cut. None: nothing is.
        cuts: What is cut first: columns, -1 is the last, and how many characters stay of each. Where that is not
            enough, the last column gives way to the others.
    """
    body = [[safe(cell) for cell in row] for row in rows]
    widths = [max(cells(line[index]) for line in [list(header), *body]) for index in range(len(header))]
    if width is not None:
        widths = _fitting(widths, width - len(GAP) * (len(widths) - 1), cuts)
    lines = [click.style(_row(header, widths), bold=True)]
    lines += [_row(row, widths) for row in body]
    return lines


def _fitting(widths: Sequence[int], room: int, cuts: Cuts) -> list[int]:
    fitting = _narrowed(widths, room, cuts)
    return fitting if sum(fitting) <= room else _narrowed(widths, room, ((-1, LEAST), *cuts, (-1, 1)))


def _narrowed(widths: Sequence[int], room: int, cuts: Cuts) -> list[int]:
    narrowed = list(widths)
    for index, least in cuts:
        narrowed[index] -= max(0, min(sum(narrowed) - room, narrowed[index] - least))
    return narrowed


def _row(row: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join(padded(shortened(cell, width), width) for cell, width in zip(row, widths, strict=True)).rstrip()


def counted(counts: Mapping[str, int]) -> str:
    """Write `{"webhooks": 1, "deliveries": 2}` as `1 webhook, 2 deliveries`."""
    return ", ".join(f"{count} {_one(kind) if count == 1 else kind}" for kind, count in counts.items())


def _one(kind: str) -> str:
    return kind[:-3] + "y" if kind.endswith("ies") else kind.removesuffix("s")
