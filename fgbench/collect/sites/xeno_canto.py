"""xeno-canto.org by its interface of today, version 3: a key, tagged queries, licences per item.

Evidence: a recorded answer and error of version 3, and clients of 2026; version 2 answers 404 since
then. The sound of a recording is public and needs no key. Recordings of species that are trapped
are listed without their sound.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from fgbench.collect.sites.base import (
    Absent,
    Access,
    Auth,
    Failure,
    FetchFailed,
    Hit,
    RawAudio,
    Response,
    Session,
    Site,
)
from fgbench.collect.sites.guide import common_names
from fgbench.collect.sites.licences import licence_of
from fgbench.collect.sites.listings import (
    answer,
    cut_off,
    day,
    left_out,
    lines,
    pages,
    prose,
    records,
    seconds,
    whole,
    words,
)
from fgbench.collect.sites.mentions import name_keys
from fgbench.collect.sites.outcomes import settle
from fgbench.protocol import Medium
from fgbench.species import name_key, species

if TYPE_CHECKING:
    from fgbench.collect.queries import Query
    from fgbench.species import Species

PAGE = "https://xeno-canto.org/{}"
"""A recording's page by its catalogue number; its source id is the number after ``XC``."""

_API = "https://xeno-canto.org/api/3/"
_PER_PAGE = 500
_MOST_PAGES = 20
"""10,000 recordings: 160 times what a class needs."""
_GRADES = frozenset("ABCDE")
_CITED = re.compile(r"\bXC ?-?(\d{1,9})\b", re.IGNORECASE | re.ASCII)
_SAME = re.compile(
    r"\b(?:same|this (?:bird|individual|recording|song)|cut|part|excerpt|extract|continu\w*|longer"
    r"|shorter|full|whole|original|edited)\b",
    re.IGNORECASE,
)
"""In a remark that cites another recording: it is of the same bird or of one piece with it."""


class XenoCanto(Site):
    """Recordings by scientific name; where it knows none of them, by its own common name."""

    name = "xeno-canto"
    media = (Medium.AUDIO,)
    home = "https://xeno-canto.org/"
    hosts = ("xeno-canto.org", "www.xeno-canto.org")
    terms_url = "https://xeno-canto.org/about/terms"
    access = Access.KEY
    licence = (
        "As each recording states it, Creative Commons; one that forbids derivatives stays whole."
    )
    pace = 2.0
    requests_per_query = _MOST_PAGES
    needs = ("FGBENCH_XENO_CANTO_KEY",)
    auth = Auth(key="FGBENCH_XENO_CANTO_KEY", prefix=_API, parameter="key")
    rule = "the terms of its interface, https://xeno-canto.org/explore/api"
    note = (
        "The key is on your account's page. Its terms ask not to mass-download: no more sounds are"
        " fetched than are needed, 2 s apart. For a bulk transfer, write to them."
    )

    def find(
        self, species: Species, queries: Iterable[Query], session: Session
    ) -> Iterator[Hit | Absent]:
        """The pages of the listing; the second and later ones are not asked for here.

        Raises ``FetchFailed`` (http_4xx) where the interface answers with an error.
        """
        queries = tuple(queries)
        common = common_names(species, queries)
        scientific = [q for q in queries if q not in common and " " in q.text]
        # A mixed class is asked for by all its names: common ones would list all once more.
        asked = scientific if len(species.species) > 1 else [*scientific, *common]
        return settle((self._look(q, q in common, session) for q in asked), species)

    def _look(self, query: Query, common: bool, session: Session) -> Sequence[Hit] | Absent:
        tag = f'en:"={_unquoted(query.text)}"' if common else f'sp:"{_unquoted(query.text)}"'
        first = session.get(session.canonical(_listing(tag, 1)))
        found = _answer(first)
        if not records(found, "recordings", first):
            return Absent(self.name, query.label, query.text, "no recordings")
        return [
            Hit(
                self.name,
                query.label,
                query.text,
                session.canonical(_listing(tag, page)),
                f"{tag} page {page}",
                facts=facts,
            )
            for page, facts in pages(whole(found, "numPages"), _MOST_PAGES)
        ]

    def read(self, hit: Hit, response: Response) -> Iterator[RawAudio | Absent]:
        """The recordings of a page of the listing; absences for those that have no sound.

        Raises ``FetchFailed`` (truncated, http_4xx).
        """
        restricted, others = [], []
        names = name_keys(species()[hit.label])
        for record in records(_answer(response), "recordings", response):
            number = whole(record, "id")
            if not number:
                continue
            taxon = f"{words(record, 'gen')} {words(record, 'sp')}".strip()
            if not {name_key(taxon), name_key(words(record, "en"))} & names:
                others.append(f"XC{number} ({taxon})")
            elif _is_restricted(record):
                restricted.append(f"XC{number}")
            else:
                yield _recording(hit, record, number, taxon)
        yield from left_out(hit, "the site keeps back the sound of", restricted)
        yield from left_out(hit, "listed, but of another species", others)
        yield from cut_off(hit)


def _listing(tag: str, page: int) -> str:
    asked = {"query": tag, "page": page, "per_page": _PER_PAGE}
    return f"{_API}recordings?{urlencode(asked, quote_via=quote)}"


def _unquoted(name: str) -> str:
    return name.replace('"', "")


def _answer(response: Response) -> Mapping[str, Any]:
    """What the interface answered. Raises ``FetchFailed``: an error of its own, or nonsense."""
    found = answer(response)
    error = found.get("error")
    if error is not None:
        said = error if isinstance(error, dict) else found
        detail = f"the interface's error: {words(said, 'message')[:200] or 'not said which'}"
        raise FetchFailed(Failure.HTTP_4XX, response.url, detail)
    return found


def _is_restricted(record: Mapping[str, Any]) -> bool:
    file = words(record, "file")
    return not file or "restricted" in file


def _recording(hit: Hit, record: Mapping[str, Any], number: int, taxon: str) -> RawAudio:
    page = PAGE.format(number)
    address = words(record, "lic")
    licence = licence_of(f"https:{address}" if address.startswith("//") else address, address)
    author = words(record, "rec")
    name = words(record, "en")
    return RawAudio(
        hit=hit,
        title=f"{name} ({taxon}), {words(record, 'type')}".rstrip(", "),
        source_url=page,
        source_id=f"XC{number}",
        licence=licence,
        media_url=f"{page}/download" if licence.redistributable else "",
        author=author,
        attribution=f"{author}, XC{number}, {page}, {licence.name}",
        recorded_on=day(words(record, "date")),
        place=", ".join(p for p in (words(record, "loc"), words(record, "cnt")) if p),
        quality=grade if (grade := words(record, "q")) in _GRADES else "",
        duration_s=seconds(words(record, "length")),
        other_species=lines(record, "also"),
        related=_related(record, number),
    )


def _related(record: Mapping[str, Any], number: int) -> tuple[str, ...]:
    """The recordings that the remarks say are of the same bird, or of one piece with this one."""
    sentences = re.split(r"[.;!?\r\n]+", prose(record, "rmk"))
    cited = (int(n) for s in sentences if _SAME.search(s) for n in _CITED.findall(s))
    return tuple(f"XC{n}" for n in dict.fromkeys(cited) if n != number)
