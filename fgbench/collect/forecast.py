"""What a build would ask of whom, how long that takes and how much disk, without asking anyone."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fgbench.collect.crawl.plan import HostPlan, plan
from fgbench.collect.queries import queries_for
from fgbench.collect.recipe import Recipe
from fgbench.collect.sites.base import Site
from fgbench.species import species

BYTES_AN_ANSWER = 50_000
"""On the disk. Stored answers of Wikipedia and the Archive, packed: 15 and 27 kB; articles of
several thousand words are longer."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """At most so much. ``free``: bytes on the disk that ``--out`` is on."""

    hosts: tuple[HostPlan, ...]
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
        return self.requests * BYTES_AN_ANSWER


def forecast(folder: Path, recipe: Recipe, sites: Sequence[Site]) -> Forecast:
    """An upper bound: sites stop at the first name they know, and what is stored is not asked."""
    queries = sum(len(queries_for(species()[label])) for label in recipe.labels)
    there = next(p for p in (folder, *folder.absolute().parents) if p.is_dir())
    return Forecast(plan(sites, queries), shutil.disk_usage(there).free)
