"""Sites of which only copies in the Internet Archive are left.

Most had no search, or none that still works, so pages are found in the Archive's index: by a name
of the species in their address, or by its eBird code.
"""

from __future__ import annotations

import re
import unicodedata
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from fgbench.collect.sites import wayback
from fgbench.collect.sites.base import Absent, Access, Hit, RawText, Response, Session, Site
from fgbench.collect.sites.ebird import codes
from fgbench.collect.sites.licences import ALL_RIGHTS_RESERVED
from fgbench.collect.sites.outcomes import settle
from fgbench.collect.sites.page import Layout, parse
from fgbench.collect.sites.wayback import Capture, NotArchived
from fgbench.protocol import Medium

if TYPE_CHECKING:
    from fgbench.collect.queries import Query
    from fgbench.species import Species

_LAYOUT = Layout(
    lead=True,
    skip=frozenset(
        {
            *("sidebar", "widget", "widget-area", "navigation", "menu", "breadcrumbs"),
            *("comments", "comment-list", "comment-respond", "post-navigation", "post-meta"),
            *("entry-meta", "entry-footer", "sharedaddy", "jp-relatedposts", "screen-reader-text"),
            *("wp-caption-text", "breadcrumb", "caption", "ad", "advertisement"),
        }
    ),
)
"""No layout of these sites is known, so all prose counts; the classes are mostly WordPress's."""

_JOINT = "(?:%[0-9a-f]{2}|[^a-z0-9/]){0,3}"
"""What may stand between two words of a name in an address."""


class Archived(Site):
    """A site whose pages are read from the Archive, in the copies nearest to a date."""

    media = (Medium.TEXT,)
    hosts = (wayback.HOST,)
    access = Access.ARCHIVE
    licence = "All rights reserved: your own copy for research, never passed on."
    pace = 2.5
    requests_per_query = 2
    needs: ClassVar[tuple[str, ...]] = ()
    auth = None
    rule = "the Internet Archive's limits, agreed with its staff: 24 listings, 480 copies a minute"
    note = "Copies in the Internet Archive, the nearest to --as-of (2019-01-01)."
    publisher: ClassVar[str]

    def read(self, hit: Hit, response: Response) -> Iterator[RawText | Absent]:
        """The prose of a copy, once it is known to be whole.

        Raises ``FetchFailed`` (truncated, bad_encoding).
        """
        if response.status != 200:
            yield Absent(hit.site, hit.label, hit.query, "the Internet Archive has lost the copy")
            return
        wayback.check(hit, response)
        yield read_page(hit, response, self.publisher, response.final_url or response.url)


class NamedPages(Archived):
    """A site whose pages have names of species in their addresses."""

    @abstractmethod
    def look(self, names: str, session: Session) -> Sequence[Capture]:
        """The captures among which the species' may be; ``names`` matches keys that have one."""

    def find(
        self, species: Species, queries: Iterable[Query], session: Session
    ) -> Iterator[Hit | Absent]:
        """The captures with one of the names in their address; the best of them is the query."""
        asked = [(query.text, in_address(query.text)) for query in queries]
        try:
            captures = self.look("|".join(pattern for _, pattern in asked), session)
        except NotArchived as why:
            yield Absent(self.name, species.label, species.name, str(why))
            return
        found = False
        for capture in captures:
            path, _, parameters = capture.key.partition("?")
            name = next((text for text, pattern in asked if re.search(pattern, path)), None)
            if name is not None and not parameters:  # "?share=…" is the same page once more
                found = True
                yield wayback.hit_of(self.name, species.label, name, capture, session)
        if not found:
            reason = "no archived address has one of its names"
            yield Absent(self.name, species.label, species.name, reason)


class CodedPages(Archived):
    """A site of Cornell's, whose pages have eBird codes in their addresses."""

    @abstractmethod
    def look(self, code: str, session: Session) -> Sequence[Capture]:
        """The captures of a code's pages. Raises ``NotArchived``."""

    def find(
        self, species: Species, queries: Iterable[Query], session: Session
    ) -> Iterator[Hit | Absent]:
        """The pages of the first of the species' codes that has some; names are not asked for."""
        return settle((self._outcome(species, c, session) for c in codes(species)), species)

    def _outcome(self, species: Species, code: str, session: Session) -> Sequence[Hit] | Absent:
        try:
            captures = self.look(code, session)
        except NotArchived as why:
            return Absent(self.name, species.label, code, str(why))
        return [wayback.hit_of(self.name, species.label, code, c, session) for c in captures]


def in_address(name: str) -> str:
    """A regular expression for a name in an index key, the same to Python and to Java.

    Words may be joined by any sign or by none ("rubythroated-hummingbird"), and be plural. A name
    of one word must be a whole part of the path: "cardinal" also names people and places.
    """
    plain = unicodedata.normalize("NFKD", name.casefold()).replace("'", "").replace("’", "")
    words = re.findall("[a-z0-9]+", "".join(c for c in plain if not unicodedata.combining(c)))
    if len(words) < 2:
        return rf"[/)]{''.join(words) or '(?!)'}(?=[/.?]|$)"
    return rf"(?<![a-z]){_JOINT.join(words)}(?:e?s)?(?![a-z])"


def read_page(
    hit: Hit, response: Response, publisher: str, archive_url: str = ""
) -> RawText | Absent:
    """The prose of a page of unknown layout; ``hit.facts["original"]`` is its own address.

    Raises ``FetchFailed`` (bad_encoding).
    """
    page = parse(response)
    paragraphs, extractor = page.read(_LAYOUT)
    if not paragraphs:
        return Absent(hit.site, hit.label, hit.query, f"no text on its page {hit.url}")
    title, original = page.name or page.title, hit.facts["original"]
    via = f", archived copy {archive_url}" if archive_url else ""
    return RawText(
        hit=hit,
        title=title,
        paragraphs=paragraphs,
        source_url=original,
        source_id=hit.source_id,
        licence=ALL_RIGHTS_RESERVED,
        author=publisher,
        attribution=f"“{title}”, {publisher}, {original}{via}",
        archive_url=archive_url,
        extractor=extractor,
        about=tuple(name for name in (page.title, page.binomial) if name),
    )
