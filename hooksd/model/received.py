"""A file that a request brought: where its bytes are, and what the caller says of it, which is only data."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from hooksd.model.base import Json

LONGEST_NAME: Final = 100
"""Characters of a safe name: short enough for every file system, with room for a number before its ending."""
NAMELESS: Final = "file"
"""What a file is called whose caller gave it no name of which anything is left."""

MOST_VARIANTS: Final = 1000
"""Names that are tried for one file."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,10}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedFile:
    """One file of a request. Its bytes are a blob beside the log."""

    field: str
    """The name of the form field, as the caller wrote it."""
    name: str
    """A name that is safe as the name of a file on any system, made of the caller's: see `safe_name`."""
    filename: str
    """The caller's own name for it, as it came: data, never a path."""
    media: str
    """The media type that the caller declares, in lower case, without parameters. Nobody checked it."""
    size: int
    """Bytes."""
    digest: str
    """Of its bytes, and where they are: `sha256:<hex>`."""

    def as_json(self, folder: str) -> dict[str, Json]:
        """Return it as expressions and programs read it.

        Args:
            folder: The directory of the log, whose blobs hold the bytes.
        """
        sha256 = self.digest.removeprefix("sha256:")
        return {
            "field": self.field,
            "name": self.name,
            "filename": self.filename,
            "media": self.media,
            "size": self.size,
            "sha256": sha256,
            "path": f"{folder}/blobs/{sha256[:2]}/{sha256}",
        }


Files = Mapping[str, ReceivedFile]
"""The files of a request by the names of their fields; of several in one field the second is `FIELD_2`."""


def safe_name(filename: str) -> str:
    """Return a name for a file that is made of a caller's.

    It is the last part of what may be a path of any system, in ASCII letters, digits, `.`, `_` and `-`; it begins with
    none of `.` and `-`, and is not longer than `LONGEST_NAME`. So it is no path, no option, no hidden file.
    """
    last = re.split(r"[/\\\x00]", filename)[-1]
    plain = unicodedata.normalize("NFKD", last[: 10 * LONGEST_NAME]).encode("ascii", "ignore").decode()
    name = _UNSAFE.sub("_", plain).lstrip(".-_").rstrip(".")
    if len(name) > LONGEST_NAME:
        ending = match[0] if (match := _ENDING.search(name)) else ""
        name = name[: LONGEST_NAME - len(ending)] + ending
    return name or NAMELESS


def numbered(name: str) -> Iterator[str]:
    """Yield a name and then variants of it: `a.pdf`, `a-2.pdf`, `a-3.pdf`, at most a thousand."""
    yield name
    ending = match[0] if (match := _ENDING.search(name)) and match.start() else ""
    stem = name.removesuffix(ending) if ending else name
    for number in range(2, MOST_VARIANTS + 1):
        yield f"{stem}-{number}{ending}"


def free_key(field: str, taken: Mapping[str, object]) -> str:
    """Return the name under which a file of a field is found: that of the field, with a number if it is taken."""
    key, number = field, 1
    while key in taken:
        number += 1
        key = f"{field}_{number}"
    return key
