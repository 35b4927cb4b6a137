"""freesound.org by its interface: a token, one phrase a search, previews of what is found.

Evidence: the interface's own documentation and source of July 2026. With a token alone it gives
previews (Ogg Vorbis, about 192 kbit/s); originals need a user's login, which is not scripted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from fgbench.collect.sites.base import (
    Absent,
    Access,
    Auth,
    Hit,
    Licence,
    RawAudio,
    Response,
    Session,
    Site,
)
from fgbench.collect.sites.licences import licence_of
from fgbench.collect.sites.listings import (
    amount,
    answer,
    cut_off,
    left_out,
    lines,
    pages,
    prose,
    records,
    whole,
    words,
)
from fgbench.collect.sites.mentions import mentions, others_named
from fgbench.collect.sites.outcomes import settle
from fgbench.protocol import Medium
from fgbench.species import species

if TYPE_CHECKING:
    from fgbench.collect.queries import Query
    from fgbench.species import Species

_API = "https://freesound.org/apiv2/"
_PER_PAGE = 150
_MOST_PAGES = 4
_FIELDS = (
    "id,url,name,tags,description,username,license,gen_ai_preference,type,channels,samplerate,"
    "duration,filesize,md5,created,geotag,pack,previews,category,subcategory"
)
_FILTER = "duration:[1 TO 1800]"
"""Seconds. A preview of half an hour has some 40 MB."""
_PREVIEWS = ("preview-hq-ogg", "preview-hq-mp3")
_PREVIEW = re.compile(r"/previews/\d+/[\w-]+\.(?:ogg|mp3)")
_ZERO = "http://creativecommons.org/publicdomain/zero/1.0/"
_ANY_USE, _NO_GEN_AI = "no-additional-preferences", "no-gen-ai"
_PREFERENCES = frozenset(
    {_ANY_USE, _NO_GEN_AI, "open-source-models", "noncommercial-open-source-models"}
)


class Freesound(Site):
    """Sounds under the first name of a species that some are named or tagged with, as a bird."""

    name = "freesound"
    media = (Medium.AUDIO,)
    home = "https://freesound.org/"
    hosts = ("freesound.org", "cdn.freesound.org")
    terms_url = "https://freesound.org/docs/api/terms_of_use.html"
    access = Access.KEY
    licence = (
        "As each sound states it: CC0, CC BY or CC BY-NC; what its author keeps from generative"
        " models is listed, and not fetched."
    )
    pace = 1.25
    requests_per_query = _MOST_PAGES
    needs = ("FGBENCH_FREESOUND_TOKEN",)
    auth = Auth(key="FGBENCH_FREESOUND_TOKEN", prefix=_API, header="Authorization", scheme="Token")
    rule = "the terms of its interface, https://freesound.org/docs/api/terms_of_use.html"
    note = (
        "Previews, which is all that a token gives; free for non-commercial use. It allows 60"
        " requests a minute and 2,000 a day: for all 200 classes, build again on the next day."
    )

    def find(
        self, species: Species, queries: Iterable[Query], session: Session
    ) -> Iterator[Hit | Absent]:
        """The pages of the listing of the first name that sounds of the species have."""
        return settle((self._look(species, query, session) for query in queries), species)

    def _look(self, bird: Species, query: Query, session: Session) -> Sequence[Hit] | Absent:
        first = session.get(session.canonical(_listing(query.text, 1)))
        if first.status != 200:
            return Absent(self.name, query.label, query.text, f"no listing ({first.status})")
        found = answer(first)
        listed = records(found, "results", first)
        if not any(mentions(bird, _said(sound)) for sound in listed):
            reason = f"none of {len(listed)} sounds is said to be of the bird" if listed else "none"
            return Absent(self.name, query.label, query.text, reason)
        return [
            Hit(
                self.name,
                query.label,
                query.text,
                session.canonical(_listing(query.text, page)),
                f"“{query.text}” page {page}",
                facts=facts,
            )
            for page, facts in pages(-(-whole(found, "count") // _PER_PAGE), _MOST_PAGES)
        ]

    def read(self, hit: Hit, response: Response) -> Iterator[RawAudio | Absent]:
        """The sounds of a page of the listing that are said to be of the bird.

        Raises ``FetchFailed`` (truncated).
        """
        if response.status != 200:
            yield Absent(hit.site, hit.label, hit.query, f"no listing ({response.status})")
            return
        bird, others = species()[hit.label], []
        for sound in records(answer(response), "results", response):
            number = whole(sound, "id")
            if number and mentions(bird, _said(sound)):
                yield _recording(hit, bird, sound, number)
            elif number:
                others.append(str(number))
        yield from left_out(hit, "listed, but not said to be of the bird", others)
        yield from cut_off(hit)


def _listing(name: str, page: int) -> str:
    phrase = name.replace('"', "")
    asked = {
        "query": f'"{phrase}"',
        "filter": _FILTER,
        "sort": "created_asc",  # what is added later is on the last page
        "fields": _FIELDS,
        "page": page,
        "page_size": _PER_PAGE,
    }
    return f"{_API}search/?{urlencode(asked, quote_via=quote)}"


def _said(sound: Mapping[str, Any]) -> str:
    """What its author says of a sound: name, tags, description and category."""
    described = (words(sound, "name"), *lines(sound, "tags"), prose(sound, "description"))
    return " | ".join((*described, words(sound, "category"), words(sound, "subcategory")))


def _recording(hit: Hit, bird: Species, sound: Mapping[str, Any], number: int) -> RawAudio:
    licence = _licence(words(sound, "license"))
    preference = words(sound, "gen_ai_preference") or _ANY_USE
    known = preference if preference in _PREFERENCES else _NO_GEN_AI
    free = licence.redistributable and known != _NO_GEN_AI
    author, title = words(sound, "username"), words(sound, "name")
    page = f"https://freesound.org/people/{quote(author, safe='')}/sounds/{number}/"
    media_url = _preview(sound) if free else ""
    return RawAudio(
        hit=hit,
        title=title,
        source_url=page,
        source_id=str(number),
        licence=licence,
        media_url=media_url,
        author=author,
        attribution=f"“{title}” by {author}, {page}, {licence.name}",
        place=words(sound, "geotag"),
        duration_s=amount(sound, "duration"),
        other_species=others_named(bird, _said(sound)),
        flags=tuple(
            flag
            for flag, there in (("preview", bool(media_url)), (known, known != _ANY_USE))
            if there
        ),
    )


def _licence(stated: str) -> Licence:
    """The licence as the interface states it: the address of its deed, or, as of old, its name."""
    if stated.startswith(("http://", "https://")):
        return licence_of(stated, stated)
    if stated.casefold() == "creative commons 0":
        return licence_of(_ZERO)
    return licence_of("", f"CC {stated}" if stated else "")


def _preview(sound: Mapping[str, Any]) -> str:
    """The address of the best preview on the site's own host, wherever the answer says it is."""
    previews = sound.get("previews")
    if not isinstance(previews, dict):
        return ""
    for name in _PREVIEWS:
        try:
            path = urlsplit(words(previews, name)).path
        except ValueError:
            continue
        if _PREVIEW.fullmatch(path):
            return f"https://cdn.freesound.org{path}"
    return ""
