"""Who may be called: the rules about hosts, ports and addresses, as pure functions. `delivery.dialer` asks them.

Who wrote the host decides: one that stands literally in a definition may be private, because whoever commits
definitions may reach it anyway; one that came from a template or from data must be global, whoever sends the data.
Metadata services and link-local addresses are never called unless their address is listed.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

from hooksd.delivery.addresses import Address, Network, Reach, forms, network, reach
from hooksd.model.egress import Egress, is_network


class Blocked(Exception):
    """A request may not go where it should. The message says where and why."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rules:
    """`Egress`, ready to be asked. `rules_of` makes one for each."""

    allow_hosts: tuple[str, ...] = ()
    allow_networks: tuple[Network, ...] = ()
    deny_hosts: tuple[str, ...] = ()
    deny_networks: tuple[Network, ...] = ()
    ports: frozenset[int] = frozenset()
    https_only: bool = False
    proxy: str | None = None


OPEN = Rules()
"""Nothing is said: the rules of this module alone hold."""


@functools.lru_cache(maxsize=1024)
def rules_of(egress: Egress | None) -> Rules:
    """Return the rules that a definition states."""
    if egress is None:
        return OPEN
    allow_hosts, allow_networks = _split(egress.allow)
    deny_hosts, deny_networks = _split(egress.deny)
    return Rules(
        allow_hosts=allow_hosts,
        allow_networks=allow_networks,
        deny_hosts=deny_hosts,
        deny_networks=deny_networks,
        ports=frozenset(egress.ports),
        https_only=egress.https_only,
        proxy=egress.proxy,
    )


def check_host(rules: Rules, scheme: str, host: str, port: int) -> None:
    """Check what can be judged before a name is resolved.

    Raises:
        Blocked: It may not be called.
    """
    if rules.https_only and scheme != "https":
        raise Blocked(f"{host} may not be called: `egress.https_only` refuses http")
    if rules.ports and port not in rules.ports:
        raise Blocked(f"{host} may not be called: port {port} is not in `egress.ports`")
    if _is_named(host, rules.deny_hosts):
        raise Blocked(f"{host} may not be called: it is in `egress.deny`")


def check_address(rules: Rules, host: str, address: Address, *, is_literal: bool) -> None:
    """Check one address of a host.

    Args:
        rules: What the definition says.
        host: As it stands in the URL.
        address: One that it stands for.
        is_literal: The host is written literally in a definition.

    Raises:
        Blocked: It may not be called.
    """
    if any(_is_in(form, rules.deny_networks) for form in forms(address)):
        raise Blocked(f"{_naming(host, address)} may not be called: it is in `egress.deny`")
    how_far = reach(address)
    if how_far is Reach.GLOBAL or _is_in(address, rules.allow_networks):
        return
    if how_far is Reach.NEVER:
        what = "metadata services, link-local and multicast addresses are called only if `egress.allow` lists them"
        raise Blocked(f"{_naming(host, address)} may not be called: {what}")
    if not is_literal and not _is_named(host, rules.allow_hosts):
        what = "it is not on the Internet, and the host is not written in the definition: list it in `egress.allow`"
        raise Blocked(f"{_naming(host, address)} may not be called: {what}")


def _naming(host: str, address: Address) -> str:
    return host if host == str(address) else f"{host} ({address})"


def _is_named(host: str, patterns: Iterable[str]) -> bool:
    name = host.lower().rstrip(".")
    return any(
        name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern.rstrip(".") for pattern in patterns
    )


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in item for item in networks)


def _split(places: Iterable[str]) -> tuple[tuple[str, ...], tuple[Network, ...]]:
    """Return the hosts and the networks among places."""
    hosts, networks = [], []
    for place in places:
        if is_network(place):
            networks.append(network(place))
        else:
            hosts.append(place)
    return tuple(hosts), tuple(networks)
