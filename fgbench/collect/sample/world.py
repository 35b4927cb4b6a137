"""The sample world: miniature sites of text and sound and an Archive, served on the loopback.

``with sample_world() as world: settings = world.settings(Settings())``. Everything in it is
synthetic. Equal questions get equal bytes, on any machine, on any day.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from types import MappingProxyType

from fgbench.collect.sample.avibase import avibase
from fgbench.collect.sample.bird_sounds import bird_sounds
from fgbench.collect.sample.ebird import ebird
from fgbench.collect.sample.fandom import fandom
from fgbench.collect.sample.faults import FaultTable, SiteFault
from fgbench.collect.sample.freesound import freesound
from fgbench.collect.sample.gone import wayback
from fgbench.collect.sample.guides import allaboutbirds, audubon, mnbirdatlas, nhpbs
from fgbench.collect.sample.miniature import KEY, Miniature
from fgbench.collect.sample.prose import birds
from fgbench.collect.sample.server import Asked, SiteServer
from fgbench.collect.sample.soundcloud import soundcloud
from fgbench.collect.sample.wikipedia import wikipedia
from fgbench.collect.sample.xeno_canto import xeno_canto
from fgbench.settings import Secret, Settings, variable

CUB_IDS = tuple(bird.cub_id for bird in birds())
"""The classes that the sample world has: two albatrosses, two gulls, two terns, two warblers."""
MINIATURES: tuple[Callable[[], Miniature], ...] = (
    wikipedia,
    allaboutbirds,
    audubon,
    fandom,
    nhpbs,
    ebird,
    mnbirdatlas,
    wayback,
    xeno_canto,
    bird_sounds,
    freesound,
    avibase,
    soundcloud,
)
"""Every site with a server of its own. The five that are gone are in the Archive alone, and the
Macaulay Library's list is among the user's ``belongings``."""
KEYS = ("FGBENCH_EBIRD_KEY", "FGBENCH_XENO_CANTO_KEY", "FGBENCH_FREESOUND_TOKEN")
"""Settings that hold the key of a miniature site."""


class SampleWorld:
    """A world that runs. ``urls`` has each site's address by its name."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self.urls = MappingProxyType(dict(urls))
        self._asked: list[Asked] = []

    @property
    def environ(self) -> dict[str, str]:
        """Settings as environment variables, for another process."""
        return {variable(name): url for name, url in self.urls.items()} | dict.fromkeys(KEYS, KEY)

    def settings(self, base: Settings) -> Settings:
        """The same settings with the miniatures for the sites, their key for the user's keys, and
        without the user's files."""
        return replace(
            base,
            use_proxy=False,
            sites={variable(name): url for name, url in self.urls.items()},
            keys={name: Secret(KEY) for name in KEYS},
            imports={},
        )

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Every request until now, in the order of their answers."""
        return tuple(self._asked)

    def note(self, asked: Asked) -> None:
        """Adds a request to those that were made."""
        self._asked.append(asked)


@contextmanager
def sample_world(
    faults: Iterable[SiteFault] = (),
    delays: Mapping[str, float] | None = None,
    note: Callable[[Asked], None] = lambda asked: None,
) -> Iterator[SampleWorld]:
    """A sample world for as long as the block lasts.

    ``delays``: seconds that a site takes over each answer, by its name. ``note`` is told of every
    request, by the thread that answers it. Raises ``ValueError`` for a site that is none.
    """
    faults, waits, closing = tuple(faults), delays or {}, threading.Event()
    sites = [make() for make in MINIATURES]
    unknown = {*waits, *(fault.site for fault in faults)} - {site.name for site in sites}
    if unknown:
        raise ValueError(f"no miniature site: {', '.join(sorted(unknown))}")
    table = FaultTable(faults)

    def heard(asked: Asked) -> None:
        world.note(asked)
        note(asked)

    with ExitStack() as stack:
        servers = [
            stack.enter_context(SiteServer(s, table, waits.get(s.name, 0.0), heard, closing))
            for s in sites
        ]
        world = SampleWorld({server.site.name: server.url for server in servers})
        for server in servers:
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield world
        finally:
            closing.set()
            for server in servers:
                server.shutdown()
