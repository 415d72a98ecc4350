"""Who receives a send: the key's issuer, a model provider, this machine, the private network, or anyone else."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from agentguard.judge.globs import GlobSet
from agentguard.model.verdict import Destination

# Not `is_private`: it also calls documentation and reserved ranges private, which nobody owns.
_PRIVATE_4 = tuple(
    map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "224.0.0.0/24"))
)
_PRIVATE_6 = tuple(map(IPv6Network, ("fc00::/7", "fe80::/10", "ff02::/16")))
_PRIVATE_SUFFIXES = ("local", "localdomain", "lan", "internal", "intranet", "home.arpa", "corp", "home", "private")
_UNSPECIFIED = frozenset({IPv4Address(0), IPv6Address(0)})
# The shapes inet_aton understands beside a.b.c.d: 127.1, 2130706433, 0x7f000001, 0177.0.0.1.
_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)){0,3}\.?", re.ASCII)


def is_within(host: str, domains: Iterable[str]) -> bool:
    """Whether `host` is one of `domains` or lies below one, on label borders (`evil-x.com` is not within `x.com`)."""
    return any(host == domain or host.endswith("." + domain) for domain in domains)


def normal_host(host: str) -> str:
    """Lower case, without brackets or a final dot."""
    return host.strip("[]").rstrip(".").lower()


@lru_cache(maxsize=4096)
def locality(host: str) -> Destination:
    """LOOPBACK, PRIVATE or OTHER, from the name or the address alone: nothing is resolved.

    A name of one label is private (it only means something on this network), unless it is a number: `134744072`
    is an address of the outside world in disguise.
    """
    name = normal_host(host)
    address = _address(name)
    if address is not None:
        return _locality_of(address)
    if is_within(name, ("localhost",)):
        return Destination.LOOPBACK
    single = bool(name) and "." not in name and ":" not in name and not _NUMERIC.fullmatch(name)
    return Destination.PRIVATE if single or is_within(name, _PRIVATE_SUFFIXES) else Destination.OTHER


def destinations(
    host: str, issuers: tuple[str, ...], logins: GlobSet | None, models: GlobSet, *, gateway: bool = False
) -> tuple[Destination, ...]:
    """Every class `host` belongs to for one credential, the most telling first; OTHER only when it is in no other.

    Args:
        host: verified name or address, lower case.
        issuers: hosts the credential is meant for.
        logins: hosts of the agent whose own login file holds the credential; None when it is not from one.
        models: hosts that receive prompts.
        gateway: it passes prompts on to one of them, wherever it stands itself: then its own place says nothing.
    """
    found: list[Destination] = []
    name = normal_host(host)
    if is_within(name, issuers) or (logins is not None and logins.matches(name)):
        found.append(Destination.ISSUER)
    if gateway or models.matches(name):
        found.append(Destination.MODEL)
    near = Destination.OTHER if gateway else locality(host)
    if near is not Destination.OTHER or not found:
        found.append(near)
    return tuple(found)


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(name)
    except ValueError:
        if not _NUMERIC.fullmatch(name):
            return None
        try:
            return IPv4Address(socket.inet_aton(name.rstrip(".")))
        except OSError:
            return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _locality_of(address: IPv4Address | IPv6Address) -> Destination:
    if address.is_loopback or address in _UNSPECIFIED:
        return Destination.LOOPBACK
    networks: tuple[IPv4Network | IPv6Network, ...] = _PRIVATE_4 if address.version == 4 else _PRIVATE_6
    return Destination.PRIVATE if any(address in network for network in networks) else Destination.OTHER
