from __future__ import annotations

import socket
from ipaddress import ip_address
from types import SimpleNamespace

import pytest
from urllib3.exceptions import NewConnectionError

from fgbench.collect.crawl.guard import Guard, PrivateAddress, is_public

PRIVATE = """
127.0.0.1 127.9.9.9 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 0.0.0.0 100.64.0.1 192.0.2.1
198.18.0.1 224.0.0.1 240.0.0.1 255.255.255.255 ::1 :: fe80::1 fc00::1 fd12::1 ff02::1 fec0::1
2001:db8::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1 64:ff9b::a00:1 2002:7f00:1::1
2002:a00:1::1 2001:0:4136:e378:8000:63bf:3fff:fdd2
"""
PUBLIC = "8.8.8.8 208.80.154.224 2620:0:861:ed1a::1 ::ffff:8.8.8.8 64:ff9b::808:808"


@pytest.mark.parametrize("address", PRIVATE.split())
def test_private(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC.split())
def test_public(address):
    assert is_public(ip_address(address))


def answer(monkeypatch, *addresses):
    """Makes every name resolve to these; gives the list of names that were looked up."""
    asked = []

    def getaddrinfo(host, port, **_):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_one_private_address_among_public_ones_is_enough(monkeypatch):
    answer(monkeypatch, "8.8.8.8", "10.0.0.1")
    with pytest.raises(PrivateAddress, match=r"aviary.example is at 10\.0\.0\.1"):
        Guard(()).resolve("aviary.example", 443)


def test_only_the_stand_ins_own_port_is_admitted(monkeypatch):
    answer(monkeypatch, "127.0.0.1")
    guard = Guard({("127.0.0.1", 8080)})
    assert guard.resolve("127.0.0.1", 8080)
    for host, port in (("127.0.0.1", 8081), ("localhost", 8080)):
        with pytest.raises(PrivateAddress):
            guard.resolve(host, port)


def test_it_connects_to_the_address_that_was_checked(monkeypatch):
    """The second answer of a name server that means harm is never asked for."""
    asked = answer(monkeypatch, "192.0.2.1")
    monkeypatch.setattr("fgbench.collect.crawl.guard.is_public", lambda address: True)
    connected = []

    class Socket:
        def __init__(self, *_): ...
        def settimeout(self, seconds): ...
        def close(self): ...
        def connect(self, address):
            answer(monkeypatch, "127.0.0.1")
            connected.append(address)
            raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "socket", Socket)
    connection = SimpleNamespace(host="aviary.example", port=443, timeout=1, socket_options=None)
    with pytest.raises(NewConnectionError, match="Connection refused"):
        Guard(()).connect(connection)
    assert (asked, connected) == (["aviary.example"], [("192.0.2.1", 443)])
