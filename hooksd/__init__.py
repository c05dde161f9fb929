"""hooksd: webhooks and workflows from versioned files."""

from __future__ import annotations

__version__ = "0.1.0"
