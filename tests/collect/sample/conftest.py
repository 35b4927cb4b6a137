"""A running sample world, and a client that follows, retries and believes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from fgbench.collect.sample import SampleWorld, sample_world


class Got(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


Get = Callable[..., Got]


def ask(world: SampleWorld, site: str, target: str, headers: Mapping[str, str] = {}) -> Got:
    """One request, one answer, read to its end."""
    connection = HTTPConnection(urlsplit(world.urls[site]).netloc, timeout=20)
    try:
        connection.request("GET", target, headers=dict(headers))
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Got(answer.status, found, answer.read())
    finally:
        connection.close()


@pytest.fixture(name="ask", scope="session")
def _ask() -> Get:
    return ask


@pytest.fixture(scope="session")
def world() -> Iterator[SampleWorld]:
    """One without faults."""
    with sample_world() as running:
        yield running


@pytest.fixture(scope="session")
def get(world: SampleWorld) -> Get:
    """Asks that world: ``get(site, target)``."""
    return lambda site, target, headers={}: ask(world, site, target, headers)
