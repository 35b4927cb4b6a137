"""Find and fetch: each site is asked for each species, one worker a host, all hosts at once.

What a site has goes to the store; what is left here is where it lies, what is absent, and what
could not be had. Asked again, all of it comes from journal and store.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

from fgbench.collect.crawl.asker import Watch
from fgbench.collect.crawl.pace import Stopped
from fgbench.collect.crawl.session import CrawlSession
from fgbench.collect.crawl.workers import run_hosts
from fgbench.collect.queries import Query
from fgbench.collect.sites.base import (
    Absent,
    Failure,
    FetchFailed,
    Hit,
    Response,
    Session,
    Site,
)
from fgbench.dataset.collected import Failed
from fgbench.errors import FgbenchError
from fgbench.protocol import Medium
from fgbench.species import Species

UNREADABLE = "unreadable"
"""A reason of ``Failed`` beside those of ``Failure``: the adapter does not know such an answer."""
_RESTRICTED = {Failure.REFUSED_BY_ROBOTS, Failure.NOAI}


@dataclass(slots=True)
class Harvest:
    """Of every site and species asked: pages in the store, absences, failures."""

    hits: list[Hit] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)

    def note(self, outcome: Absent | Failed) -> None:
        """Adds what is no hit."""
        if isinstance(outcome, Absent):
            self.absent.append(outcome)
        else:
            self.failed.append(outcome)


@runtime_checkable
class Importer(Protocol):
    """A site of which the user has files: they stand for answers, and nothing is asked for them."""

    place: Path | None
    """The folder or file that the first of ``Site.needs`` names; a build sets it."""

    def saved(self, hit: Hit) -> Response | None:
        """What stands for the answer to a hit; None where it is to be fetched."""


@runtime_checkable
class Fetcher(Protocol):
    """A site whose answers take more than one request."""

    def fetch(self, hit: Hit, session: Session) -> Response | None:
        """The answer to a hit, put together; None where one request gives it."""


def response_to(hit: Hit, site: Site, session: CrawlSession) -> Response:
    """The answer to a hit: the user's file, or from the store, or asked for now."""
    own = site.saved(hit) if isinstance(site, Importer) else None
    own = own or (site.fetch(hit, session) if isinstance(site, Fetcher) else None)
    return own or session.get(hit.url)


def outcome(
    site: Site, label: int, error: Exception, *, query: str = "", url: str = ""
) -> Absent | Failed:
    """The record of an exception that ``Site.find`` or ``Site.read`` raised.

    What a site keeps from programs is absent, not failed: it is not there for us, and asking again
    would not help. An adapter that trips over one page must not end a build of thousands, so that
    is an outcome of the page; our own errors, and the end of a run, are raised again.
    """
    if not isinstance(error, FetchFailed):
        return unreadable(site.media[0], Hit(site.name, label, query, url, ""), error)
    if error.kind in _RESTRICTED:
        return Absent(site.name, label, query, f"{error.kind}: {error.detail}")
    return Failed(site.media[0], site.name, label, query, error.url, error.kind, error.detail)


def unreadable(medium: Medium, hit: Hit, error: Exception) -> Failed:
    """The record of an answer that something trips over. Raises it where it is not the answer."""
    if isinstance(error, FgbenchError | Stopped | MemoryError):
        raise error
    detail = f"{type(error).__name__}: {error}"[:300]
    return Failed(medium, hit.site, hit.label, hit.query, hit.url, UNREADABLE, detail)


def harvest(
    sites: Sequence[Site],
    queries: Mapping[Species, Sequence[Query]],
    session: CrawlSession,
    watch: Watch,
) -> Harvest:
    """Everything that the sites have for the species, in the order of sites and species."""
    jobs: defaultdict[str, list[Callable[[], tuple[int, int, Harvest]]]] = defaultdict(list)
    for place, site in enumerate(sites):
        for bird, names in queries.items():
            jobs[site.hosts[0]].append(partial(_look, place, site, bird, names, session))
    found = sorted(run_hosts(jobs, session.clock, watch), key=lambda result: result[:2])
    whole = Harvest()
    for _, _, part in found:
        whole.hits += part.hits
        whole.absent += part.absent
        whole.failed += part.failed
    return whole


def _look(
    place: int, site: Site, bird: Species, names: Iterable[Query], session: CrawlSession
) -> tuple[int, int, Harvest]:
    """What one site has for one species, fetched; with the site's place and the label, to sort."""
    part = Harvest()
    for hit in _find(site, bird, names, session, part):
        session.link(hit)
        try:
            response_to(hit, site, session)
        except FetchFailed as error:
            part.note(outcome(site, bird.label, error, query=hit.query))
        else:
            part.hits.append(hit)
    return place, bird.label, part


def _find(
    site: Site, bird: Species, names: Iterable[Query], session: CrawlSession, part: Harvest
) -> Iterator[Hit]:
    """The site's hits, no page twice; absences and a failure to find go to ``part``."""
    seen: set[str] = set()
    try:
        for found in site.find(bird, names, session):
            if isinstance(found, Absent):
                part.note(found)
            elif found.url not in seen:
                seen.add(found.url)
                yield found
    except Exception as error:
        part.note(outcome(site, bird.label, error, query=bird.name))
