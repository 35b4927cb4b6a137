"""Field guides on the web: sites that give each species pages under its common name."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from fgbench.collect.queries import QueryKind
from fgbench.collect.sites.base import Absent, Access, Hit, RawText, Site
from fgbench.collect.sites.licences import ALL_RIGHTS_RESERVED
from fgbench.collect.sites.outcomes import settle
from fgbench.collect.sites.outline import Layout
from fgbench.collect.sites.page import parse
from fgbench.protocol import Medium

if TYPE_CHECKING:
    from fgbench.collect.queries import Query
    from fgbench.collect.sites.base import Response, Session
    from fgbench.species import Species


_NO_PAGE = re.compile(
    r"\b(?:page not found|not found|(?:could ?n.t|cannot|can.t) find|404)\b", re.I
)
"""Titles of pages that say, with status 200, that there is none."""


class Guide(Site):
    """A site with pages by common name, all rights reserved, asked as its robots.txt allows.

    A guide says where a name's pages are (``addresses``) and what on them is text (``layout``).
    """

    publisher: ClassVar[str]
    layout: ClassVar[Layout]
    folder: ClassVar[str]
    """The path under which every page of a species lies; a redirect out of it means no page."""
    no_species: ClassVar[frozenset[str]] = frozenset()
    """What may stand in a species' place in such a path: a search, a list."""

    media = (Medium.TEXT,)
    access = Access.RESEARCH_COPY
    licence = "All rights reserved: your own copy for research, never passed on."
    pace = 5.0
    requests_per_query = 1
    needs = ()
    auth = None
    rule = "robots.txt"
    note = ""

    @abstractmethod
    def addresses(self, name: str) -> tuple[str, ...]:
        """A species' pages by its common name; the first is there for every species."""

    def find(
        self, species: Species, queries: Iterable[Query], session: Session
    ) -> Iterator[Hit | Absent]:
        """The pages of the first name that the guide knows; of several, for a mixed class."""
        outcomes = (self.look(query, session) for query in common_names(species, queries))
        return settle(outcomes, species)

    def look(self, query: Query, session: Session) -> Sequence[Hit] | Absent:
        """The pages under one name, or why there are none."""
        response = session.get(self.addresses(query.text)[0])
        slug = self.slug(response)
        if not slug:
            return Absent(self.name, query.label, query.text, why_absent(response))
        name = slug if response.final_url else query.text  # redirects lead to its name of today
        return [self.hit(query, session.canonical(url), slug) for url in self.addresses(name)]

    def slug(self, response: Response) -> str:
        """How the guide calls the species that it answered with, or ``""`` if with none."""
        path = urlsplit(response.final_url or response.url).path
        inside, _, rest = path.partition(self.folder)
        slug = rest.partition("/")[0]
        there = response.status == 200 and not inside and slug.lower() not in self.no_species
        return slug if there and not _NO_PAGE.search(parse(response).title) else ""

    def hit(self, query: Query, url: str, slug: str) -> Hit:
        """A page of a species: its part of the guide, if it has several, is in its source id."""
        part = urlsplit(url).path.partition(slug)[2].strip("/")
        source_id = f"{slug}/{part}" if part else slug
        return Hit(self.name, query.label, query.text, url, source_id, query.text)

    def read(self, hit: Hit, response: Response) -> Iterator[RawText | Absent]:
        """The paragraphs under the guide's headings; the page's names are what it is about."""
        if response.status != 200:
            yield Absent(hit.site, hit.label, hit.query, why_absent(response))
            return
        page = parse(response)
        paragraphs, extractor = page.read(self.layout)
        if not paragraphs:
            yield Absent(hit.site, hit.label, hit.query, f"no text on its page {hit.url}")
            return
        original = hit.facts.get("original", hit.url)
        title = page.name or page.title or hit.title
        yield RawText(
            hit=hit,
            title=title,
            paragraphs=paragraphs,
            source_url=original,
            source_id=hit.source_id,
            licence=replace(ALL_RIGHTS_RESERVED, url=self.terms_url),
            author=self.publisher,
            attribution=f"“{title}”, {self.publisher}, {original}",
            archive_url="" if original == hit.url else hit.url,
            extractor=extractor,
            about=tuple(n for n in (page.name, page.binomial) if n),
        )


def common_names(species: Species, queries: Iterable[Query]) -> tuple[Query, ...]:
    """The queries that are no scientific names, in their order; all, if none is."""
    scientific = {a.name for a in species.aliases if a.kind.endswith("scientific")}
    queries = tuple(queries)
    kept = (q for q in queries if q.kind is not QueryKind.SCIENTIFIC and q.text not in scientific)
    return tuple(kept) or queries


def plain_name(name: str) -> str:
    """A name as addresses have it: no apostrophes or stops, single spaces.

    >>> plain_name("St. Vincent’s  Parrot")
    'St Vincents Parrot'
    """
    return " ".join("".join(c for c in name if c not in "'’ʼ`.").split())


def why_absent(response: Response) -> str:
    """Why an answer is no page of a species."""
    if response.status != 200:
        return f"no page ({response.status})"
    return f"no page: its address leads to {response.final_url or response.url}"
