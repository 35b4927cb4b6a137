"""avibase.bsc-eoc.org: which recordings of a species it plays, and from which collection.

It has no sound of its own: its players are those of other collections, so a row is a pointer to the
recording there, under that collection's id, and what xeno-canto or the Macaulay Library have is
known as the same. Evidence is from a program that read it in 2023: the search's table with an id of
16 hexadecimal digits in a link, ``sec=audio``, and frames. It is run by one person: 5 s and more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

from fgbench.collect.clean.subject import plain_words
from fgbench.collect.sites import macaulay, xeno_canto
from fgbench.collect.sites.base import Absent, Access, Hit, RawAudio, Response, Session, Site
from fgbench.collect.sites.licences import ALL_RIGHTS_RESERVED
from fgbench.collect.sites.listings import left_out
from fgbench.collect.sites.mentions import scientific_names
from fgbench.collect.sites.outcomes import settle
from fgbench.collect.sites.page import parse
from fgbench.collect.sites.players import sources, tree
from fgbench.protocol import Medium

if TYPE_CHECKING:
    from fgbench.collect.queries import Query
    from fgbench.species import Species

_SEARCH = "https://avibase.bsc-eoc.org/search.jsp?pg=search&isadv=yes&qstr={}&qtype=2"
_SOUNDS = "https://avibase.bsc-eoc.org/species.jsp?lang=EN&avibaseid={}&sec=audio"
_ID = re.compile(r"(?:avibaseid=|')([0-9A-Fa-f]{16})(?![0-9A-Fa-f])")
_ROWS, _FRAMES = 200, 8
_ORIGINS = (
    (
        re.compile(
            r"//(?:www\.)?xeno-canto\.org/(?:(\d{1,9})(?:/|$)|sounds/uploaded/\w+/XC(\d{1,9})\b)",
            re.IGNORECASE,
        ),
        "XC",
        xeno_canto.PAGE,
    ),
    (
        re.compile(
            r"//(?:(?:\w+\.)?macaulaylibrary\.org|cdn\.download\.ams\.birds\.cornell\.edu/api/v\d)"
            r"/(?:asset|audio)/(?:ML)?(\d{1,15})(?:/|$)",
            re.IGNORECASE,
        ),
        "ML",
        macaulay.PAGE,
    ),
)
"""Addresses of players and sounds, by collection: their catalogue number, and its page there."""


class Avibase(Site):
    """Recordings that the page of a species plays, found by its scientific name."""

    name = "avibase"
    media = (Medium.AUDIO,)
    home = "https://avibase.bsc-eoc.org/"
    hosts = ("avibase.bsc-eoc.org", "avibase.ca")
    terms_url = "https://avibase.bsc-eoc.org/"
    access = Access.POINTER
    licence = "That of the collection which has the recording: a row says which, without sound."
    pace = 5.0
    requests_per_query = 2 + _FRAMES
    needs = ()
    auth = None
    rule = "robots.txt"
    note = "No terms of use were found. It plays recordings of xeno-canto and the Macaulay Library."

    def find(
        self, species: Species, queries: Iterable[Query], session: Session
    ) -> Iterator[Hit | Absent]:
        """The page of sounds of the first scientific name that it knows, and frames of its own."""
        names = scientific_names(species)
        asked = [query for query in queries if query.text in names]
        return settle((self._look(species, query, session) for query in asked), species)

    def _look(self, bird: Species, query: Query, session: Session) -> Sequence[Hit] | Absent:
        search = session.get(session.canonical(_SEARCH.format(quote(query.text, safe=""))))
        number = _species_id(search, query.text, (bird.avibase_id or "").upper())
        if not number:
            return Absent(self.name, query.label, query.text, "no species of that name")
        url = session.canonical(_SOUNDS.format(number))
        page = session.get(url)
        frames = sources(tree(page), "iframe") if page.status == 200 else ()
        addresses = (session.canonical(a) for a in map(_absolute, frames) if a)
        own = [address for address in addresses if self._is_own(address)]
        return [
            Hit(self.name, query.label, query.text, address, number)
            for address in dict.fromkeys((url, *own[:_FRAMES]))
        ]

    def _is_own(self, address: str) -> bool:
        return urlsplit(address).hostname in self.hosts

    def read(self, hit: Hit, response: Response) -> Iterator[RawAudio | Absent]:
        """Pointers to the recordings that a page or a frame plays.

        Raises ``FetchFailed`` (bad_encoding, too_large).
        """
        if response.status != 200:
            yield Absent(hit.site, hit.label, hit.query, f"no page ({response.status})")
            return
        name = parse(response).name or hit.query
        played = sources(tree(response), "iframe", "audio", "source")
        addresses = [address for address in map(_absolute, played) if address]
        origins = filter(None, map(_origin, addresses))
        for source_id, page in dict.fromkeys(origins):
            yield RawAudio(
                hit=hit,
                title=f"{name}, {source_id}",
                source_url=page,
                source_id=source_id,
                licence=ALL_RIGHTS_RESERVED,
                attribution=f"{source_id}, {page}, by way of Avibase, {hit.url}",
            )
        strange = [a[:200] for a in addresses if not _origin(a) and not self._is_own(a)]
        yield from left_out(hit, "played from where no collection is known", strange)
        if not addresses:
            yield Absent(hit.site, hit.label, hit.query, f"its page {hit.url} plays nothing")


def _species_id(response: Response, name: str, start: str) -> str:
    """Avibase's id of a species, from the row with its name; ``start`` is how it should begin.

    A search with one answer leads straight to its page.
    """
    if response.status != 200:
        return ""
    direct = _ID.search(urlsplit(response.final_url).query)
    if direct:
        return direct[1].upper()
    ids = []
    for row in islice(tree(response).iter("tr"), _ROWS):
        link = next((a.get("href") or "" for a in islice(row.iter("a"), _ROWS)), "")
        found = _ID.search(link)
        if found and plain_words(name) in plain_words(" ".join(row.itertext())):
            ids.append(found[1].upper())
    return next((i for i in ids if start and i.startswith(start)), ids[0] if ids else "")


def _absolute(source: str) -> str:
    """A player's address in full; ``""`` for what is none."""
    try:
        address = urljoin(Avibase.home, source)
        parts = urlsplit(address)
    except ValueError:
        return ""
    fits = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    return address if fits else ""


def _origin(address: str) -> tuple[str, str] | None:
    """The id that a recording has in the collection it is played from, and its page there."""
    path = address.partition("?")[0].partition("#")[0].partition(":")[2]
    for pattern, prefix, page in _ORIGINS:
        found = pattern.match(path)
        if found:
            number = int(next(group for group in found.groups() if group))
            return f"{prefix}{number}", page.format(number)
    return None
