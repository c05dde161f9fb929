"""References to secrets, and secrets that cannot be printed by accident."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, StringConstraints

from hooksd.model.base import one_or_many

REFERENCE_PATTERN = r"^(credential|env|file):.+$"
_REFERENCE = re.compile(REFERENCE_PATTERN)

SecretRef = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
"""`credential:NAME` (a file in the credentials directory), `env:NAME` or `file:PATH`.

Anything else is a literal, which `config.secrets` refuses unless the settings allow inline secrets.
"""

SecretRefs = Annotated[
    tuple[SecretRef, ...], BeforeValidator(one_or_many, json_schema_input_type=SecretRef | list[SecretRef])
]
"""One reference, or several while a secret is being rotated."""


def is_reference(text: str) -> bool:
    """Tell whether `text` names a secret instead of being one."""
    return _REFERENCE.match(text) is not None


class Secret:
    """The bytes of a secret, whose repr and str are `***`."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """Return the bytes. Call it where they are used and nowhere else."""
        return self._value

    def text(self) -> str:
        """Return the secret as text.

        Raises:
            UnicodeDecodeError: It is not UTF-8.
        """
        return self._value.decode()

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)
