"""What a step of the build is, and what the steps hand on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from fgbench.collect.crawl.session import CrawlSession
from fgbench.collect.local.downloads import Downloads
from fgbench.collect.local.found import Found
from fgbench.collect.progress import Progress, Silence
from fgbench.collect.queries import Query
from fgbench.collect.reading import Listed
from fgbench.collect.recipe import Recipe
from fgbench.collect.sites.base import Hit, Site
from fgbench.collect.sounds import Sounds
from fgbench.dataset.audit import Document
from fgbench.dataset.collected import Failed
from fgbench.dataset.schema import Row
from fgbench.protocol import Medium
from fgbench.species import Species


class Freshness(StrEnum):
    """When what a step made is made again."""

    ANSWERED = "once: what was answered is kept; what failed is asked again by --retry-failed"
    FETCHED = "every run, from the store; what is not in it is asked for once, as above"
    ALWAYS = "every run, from the store: equal answers give equal bytes"


@dataclass(slots=True)
class Work:
    """What the steps hand on, one to the next. ``folder`` is the build folder."""

    folder: Path
    recipe: Recipe
    sites: Sequence[Site]
    session: CrawlSession
    downloads: Downloads
    engine: str = "local"
    progress: Progress = field(default_factory=Silence)
    sets: Mapping[Medium, Found] = field(default_factory=dict)
    """What the user's own copies came to."""
    queries: Mapping[Species, Sequence[Query]] = field(default_factory=dict)
    hits: Sequence[Hit] = ()
    listed: Sequence[Listed] = ()
    """Recordings that the sites name."""
    sounds: Sounds = field(default_factory=Sounds)
    """What became of them."""
    texts: Sequence[Row] = ()
    """Texts that nothing has rejected yet."""
    audios: Sequence[Row] = ()
    """Pieces of recordings, and pointers, that nothing has rejected yet."""
    items: Mapping[Medium, Sequence[Row]] = field(default_factory=dict)
    """All that is kept, of every medium of the recipe."""
    rejected: Sequence[Row] = ()
    absent: Sequence[Row] = ()
    failed: Sequence[Failed] = ()
    read: Mapping[Medium, Mapping[str, int]] = field(default_factory=dict)
    """Instances read, a medium and site: what the accounts are held against."""
    audit: Document = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """A named step: which fields of ``Work`` it reads and sets, and when it is done again."""

    name: str
    run: Callable[[Work], None]
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    fresh: Freshness = Freshness.ALWAYS
