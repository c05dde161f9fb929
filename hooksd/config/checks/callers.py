"""Callers of endpoints whom nobody knows: a name without a key is answered as if there were no such endpoint."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from hooksd.config.checks.written import Written, texts_of
from hooksd.config.diagnostics import did_you_mean
from hooksd.config.finding import Finding


def check(endpoints: Iterable[Written], *, trigger_keys: Collection[str]) -> Iterator[Finding]:
    """Return a warning for each name in `callers` that the settings have no key of.

    Args:
        endpoints: Those to look at.
        trigger_keys: The names of the keys.
    """
    for endpoint in endpoints:
        for path, name in texts_of(endpoint.table.get("callers"), (*endpoint.path, "callers")):
            if name not in trigger_keys:
                hint = did_you_mean(name, trigger_keys) or f"set `trigger_keys.{name}` in hooksd.toml"
                yield Finding(
                    code="H062",
                    message=f"no key of the setting `trigger_keys` is called `{name}`",
                    file=endpoint.file,
                    path=path,
                    hint=hint,
                    severity="warning",
                )
