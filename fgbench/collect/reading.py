"""Read and clean: from stored answers to rows, side by side on an engine. No network, no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from fgbench.collect.clean.text import clean
from fgbench.collect.crawl.session import CrawlSession
from fgbench.collect.harvest import outcome, response_to
from fgbench.collect.sites.base import Absent, Hit, RawAudio, RawText, Response, Site
from fgbench.dataset.collected import Failed
from fgbench.dataset.schema import Row
from fgbench.engine import map_unordered
from fgbench.species import species

FEW = 200
"""Fewer pages than this are read in this process: starting others would take longer."""
BATCH = 64 * 2**20
"""Bytes of answers that are in memory at a time, and one answer more."""


@dataclass(frozen=True, slots=True)
class Page:
    """A stored answer on its way to a worker. ``place`` is its hit's, by which results sort."""

    place: int
    site: Site
    hit: Hit
    response: Response


@dataclass(frozen=True, slots=True)
class Listed:
    """A recording that a listing names; ``listing`` is the answer that names it, without body."""

    site: Site
    raw: RawAudio
    listing: Response


@dataclass(frozen=True, slots=True)
class PageRead:
    """What became of a page: rows of texts (one with a ``stage`` was rejected), recordings that it
    lists, and what is neither. ``listing``: its answer without body."""

    place: int
    listing: Response
    rows: tuple[Row, ...] = ()
    recordings: tuple[RawAudio, ...] = ()
    others: tuple[Absent | Failed, ...] = ()


def read_pages(
    hits: Sequence[Hit],
    sites: Iterable[Site],
    session: CrawlSession,
    engine: str,
    advance: Callable[[int, int], None],
) -> list[PageRead]:
    """Every page read, in the order of ``hits``, on whatever engine.

    ``advance`` is told how many of all are read.
    """
    adapters = {site.name: site for site in sites}
    workers = 1 if engine == "local" and len(hits) < FEW else None
    pages = (
        Page(place, adapters[hit.site], hit, response_to(hit, adapters[hit.site], session))
        for place, hit in enumerate(hits)
    )
    results: list[PageRead] = []
    for batch in batches(pages):
        for result in map_unordered(read_page, batch, engine=engine, workers=workers):
            results.append(result)
            advance(len(results), len(hits))
    return sorted(results, key=lambda result: result.place)


class _Answered(Protocol):
    @property
    def response(self) -> Response: ...


A = TypeVar("A", bound=_Answered)


def batches(answered: Iterable[A]) -> Iterator[list[A]]:
    """Answers in lists of about ``BATCH`` bytes: an engine draws ahead, however large they are."""
    batch: list[A] = []
    size = 0
    for one in answered:
        batch.append(one)
        size += len(one.response.body)
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def read_page(page: Page) -> PageRead:
    """What is on one page; pure. A page that fails has nothing on it, so that it counts once."""
    rows: list[Row] = []
    recordings: list[RawAudio] = []
    absent: list[Absent] = []
    hit, answer = page.hit, page.response
    listing = replace(answer, body=b"")
    try:
        for found in page.site.read(hit, answer):
            if isinstance(found, Absent):
                absent.append(found)
            elif isinstance(found, RawText):
                bird = species()[hit.label]
                rows += clean(found, bird, retrieved_at=answer.date, warc_digest=answer.digest)
            elif isinstance(found, RawAudio):
                recordings.append(found)
            else:
                raise TypeError(f"{type(found).__name__} on a page")
    except Exception as error:
        other = outcome(page.site, hit.label, error, query=hit.query, url=hit.url)
        return PageRead(page.place, listing, others=(other,))
    return PageRead(page.place, listing, tuple(rows), tuple(recordings), tuple(absent))
