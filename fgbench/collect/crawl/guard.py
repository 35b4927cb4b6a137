"""The private-address guard: no request leaves for this machine or its network.

A name is resolved once, every address it has is checked, and the connection goes to a checked
address and no other, so that a second answer of the name server cannot lead elsewhere.
"""

from __future__ import annotations

import socket
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

_NAT64 = IPv6Network("64:ff9b::/96")


class PrivateAddress(Exception):
    """A host has an address that is not public."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is a public unicast one; an IPv4 address inside an IPv6 one counts."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast


class Guard:
    """Resolves, checks and connects. ``admitted`` are the host and port pairs of stand-ins."""

    def __init__(self, admitted: Collection[tuple[str, int]]) -> None:
        self._admitted = frozenset(admitted)

    def admits(self, host: str, port: int) -> bool:
        """Whether a host and port are a stand-in's, which may be anywhere."""
        return (host.lower(), port) in self._admitted

    def resolve(self, host: str, port: int) -> list[tuple[Any, ...]]:
        """What ``getaddrinfo`` says of a host, all of it checked.

        Raises ``PrivateAddress``, or ``OSError`` where the name does not resolve.
        """
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
        if not self.admits(host, port):
            for *_, address in found:
                if not is_public(ip_address(str(address[0]).partition("%")[0])):
                    raise PrivateAddress(f"{host} is at {address[0]}, which is not public")
        return found

    def connect(self, connection: HTTPConnection) -> socket.socket:
        """A socket to one of the checked addresses; errors are urllib3's own."""
        host = connection.host
        try:
            found = self.resolve(host, connection.port or 0)
        except socket.gaierror as error:
            raise NameResolutionError(host, connection, error) from error
        except UnicodeError as error:  # a label longer than names may have
            raise NewConnectionError(connection, "not a host name") from error
        failure = OSError("the name has no address")
        for family, kind, protocol, _, address in found:
            sock = socket.socket(family, kind, protocol)
            try:
                for option in connection.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(connection.timeout)
                sock.connect(address)
            except OSError as error:
                sock.close()
                failure = error
            else:
                return sock
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(connection, "no connection in time") from failure
        raise NewConnectionError(connection, failure.strerror or str(failure)) from failure
