"""A running sample world, and a client that follows, retries and believes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from fgbench.collect.crawl.pace import Patience
from fgbench.collect.crawl.session import CrawlSession
from fgbench.collect.queries import queries_for
from fgbench.collect.sample import SampleWorld, sample_world
from fgbench.collect.sites.base import Absent, Hit, RawAudio, Response, Site
from fgbench.settings import Settings
from fgbench.species import Species, find


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


@contextmanager
def asking(world: SampleWorld, folder: Path, site: Site) -> Iterator[CrawlSession]:
    """A crawl session that asks a world for one site, without waiting."""
    patience = Patience(tries=2, backoff=0.0, unstated_wait=0.0, pace=0.0)
    with CrawlSession(folder, [site], world.settings(Settings()), patience=patience) as session:
        yield session


class Found(NamedTuple):
    bird: Species
    hits: list[Hit]
    raws: list[RawAudio]
    absent: list[Absent]

    def raw(self, start: str) -> RawAudio:
        """The one with such a title."""
        (one,) = (raw for raw in self.raws if raw.title.startswith(start))
        return one


def collect(site: Site, session: CrawlSession, name: str) -> Found:
    """What a site has for a species, read."""
    bird = find(name)
    found = Found(bird, [], [], [])
    for one in site.find(bird, queries_for(bird), session):
        if isinstance(one, Absent):
            found.absent.append(one)
            continue
        found.hits.append(one)
        answer: Response = session.get(one.url)
        for raw in site.read(one, answer):
            (found.raws if isinstance(raw, RawAudio) else found.absent).append(raw)
    return found


@pytest.fixture(name="asking", scope="session")
def _asking() -> Callable:
    return asking


@pytest.fixture(name="collect", scope="session")
def _collect() -> Callable[..., Found]:
    return collect
