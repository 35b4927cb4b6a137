"""findsounds.com: a search engine for sound effects on other people's sites; not used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from fgbench.collect.sites.base import Absent, Access, Hit, RawAudio, Response, Session, Site
from fgbench.protocol import Medium

if TYPE_CHECKING:
    from fgbench.collect.queries import Query
    from fgbench.species import Species


class FindSounds(Site):
    """Asked for nothing: what it lists is not its own, and nobody says whose it is."""

    name = "findsounds"
    media = (Medium.AUDIO,)
    home = "https://www.findsounds.com/"
    hosts = ("www.findsounds.com", "findsounds.com")
    terms_url = "https://www.findsounds.com/"
    access = Access.OFF
    licence = "Unknown: it links to files on other sites."
    pace = 5.0
    requests_per_query = 0
    needs = ()
    auth = None
    rule = "robots.txt"
    note = (
        "Off: it lists files of other sites, without author or licence, under words such as"
        " “crow” that name no species; many of them are gone."
    )

    def find(
        self, species: Species, queries: Iterable[Query], session: Session
    ) -> Iterator[Hit | Absent]:
        """Nothing, and why."""
        yield Absent(self.name, species.label, species.name, self.note)

    def read(self, hit: Hit, response: Response) -> Iterator[RawAudio | Absent]:
        """Nothing, and why."""
        yield Absent(self.name, hit.label, hit.query, self.note)
