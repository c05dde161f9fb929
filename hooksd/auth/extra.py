"""Parts that need the extra `hooksd[crypto]`: imported when a definition asks for them, refused with a hint else."""

from __future__ import annotations

import importlib
from typing import Any

from hooksd.auth.problem import AuthProblem

MISSING = "H027"
"""The diagnostic for an extra that is not installed."""


def crypto(module: str) -> Any:
    """Return a module of this package that stands on `cryptography` or PyJWT.

    Args:
        module: Its name in `hooksd.auth`.

    Raises:
        AuthProblem: The extra is not installed.
    """
    try:
        return importlib.import_module(f"hooksd.auth.{module}")
    except ImportError as error:
        if (error.name or "").startswith("hooksd"):
            raise
        message = "public keys, tokens and certificates need an extra that is not installed"
        raise AuthProblem("type", message, 'install it: pip install "hooksd[crypto]"', code=MISSING) from error
