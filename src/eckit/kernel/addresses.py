"""Which hosts an outgoing request may reach: those of the public internet, and those on an allow-list.

The allow-list is empty by default. A host on it, as ``host`` or ``host:port``, may be private, use any port (or that
one) and plain ``http``; every other is reached by ``https`` on a standard port, at addresses that are all public.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

import attrs

from eckit.kernel.errors import invalid

Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
"""Host and port to IP addresses, all of them; raises ``OSError`` when there is none."""

_STANDARD_PORTS: Final = {"https": 443, "http": 80}
_NAME: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_GLOBAL_V6: Final = ipaddress.IPv6Network("2000::/3")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
# What ``is_global`` lets pass in some Python version: Teredo and kin, examples, 6to4 (it holds an IPv4 address).
_NOT_PUBLIC_V6: Final = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
_NOT_PUBLIC_V4: Final = tuple(map(ipaddress.IPv4Network, ("100.64.0.0/10", "192.88.99.0/24")))


class BlockedAddressError(Exception):
    """A request may not go there.

    :ivar host: the host as it was understood.
    :ivar detail: why, in English.
    """

    def __init__(self, host: str, detail: str) -> None:
        super().__init__(host, detail)
        self.host, self.detail = host, detail


def is_public(address: str) -> bool:
    """Whether an IP address is of the public internet: not private, shared, local, reserved, multicast or disguised."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return _is_public_v4(ip)
    if ip.ipv4_mapped is not None:
        return _is_public_v4(ip.ipv4_mapped)
    if ip in _NAT64:
        return _is_public_v4(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return ip in _GLOBAL_V6 and ip.is_global and not any(ip in network for network in _NOT_PUBLIC_V6)


def _is_public_v4(ip: ipaddress.IPv4Address) -> bool:
    odd = ip.is_multicast or ip.is_reserved or any(ip in network for network in _NOT_PUBLIC_V4)
    return ip.is_global and not odd


def resolve_host(host: str, port: int) -> Sequence[str]:
    """All addresses the machine's resolver knows for a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@attrs.frozen
class Target:
    """Where a request goes: ``trusted`` when it is on the allow-list."""

    scheme: str
    host: str
    port: int
    trusted: bool


class Door:
    """Decides where requests may go, and at which IP addresses.

    :raises InvalidInputError: ``not-a-host`` in the allow-list.
    """

    def __init__(self, allow_hosts: Iterable[str], resolve: Resolve = resolve_host) -> None:
        self._allowed = frozenset(map(_allowed_entry, allow_hosts))
        self._resolve = resolve

    def target(self, scheme: str, host: str, port: int | None, *, user: bool) -> Target:
        """The target of an address, from its parts.

        :param user: whether the address names a user, as ``https://shop.example@evil.example`` does.
        :raises BlockedAddressError: by its looks.
        """
        plain = _plain_host(host)
        if scheme not in _STANDARD_PORTS or not plain:
            raise BlockedAddressError(plain, "only https addresses with a host are used")
        if user:
            raise BlockedAddressError(plain, "the address names a user")
        if "%" in plain or not (_NAME.fullmatch(plain) or _is_ip(plain)):  # % is the scope of a local IPv6 address
            raise BlockedAddressError(plain, "this is no host name")
        number = _STANDARD_PORTS[scheme] if port is None else port
        trusted = (plain, number) in self._allowed or (plain, None) in self._allowed
        if not trusted and scheme != "https":
            raise BlockedAddressError(plain, "http is only for hosts on the allow-list")
        if not trusted and number not in _STANDARD_PORTS.values():
            raise BlockedAddressError(plain, f"port {number} is only for hosts on the allow-list")
        return Target(scheme, plain, number, trusted)

    def addresses(self, target: Target) -> Sequence[str]:
        """The IP addresses of a target, at least one. One that is not public spoils them all.

        :raises BlockedAddressError: the target is not trusted and not on the public internet.
        :raises OSError: the name has no address.
        """
        found = self._resolve(target.host, target.port)
        if not found:
            raise OSError(f"{target.host} has no address")
        if not target.trusted and not all(map(is_public, found)):
            raise BlockedAddressError(target.host, "the host is not on the public internet")
        return found


def _plain_host(host: str) -> str:
    return host.lower().removeprefix("[").removesuffix("]").removesuffix(".")


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _allowed_entry(entry: str) -> tuple[str, int | None]:
    host, colon, port = entry.rpartition(":")
    has_port = bool(colon) and not _is_ip(_plain_host(entry))  # a bare IPv6 address has colons of its own
    plain = _plain_host(host if has_port else entry)
    if not (_NAME.fullmatch(plain) or _is_ip(plain)) or (has_port and not _is_port(port)):
        raise invalid("not-a-host", "allow_hosts", entry, suggestion="127.0.0.1:8080")
    return plain, int(port) if has_port else None


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 0 < int(text) < 65536
