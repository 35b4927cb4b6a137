"""A session that serves pages from a dictionary, and the queries of a class."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fgbench.collect.queries import Query, queries_for
from fgbench.collect.sites.base import Failure, FetchFailed, Response
from fgbench.species import Species, find

FIXTURES = Path(__file__).resolve().parent / "fixtures"


@dataclass
class Shelf:
    """Answers by URL: a body, a status, a redirect (the URL it leads to) or a failure.

    What is not on it answers 404. ``asked`` has every URL that was asked for, in order.
    """

    pages: Mapping[str, bytes | str | int | Failure]
    as_of: str | None = None
    asked: list[str] = field(default_factory=list)

    def get(self, url: str) -> Response:
        self.asked.append(url)
        page, final = self.pages.get(url, 404), ""
        while isinstance(page, str) and not isinstance(page, Failure):
            page, final = self.pages.get(page, 404), page
        if isinstance(page, Failure):
            raise FetchFailed(page, url, "as the test has it")
        status, body = (page, b"") if isinstance(page, int) else (200, page)
        headers = {"content-type": "text/html; charset=utf-8"}
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        return Response(url, status, headers, body, "2026-11-01T12:00:00Z", digest, final)

    def canonical(self, url: str) -> str:
        return url

    def has_key(self, name: str) -> bool:
        return False


@pytest.fixture
def shelf() -> Callable[..., Shelf]:
    """Makes a session that serves a dictionary."""
    return Shelf


@pytest.fixture
def fixture() -> Callable[[str], bytes]:
    """Reads a self-made page: ``fixture("audubon/northern-cardinal.html")``."""
    return lambda name: (FIXTURES / name).read_bytes()


@pytest.fixture
def asked() -> Callable[[int | str], tuple[Species, tuple[Query, ...]]]:
    """A class and its queries, as a build asks for it."""

    def ask(name: int | str) -> tuple[Species, tuple[Query, ...]]:
        bird = find(name)
        return bird, queries_for(bird)

    return ask
