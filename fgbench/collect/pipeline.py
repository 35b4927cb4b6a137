"""The data build: a written list of steps, from queries to a folder of manifests.

All but two are made anew each time, from the store, so that equal answers give equal bytes. Only
``local sets``, for clips where it may, and ``find and fetch`` ask the network, and for nothing
twice that they have an answer to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fgbench.collect.clean.duplicates import drop_repeats
from fgbench.collect.clean.furniture import reject_furniture
from fgbench.collect.crawl.http import Limits
from fgbench.collect.crawl.pace import Patience
from fgbench.collect.crawl.session import CrawlSession
from fgbench.collect.folder import write_tables
from fgbench.collect.harvest import harvest
from fgbench.collect.local.downloads import Downloads
from fgbench.collect.local.found import absence
from fgbench.collect.progress import Progress, Silence
from fgbench.collect.queries import queries_for
from fgbench.collect.reading import read_pages
from fgbench.collect.recipe import Recipe, read_recipe, write_recipe
from fgbench.collect.sets import instances, read_sets
from fgbench.collect.sites.base import Absent, Site
from fgbench.collect.step import Freshness, Step, Work
from fgbench.dataset.audit import Document
from fgbench.dataset.collected import Collected, Failed, recorded
from fgbench.dataset.description import describe
from fgbench.dataset.schema import Row
from fgbench.dataset.select import select
from fgbench.dataset.split import split
from fgbench.engine import map_unordered
from fgbench.errors import InputError
from fgbench.protocol import Medium
from fgbench.settings import Settings
from fgbench.species import species

MANIFESTS = "manifests"
"""Where in a build folder the benchmark is."""


def _local_sets(work: Work) -> None:
    birds = [species()[label] for label in work.recipe.labels]
    work.sets = read_sets(work.recipe.copies, birds, work.folder, work.downloads, work.engine)


def _queries(work: Work) -> None:
    birds = (species()[label] for label in work.recipe.labels)
    work.queries = {bird: queries_for(bird) for bird in birds}


def _find_and_fetch(work: Work) -> None:
    found = harvest(work.sites, work.queries, work.session, work.progress.watch)
    work.hits, work.absent, work.failed = (
        found.hits,
        list(map(_absence, found.absent)),
        found.failed,
    )


def _absence(absent: Absent) -> Row:
    bird = species()[absent.label]
    return absence(bird, Medium.TEXT, absent.site, absent.query, absent.reason)


def _read_and_clean(work: Work) -> None:
    pages = read_pages(work.hits, work.sites, work.session, work.engine, work.progress.advance)
    rows = [row for page in pages for row in page.rows]
    work.read = Counter(row["site"] for row in rows)
    work.rows = [row for row in rows if "stage" not in row]
    work.rejected = [row for row in rows if "stage" in row]
    others = [other for page in pages for other in page.others]
    work.absent = [*work.absent, *(_absence(o) for o in others if isinstance(o, Absent))]
    work.failed = [*work.failed, *(o for o in others if isinstance(o, Failed))]


def _furniture(work: Work) -> None:
    work.rows, rejected = reject_furniture(work.rows)
    work.rejected = [*work.rejected, *rejected]


def _near_duplicates(work: Work) -> None:
    distinct = drop_repeats(work.rows, [site.name for site in work.sites])
    work.rows = distinct.kept
    work.rejected = [*work.rejected, *distinct.rejected]


def _select(work: Work) -> None:
    recipe = work.recipe
    quota = recipe.per_class.get(Medium.TEXT, 0)  # no text was asked for: there is none to choose
    chosen = select(work.rows, quota, recipe.labels, recipe.seed)
    work.rows = chosen.kept
    work.rejected = [*work.rejected, *chosen.rejected]


def _split(work: Work) -> None:
    work.rows = split(work.rows, Medium.TEXT, work.recipe.seed)


def _join(work: Work) -> None:
    texts, sets = {Medium.TEXT: work.rows}, work.sets
    kept = texts | {medium: found.kept for medium, found in sets.items()}
    work.items = {medium: kept[medium] for medium in work.recipe.media}
    work.rejected = [*work.rejected, *(row for found in sets.values() for row in found.rejected)]
    work.absent = [*work.absent, *(row for found in sets.values() for row in found.absent)]
    work.failed = [*work.failed, *(failed for found in sets.values() for failed in found.failed)]


def _manifests(work: Work) -> None:
    folder = work.folder / MANIFESTS
    write_tables(folder, work.recipe, work.items, work.rejected, work.absent)


def _describe(work: Work) -> None:
    texts = {Medium.TEXT: {site.name: work.read.get(site.name, 0) for site in work.sites}}
    read = texts | instances(work.sets)
    collected = Collected(
        labels=work.recipe.labels,
        per_class=work.recipe.per_class,
        read={medium: read[medium] for medium in work.recipe.media},
        failed=tuple(work.failed),
        options=work.recipe.options(),
    )
    work.audit = describe(work.folder / MANIFESTS, collected)


STEPS = (
    Step(
        "local sets",
        _local_sets,
        ("recipe", "folder", "downloads", "engine"),
        ("sets",),
        Freshness.ANSWERED,
    ),
    Step("queries", _queries, ("recipe",), ("queries",)),
    Step(
        "find and fetch",
        _find_and_fetch,
        ("sites", "queries", "session", "progress"),
        ("hits", "absent", "failed"),
        Freshness.ANSWERED,
    ),
    Step(
        "read and clean",
        _read_and_clean,
        ("hits", "sites", "session", "engine", "progress", "absent", "failed"),
        ("rows", "rejected", "absent", "failed", "read"),
    ),
    Step("furniture", _furniture, ("rows", "rejected"), ("rows", "rejected")),
    Step("near-duplicates", _near_duplicates, ("rows", "rejected", "sites"), ("rows", "rejected")),
    Step("select", _select, ("rows", "rejected", "recipe"), ("rows", "rejected")),
    Step("split", _split, ("rows", "recipe"), ("rows",)),
    Step(
        "join",
        _join,
        ("rows", "sets", "recipe", "rejected", "absent", "failed"),
        ("items", "rejected", "absent", "failed"),
    ),
    Step("manifests", _manifests, ("items", "rejected", "absent", "recipe", "folder"), ()),
    Step("audit", _describe, ("recipe", "read", "sets", "sites", "failed", "folder"), ("audit",)),
)
"""In order. A step has from ``Work`` what it takes, sets what it gives, and no more."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a build came to; the files are in ``folder/manifests``."""

    folder: Path
    recipe: Recipe
    audit: Document
    failed: tuple[Failed, ...]
    remarks: Mapping[Medium, tuple[str, ...]]
    """What to know of the user's own copies, in sentences."""


def build(
    folder: Path,
    recipe: Recipe,
    sites: Sequence[Site],
    settings: Settings,
    *,
    offline: bool = False,
    retry_failed: bool = False,
    ask_youtube: bool = False,
    engine: str = "local",
    limits: Limits | None = None,
    patience: Patience | None = None,
    progress: Progress | None = None,
) -> Built:
    """Builds the manifests of a recipe in ``folder``; run again, it continues.

    ``sites`` are the adapters of ``recipe.sites``; ``ask_youtube``: for the clips that are not on
    disk, under ``local.downloads.TERMS``. Raises ``InputError`` where another build holds
    the folder, its pages are of another world than the recipe's, offline it has no pages, or a copy
    is not of its set.
    """
    progress = progress or Silence()
    _check(folder, recipe, offline)
    for _ in map_unordered(len, (), engine=engine):
        pass  # an engine that is not there is found before anything is asked
    before = recorded(folder / MANIFESTS) if retry_failed else None
    with CrawlSession(
        folder,
        sites,
        settings,
        as_of=recipe.as_of,
        offline=offline,
        retry_failed=retry_failed,
        unusable={f.source_url for f in before.failed} if before else (),
        limits=limits,
        patience=patience,
        watch=progress.watch,
    ) as session:
        write_recipe(folder, recipe)
        ask = ask_youtube and not offline
        downloads = Downloads(folder, settings, ask=ask, retry_failed=retry_failed)
        work = Work(folder, recipe, sites, session, downloads, engine, progress)
        for step in STEPS:
            progress.step(step.name)
            step.run(work)
    remarks = {medium: found.remarks for medium, found in work.sets.items() if found.remarks}
    return Built(folder, recipe, work.audit, tuple(work.failed), remarks)


def _check(folder: Path, recipe: Recipe, offline: bool) -> None:
    before = read_recipe(folder)
    if before and before.sample != recipe.sample:
        of, wanted = ("sample world", "real sites") if before.sample else ("real sites", "sample")
        raise InputError(
            "FG-U005",
            f"{folder} has pages of the {of}; this build is of the {wanted}",
            why="Synthetic texts and real ones would stand in one manifest.",
            fix="Give another --out.",
        )
    if offline and not (folder / "journal.sqlite").is_file():
        raise InputError(
            "FG-U006",
            f"{folder} has no pages to build from",
            why="--offline rebuilds from what an earlier build fetched, and asks nothing.",
            fix="Build without --offline first, or correct --out.",
        )
