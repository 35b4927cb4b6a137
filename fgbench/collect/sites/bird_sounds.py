"""bird-sounds.net: a page a species, with one to three clips of which nobody says whose they are.

Evidence is from programs that read it in 2023 and 2025: ``/common-name``, with ``source`` elements
that lead to ``birdmedia/….mp3``. No licence or author was seen, so a row says where a clip is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from fgbench.collect.clean.subject import plain_words
from fgbench.collect.sites.base import Absent, Access, Hit, RawAudio, Response, Session, Site
from fgbench.collect.sites.guide import common_names, plain_name, why_absent
from fgbench.collect.sites.licences import ALL_RIGHTS_RESERVED
from fgbench.collect.sites.outcomes import settle
from fgbench.collect.sites.page import parse
from fgbench.collect.sites.players import sources, tree
from fgbench.protocol import Medium

if TYPE_CHECKING:
    from fgbench.collect.queries import Query
    from fgbench.species import Species


class BirdSounds(Site):
    """Where the clips of a species are; they are not fetched."""

    name = "bird-sounds"
    media = (Medium.AUDIO,)
    home = "https://www.bird-sounds.net/"
    hosts = ("www.bird-sounds.net", "bird-sounds.net")
    terms_url = "https://www.bird-sounds.net/"
    access = Access.POINTER
    licence = "None stated: a row says where a clip is, and the clip is not fetched."
    pace = 5.0
    requests_per_query = 1
    needs = ()
    auth = None
    rule = "robots.txt"
    note = "No terms of use were found. Mostly birds of the United States."

    def find(
        self, species: Species, queries: Iterable[Query], session: Session
    ) -> Iterator[Hit | Absent]:
        """The page of the first common name that the site knows."""
        asked = common_names(species, queries)
        return settle((self._look(query, session) for query in asked), species)

    def _look(self, query: Query, session: Session) -> Sequence[Hit] | Absent:
        slug = plain_name(query.text).lower().replace(" ", "-")
        response = session.get(session.canonical(self.home + slug))
        if not _is_about(query.text, response):
            return Absent(self.name, query.label, query.text, why_absent(response))
        return [Hit(self.name, query.label, query.text, response.url, slug, query.text)]

    def read(self, hit: Hit, response: Response) -> Iterator[RawAudio | Absent]:
        """Pointers to the clips on a page. Raises ``FetchFailed`` (bad_encoding, too_large)."""
        if not _is_about(hit.query, response):
            yield Absent(hit.site, hit.label, hit.query, why_absent(response))
            return
        clips = [c for c in map(_clip, sources(tree(response), "source", "audio")) if c]
        if not clips:
            yield Absent(hit.site, hit.label, hit.query, f"no clips on its page {hit.url}")
        url = response.final_url or response.url
        for clip in dict.fromkeys(clips):
            yield RawAudio(
                hit=hit,
                title=parse(response).name or hit.title,
                source_url=f"{url}#{clip}",
                source_id=clip,
                licence=ALL_RIGHTS_RESERVED,
                attribution=f"{clip}, bird-sounds.net, {url}",
            )


def _is_about(name: str, response: Response) -> bool:
    """Whether an answer is a page with the name in its title or main heading."""
    if response.status != 200:
        return False
    page = parse(response)
    return any(plain_words(name) in plain_words(said) for said in (page.name, page.title))


def _clip(source: str) -> str:
    """A clip's path on the site, which is its id; ``""`` for what is none."""
    try:
        path = urlsplit(urljoin("/", source)).path
    except ValueError:
        return ""
    return path.lstrip("/") if path.lower().endswith(".mp3") else ""
