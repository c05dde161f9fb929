r"""Which character of the source a character of a parsed text comes from.

An expression stands in a string of TOML or JSON; its problems are at a place in the parsed text. `"a\tb"` has three
characters and six in the source, so the places differ.
"""

from __future__ import annotations

import re

_DELIMITER = re.compile(r'"""|\'\'\'|"|\'')
# One character of the parsed text. A pair of JSON surrogates is one; a TOML line continuation is none.
_UNIT = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\x[0-9a-fA-F]{2}|(?P<none>\\[ \t]*\n\s*)|\\.|[\s\S]"
)


def source_offset(raw: str, index: int) -> int:
    """Return where character `index` of a parsed text stands in the source `raw` of the string, delimiters included.

    An index beyond the end means the end; a source that is no string, its start.
    """
    delimiter = _DELIMITER.match(raw)
    if delimiter is None:
        return 0
    quotes = delimiter[0]
    start = len(quotes)
    end = len(raw) - len(quotes)
    if len(quotes) == 3 and raw.startswith("\n", start):
        start += 1  # TOML drops a line end right behind the opening quotes
    if quotes[0] == "'":
        return min(start + index, end)
    return _walk(raw, start, end, index)


def _walk(raw: str, start: int, end: int, index: int) -> int:
    for unit in _UNIT.finditer(raw, start, end):
        if unit["none"] is None:
            if index == 0:
                return unit.start()
            index -= 1
    return end
