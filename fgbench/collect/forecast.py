"""What a build would ask of whom, how long that takes and how much disk, without asking anyone."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fgbench.collect.crawl.plan import HostPlan, plan
from fgbench.collect.queries import queries_for
from fgbench.collect.recipe import Recipe
from fgbench.collect.sites.base import Access, Site
from fgbench.collect.sites.soundcloud import SoundCloud
from fgbench.collect.sounds import enough
from fgbench.protocol import Medium
from fgbench.species import species

BYTES_AN_ANSWER = 50_000
"""On the disk. Stored answers of Wikipedia and the Archive, packed: 15 and 27 kB; articles of
several thousand words are longer."""
BYTES_A_SOUND = 3_400_000
"""On the disk, of a minute: 1.5 MB of MP3 and 1.9 MB of FLAC, the mean of 18 recordings."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """At most so much; ``sounds``: recordings among the requests. ``free``: bytes on the disk that
    ``--out`` is on."""

    hosts: tuple[HostPlan, ...]
    sounds: int
    free: int

    @property
    def requests(self) -> int:
        return sum(host.requests for host in self.hosts)

    @property
    def seconds(self) -> float:
        """Hosts are asked side by side: the slowest one's time."""
        return max((host.seconds for host in self.hosts), default=0.0)

    @property
    def bytes(self) -> int:
        return (self.requests - self.sounds) * BYTES_AN_ANSWER + self.sounds * BYTES_A_SOUND


def forecast(folder: Path, recipe: Recipe, sites: Sequence[Site]) -> Forecast:
    """An upper bound: sites stop at the first name they know, and what is stored is not asked.

    The recordings of a class are counted at each site that has their sound: it may be the only one.
    For each that turns out to have no bird in it one more is asked for; those are not known.
    """
    queries = sum(len(queries_for(species()[label])) for label in recipe.labels)
    most = enough(recipe.per_class.get(Medium.AUDIO, 0)) * len(recipe.labels)
    sounds = {site.name: most for site in sites if _has_sound(site)}
    there = next(p for p in (folder, *folder.absolute().parents) if p.is_dir())
    hosts = plan(sites, queries, sounds)
    return Forecast(hosts, sum(sounds.values()), shutil.disk_usage(there).free)


def _has_sound(site: Site) -> bool:
    """Whether sounds of a site are asked for over the network."""
    if isinstance(site, SoundCloud):
        return site.audio
    return Medium.AUDIO in site.media and site.access in {Access.OPEN, Access.KEY}
