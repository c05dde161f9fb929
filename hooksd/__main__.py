"""`python -m hooksd`, and the command `hooksd`."""

from __future__ import annotations

from hooksd.cli.interrupts import fatal


def main() -> None:
    """Run one command and exit with its status; see `hooksd.cli.main`."""
    with fatal():
        from hooksd.cli import main as cli  # noqa: PLC0415 - it takes most of the time
    cli.main()


if __name__ == "__main__":
    main()
