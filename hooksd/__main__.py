"""`python -m hooksd`."""

from __future__ import annotations

from hooksd.cli.main import main

if __name__ == "__main__":
    main()
