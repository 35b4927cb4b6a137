"""New Hampshire PBS: NatureWorks and Wildlife Journal Junior, short pages for children.

They moved from nhptv.org to nhpbs.org; what neither has any more is read from the Internet Archive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fgbench.collect.sites import wayback
from fgbench.collect.sites.base import Absent, Failure, FetchFailed, Hit, RawText, Response
from fgbench.collect.sites.guide import Guide
from fgbench.collect.sites.outline import Layout

if TYPE_CHECKING:
    from fgbench.collect.queries import Query
    from fgbench.collect.sites.base import Session


class Nhpbs(Guide):
    """Known from stored copies of a page and from programs that read the site, to 2025.

    ``/wild/commonname.asp`` on both hosts, letters only and in lower case, and the older
    ``/natureworks/commonname.htm``. The layout is one of tables: Description, Range, Habitat,
    Diet, Life Cycle, Behavior in cells, with a classification ("Kingdom: …") beside. Titles end in
    "NatureWorks" or "Wildlife Journal Junior". In 2026 a host natureworks.nhpbs.org was seen, whose
    addresses for species are not known.
    """

    name = "nhpbs"
    home = "https://nhpbs.org/wild/"
    hosts = (
        "nhpbs.org",
        "www.nhpbs.org",
        "nhptv.org",
        "www.nhptv.org",
        "natureworks.nhpbs.org",
        wayback.HOST,
    )
    terms_url = "https://nhpbs.org/"
    publisher = "New Hampshire PBS"
    requests_per_query = 7
    note = "Short texts. What has left the site is read from the Internet Archive."
    folder = "/"
    layout = Layout(
        sections=frozenset(
            {
                *("description", "characteristics", "range", "habitat", "diet", "food"),
                *("life cycle", "reproduction", "behavior", "behaviour", "status", "facts"),
            }
        ),
        leave=frozenset({"classification", "sound", "sounds", "credits", "photo credits"}),
        tables=True,
    )

    def addresses(self, name: str) -> tuple[str, ...]:
        """Where the page may be, today's address first: one of them, or none."""
        letters = _letters(name)
        return (
            f"https://nhpbs.org/wild/{letters}.asp",
            f"https://nhptv.org/wild/{letters}.asp",
            f"https://nhptv.org/natureworks/{letters}.htm",
        )

    def look(self, query: Query, session: Session) -> Sequence[Hit] | Absent:
        """The first page that one of the hosts has, or else the Archive.

        A host that is gone is no answer, and the next is asked; robots.txt is one, and ends it.
        """
        trouble: FetchFailed | None = None
        for url in self.addresses(query.text):
            try:
                response = session.get(url)
            except FetchFailed as failure:
                if failure.kind in {Failure.REFUSED_BY_ROBOTS, Failure.NOAI}:
                    raise
                trouble = trouble or failure
                continue
            if self.slug(response) and _letters(_stem(response)) == _letters(query.text):
                found = response.final_url or response.url
                return [Hit(self.name, query.label, query.text, found, _letters(query.text))]
        archived = self._archived(query, session)
        if isinstance(archived, Absent) and trouble is not None:
            raise trouble
        return archived

    def _archived(self, query: Query, session: Session) -> Sequence[Hit] | Absent:
        """The capture of the first address that has one, the nearest to the session's date."""
        reason = ""
        for url in self.addresses(query.text):
            try:
                (capture, *_) = wayback.captures(session, url.partition("//")[2])
            except wayback.NotArchived as why:
                reason = str(why)
                continue
            hit = wayback.hit_of(self.name, query.label, query.text, capture, session)
            return [replace(hit, source_id=_letters(query.text))]
        return Absent(self.name, query.label, query.text, f"no page, and {reason}")

    def read(self, hit: Hit, response: Response) -> Iterator[RawText | Absent]:
        """The page's paragraphs.

        Raises ``FetchFailed`` (truncated, bad_encoding): a copy that is not whole, a wrong charset.
        """
        if "digest" in hit.facts and response.status == 200:
            wayback.check(hit, response)
        return super().read(hit, response)


def _letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _stem(response: Response) -> str:
    """The last part of the path, without its ending."""
    path = urlsplit(response.final_url or response.url).path.rstrip("/")
    return re.sub(r"\.\w+$", "", path.rpartition("/")[2])
