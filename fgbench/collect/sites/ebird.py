"""ebird.org: one paragraph of identification a species, found by its eBird code.

Evidence is from programs that read the site between 2020 and 2025: address, headings, and the
description, which stands in a ``meta`` element and on the page. Browser-like user agents get an
Anubis challenge (seen 2026), honest ones the page: nothing here pretends to be a browser.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fgbench.collect.sites import page
from fgbench.collect.sites.base import (
    Absent,
    Access,
    Failure,
    FetchFailed,
    Hit,
    Paragraph,
    RawText,
    Response,
    Session,
    Site,
)
from fgbench.collect.sites.licences import ALL_RIGHTS_RESERVED
from fgbench.collect.sites.outcomes import settle
from fgbench.collect.sites.page import Layout, Page
from fgbench.protocol import Medium

if TYPE_CHECKING:
    from fgbench.collect.queries import Query
    from fgbench.species import Species

_PATH = "/species/"
_CUT = ("...", "…")
_CHALLENGE = b"anubis_challenge"


def codes(species: Species) -> tuple[str, ...]:
    """The eBird codes under which a class may stand, the likeliest first.

    Splits change codes: that of 2019, today's, and those of all species that a mixed class holds.
    """
    given = (species.ebird_code, species.ebird_code_2025, *(t.ebird_code for t in species.species))
    return tuple(dict.fromkeys(code for code in given if code))


class EBird(Site):
    """The species pages of eBird."""

    name = "ebird"
    media = (Medium.TEXT,)
    home = "https://ebird.org"
    hosts = ("ebird.org",)
    terms_url = "https://www.birds.cornell.edu/home/terms-of-use/"
    access = Access.RESEARCH_COPY
    licence = "All rights reserved: your own copy for research, never passed on."
    pace = 5.0
    requests_per_query = 2
    needs = ()
    auth = None
    rule = "robots.txt"
    note = "One paragraph a species. Codes come from the benchmark's species table."

    def find(
        self, species: Species, queries: Iterable[Query], session: Session
    ) -> Iterator[Hit | Absent]:
        """The page of the species' code; names are not asked for."""
        return settle((self._look(species, code, session) for code in codes(species)), species)

    def _look(self, species: Species, code: str, session: Session) -> Sequence[Hit] | Absent:
        response = session.get(session.canonical(f"{self.home}{_PATH}{code}"))
        ends_at = response.final_url or response.url
        if response.status != 200:
            return Absent(self.name, species.label, code, "no page for the code")
        if not urlsplit(ends_at).path.startswith(_PATH):
            return Absent(self.name, species.label, code, f"the code leads to {ends_at}")
        return [Hit(self.name, species.label, code, response.url, ends_at.rpartition("/")[2])]

    def read(self, hit: Hit, response: Response) -> Iterator[RawText | Absent]:
        """The paragraph of identification. Raises ``FetchFailed`` for a challenge page."""
        if _CHALLENGE in response.body:
            detail = "the host answered with a challenge for browsers instead of the page"
            raise FetchFailed(Failure.HTTP_4XX, response.url, detail)
        found = page.parse(response)
        text = _description(found)
        if not text:
            yield Absent(self.name, hit.label, hit.query, "the page describes nothing")
            return
        url = response.final_url or response.url
        title = found.name or found.title
        yield RawText(
            hit=hit,
            title=title,
            paragraphs=(Paragraph(text, "Identification"),),
            source_url=url,
            source_id=hit.source_id,
            licence=ALL_RIGHTS_RESERVED,
            author="Cornell Lab of Ornithology",
            attribution=f"{title}, eBird, Cornell Lab of Ornithology, {url}",
            about=tuple(name for name in (found.title, found.binomial) if name),
        )


def _description(found: Page) -> str:
    """The page's own description; where it is cut short, the paragraph that it is the start of."""
    text = found.meta("description") or found.meta("og:description")
    cut = next((mark for mark in _CUT if text.endswith(mark)), "")
    start = text.removesuffix(cut).rstrip()
    if not cut or not start:
        return start
    blocks = (p.text for p in found.paragraphs(Layout(lead=True)))
    return next((block for block in blocks if block.startswith(start)), "")
