"""Webhooks as text that a program writes and people read. Pure: `daemon.editor` reads and writes the files.

A new file is laid out as a person would write it: flat, aligned, in the order of the documentation. In a file that is
there already only what differs is touched, so that comments and order stay.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Final

import tomli
import tomlkit
from tomlkit.exceptions import TOMLKitError

from hooksd.model.base import Json
from hooksd.model.file import SUPPORTED_VERSIONS
from hooksd.model.webhook import Webhook

TOML: Final = "application/toml"
"""The media type of a file of definitions (registered with IANA in 2024)."""

FOLDER: Final = "webhooks"
"""Where new files are written, below the directory of definitions: apart from what people write."""

STAMPS: Final = ("created_at", "created_by", "updated_at", "updated_by")
"""The keys of a webhook that the admin API sets by itself."""

WIDE: Final = 100
"""Characters of a list that is written on one line."""

_ORDER: Final = tuple(field.alias or name for name, field in Webhook.model_fields.items())
_BESIDE: Final = frozenset({"version", "$schema", "webhooks"})


class NotAlone(Exception):
    """A text defines other things than the one webhook, or not that one. The message says what."""


def path_of(name: str) -> str:
    """Return where a new webhook is written, relative to the directory of definitions."""
    return f"{FOLDER}/{name}.toml"


def fresh(name: str, document: Mapping[str, Json]) -> str:
    """Return the text of a file that defines one webhook.

    Args:
        name: The webhook.
        document: Its table as JSON data; keys that are null are left out.

    Raises:
        ValueError: A list holds null, which TOML cannot write.
    """
    rank = {key: place for place, key in enumerate(_ORDER)}
    ordered = sorted(document.items(), key=lambda item: (item[0] in STAMPS, rank.get(item[0], len(rank))))
    pairs = [(_key(*path), _text(value)) for path, value in _flat(dict(ordered))]
    width = max((len(key) for key, _ in pairs), default=0)
    lines = [f"{key.ljust(width)} = {value}" for key, value in pairs]
    return "\n".join([f"version = {SUPPORTED_VERSIONS[-1]}", "", f"[{_key('webhooks', name)}]", *lines, ""])


def revised(text: str, name: str, document: Mapping[str, Json]) -> str:
    """Return the text of a file after its one webhook has changed; comments stay where that is possible.

    Args:
        text: The file, which `read_one` accepts.
        name: The webhook.
        document: Its table as it shall be; keys that are null are left out.

    Raises:
        ValueError: A list holds null, which TOML cannot write.
    """
    wanted = _without_null(document)
    try:
        if text == fresh(name, tomli.loads(text)["webhooks"][name]):
            return fresh(name, wanted)  # laid out by this module, and so again
        tree: Any = tomlkit.parse(text)
        _merge(tree["webhooks"][name], wanted)
        result = tomlkit.dumps(tree)
        if tomli.loads(result)["webhooks"][name] == wanted:
            return result
    except (TOMLKitError, tomli.TOMLDecodeError, LookupError, TypeError, AttributeError):
        pass  # written in a way that cannot be edited in place
    return fresh(name, wanted)


def read_one(text: str, name: str) -> dict[str, Json]:
    """Return the table of the one webhook that a text defines.

    Raises:
        NotAlone: It defines something else too, or not this webhook.
        tomli.TOMLDecodeError: It is not TOML.
    """
    tree = tomli.loads(text)
    webhooks = tree.get("webhooks")
    if not isinstance(webhooks, Mapping) or not isinstance(webhooks.get(name), Mapping):
        raise NotAlone(f"it does not hold `[{_key('webhooks', name)}]`")
    if others := sorted([*(tree.keys() - _BESIDE), *(f"webhooks.{other}" for other in webhooks if other != name)]):
        raise NotAlone(f"it also holds `{others[0]}`")
    return copy.deepcopy(dict(webhooks[name]))


def _merge(table: MutableMapping[str, Any], wanted: Mapping[str, Json]) -> None:
    for key in [key for key in table if key not in wanted]:
        del table[key]
    for key, value in wanted.items():
        known = table.get(key)
        if isinstance(known, MutableMapping) and isinstance(value, Mapping) and value:
            _merge(known, value)
        elif known is None and isinstance(value, Mapping):
            for path, leaf in _flat(value):
                table.append(tomlkit.key([key, *path]), _item(leaf))  # type: ignore[attr-defined] # a table of tomlkit
        elif known != value:
            table[key] = _item(value)


def _flat(tree: Mapping[str, Json]) -> Iterator[tuple[tuple[str, ...], Json]]:
    """Yield what is not a table, with the keys that lead there."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from (((key, *path), leaf) for path, leaf in _flat(value))
        elif value is not None:
            yield (key,), value


def _without_null(tree: Mapping[str, Json]) -> dict[str, Json]:
    return {
        key: _without_null(value) if isinstance(value, Mapping) else value
        for key, value in tree.items()
        if value is not None
    }


def _key(*parts: str) -> str:
    return ".".join(tomlkit.key(part).as_string() for part in parts)


def _item(value: Json) -> Any:
    """Return a value as tomlkit writes it; by itself it would begin tables of their own for lists of tables."""
    return tomlkit.value(_text(value))


def _text(value: Json) -> str:
    match value:
        case None:
            raise ValueError("TOML has no null: leave the key out")
        case Mapping() if not value:
            return "{}"
        case Mapping():
            return "{ " + ", ".join(f"{_key(key)} = {_text(item)}" for key, item in value.items()) + " }"
        case list() | tuple():
            items = [_text(item) for item in value]
            line = f"[{', '.join(items)}]"
            return line if len(line) <= WIDE else "".join(["[\n", *(f"  {item},\n" for item in items), "]"])
        case _:
            return tomlkit.item(value).as_string()
