"""The data build: a written list of steps, from queries to a folder of manifests.

All is made anew each time, from the store, so that equal answers give equal bytes. Only
``local sets``, for clips where it may, ``find and fetch`` and ``sounds`` ask the network, and for
nothing twice that they have an answer to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fgbench.collect.clean.copies import drop_copies
from fgbench.collect.clean.duplicates import drop_repeats
from fgbench.collect.clean.furniture import reject_furniture
from fgbench.collect.crawl.http import Limits
from fgbench.collect.crawl.pace import Patience
from fgbench.collect.crawl.session import CrawlSession
from fgbench.collect.folder import write_tables
from fgbench.collect.harvest import Importer, harvest
from fgbench.collect.local.downloads import Downloads
from fgbench.collect.local.found import absence
from fgbench.collect.progress import Progress, Silence
from fgbench.collect.queries import queries_for
from fgbench.collect.reading import Listed, read_pages
from fgbench.collect.recipe import Recipe, read_recipe, write_recipe
from fgbench.collect.review.decisions import replay
from fgbench.collect.sets import instances, read_sets
from fgbench.collect.sites.base import Absent, Site
from fgbench.collect.sounds import collect_sounds, sweep
from fgbench.collect.step import Freshness, Step, Work
from fgbench.dataset.audit import Document
from fgbench.dataset.collected import Collected, Failed, recorded
from fgbench.dataset.description import describe
from fgbench.dataset.schema import Row, is_pointer
from fgbench.dataset.select import Selection, select
from fgbench.dataset.split import split
from fgbench.engine import check_engine
from fgbench.errors import InputError
from fgbench.protocol import Medium
from fgbench.settings import Settings
from fgbench.species import species

MANIFESTS = "manifests"
"""Where in a build folder the benchmark is."""


def _local_sets(work: Work) -> None:
    birds = [species()[label] for label in work.recipe.labels]
    sets = read_sets(work.recipe.copies, birds, work.folder, work.downloads, work.engine)
    if work.recipe.sample:
        from fgbench.collect.sample import as_drawn, drawn

        sets |= {m: as_drawn(sets[m]) for m in drawn(work.folder, work.recipe.copies)}
    work.sets = sets


def _queries(work: Work) -> None:
    birds = (species()[label] for label in work.recipe.labels)
    work.queries = {bird: queries_for(bird) for bird in birds}


def _find_and_fetch(work: Work) -> None:
    found = harvest(work.sites, work.queries, work.session, work.progress.watch)
    work.hits, work.failed = found.hits, found.failed
    work.absent = _absences(found.absent, work.sites)


def _absences(found: Iterable[Absent], sites: Iterable[Site]) -> list[Row]:
    media = {site.name: site.media[0] for site in sites}
    birds = species()
    return [absence(birds[a.label], media[a.site], a.site, a.query, a.reason) for a in found]


def _read_and_clean(work: Work) -> None:
    pages = read_pages(work.hits, work.sites, work.session, work.engine, work.progress.advance)
    rows = [row for page in pages for row in page.rows]
    work.texts = [row for row in rows if "stage" not in row]
    work.rejected = [row for row in rows if "stage" in row]
    sites = {site.name: site for site in work.sites}
    work.listed = [
        Listed(sites[raw.hit.site], raw, page.listing) for page in pages for raw in page.recordings
    ]
    work.read = {Medium.TEXT: Counter(row["site"] for row in rows)}
    _add_others(work, (other for page in pages for other in page.others))


def _add_others(work: Work, others: Iterable[Absent | Failed]) -> None:
    others = [*others]
    absent = [other for other in others if isinstance(other, Absent)]
    work.absent = [*work.absent, *_absences(absent, work.sites)]
    work.failed = [*work.failed, *(other for other in others if isinstance(other, Failed))]


def _sounds(work: Work) -> None:
    recipe = work.recipe
    sounds = collect_sounds(
        work.listed,
        recipe.per_class.get(Medium.AUDIO, 0),
        work.session,
        work.folder,
        rules=recipe.rules,
        decisions=replay(work.folder),
        engine=work.engine,
        progress=work.progress,
    )
    work.sounds, work.audios = sounds, sounds.rows
    work.rejected = [*work.rejected, *sounds.rejected]
    counts = Counter(row["site"] for row in (*sounds.rows, *sounds.rejected))
    work.read = {**work.read, Medium.AUDIO: counts}
    _add_others(work, sounds.others)


def _furniture(work: Work) -> None:
    work.texts, rejected = reject_furniture(work.texts)
    work.rejected = [*work.rejected, *rejected]


def _near_duplicates(work: Work) -> None:
    sites, sounds = [site.name for site in work.sites], work.sounds
    texts = drop_repeats(work.texts, sites)
    audios = drop_copies(work.audios, sounds.prints, sounds.related, sites)
    work.texts, work.audios = texts.kept, audios.kept
    work.rejected = [*work.rejected, *texts.rejected, *audios.rejected]


def _select(work: Work) -> None:
    pointers = [row for row in work.audios if is_pointer(row)]
    pieces = [row for row in work.audios if not is_pointer(row)]
    texts = _choose(work, Medium.TEXT, work.texts)
    audios = _choose(work, Medium.AUDIO, pieces)
    beside = _choose(work, Medium.AUDIO, pointers)  # a pointer takes no piece's place
    work.texts, work.audios = texts.kept, [*audios.kept, *beside.kept]
    rejected = (*texts.rejected, *audios.rejected, *beside.rejected)
    work.rejected = [*work.rejected, *rejected]


def _choose(work: Work, medium: Medium, rows: Sequence[Row]) -> Selection:
    recipe = work.recipe
    quota = recipe.per_class.get(medium, 0)  # a medium not asked for: there is none to choose
    return select(rows, quota, recipe.labels, recipe.seed)


def _split(work: Work) -> None:
    seed = work.recipe.seed
    pointers = [row for row in work.audios if is_pointer(row)]  # in no split: nobody can play them
    pieces = [row for row in work.audios if not is_pointer(row)]
    work.texts = split(work.texts, Medium.TEXT, seed)
    work.audios = [*split(pieces, Medium.AUDIO, seed), *pointers]


def _join(work: Work) -> None:
    crawled, sets = {Medium.TEXT: work.texts, Medium.AUDIO: work.audios}, work.sets
    kept = crawled | {medium: found.kept for medium, found in sets.items()}
    work.items = {medium: kept[medium] for medium in work.recipe.media}
    work.rejected = [*work.rejected, *(row for found in sets.values() for row in found.rejected)]
    work.absent = [*work.absent, *(row for found in sets.values() for row in found.absent)]
    work.failed = [*work.failed, *(failed for found in sets.values() for failed in found.failed)]


def _manifests(work: Work) -> None:
    folder = work.folder / MANIFESTS
    write_tables(folder, work.recipe, work.items, work.rejected, work.absent)
    sweep(work.folder, (*work.items.get(Medium.AUDIO, ()), *work.rejected))


def _describe(work: Work) -> None:
    crawled = {
        medium: {s.name: counts.get(s.name, 0) for s in work.sites if medium in s.media}
        for medium, counts in work.read.items()
    }
    read = crawled | instances(work.sets)
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
        ("texts", "rejected", "listed", "absent", "failed", "read"),
    ),
    Step(
        "sounds",
        _sounds,
        (
            *("recipe", "folder", "sites", "session", "engine", "progress"),
            *("listed", "rejected", "absent", "failed", "read"),
        ),
        ("sounds", "audios", "rejected", "absent", "failed", "read"),
        Freshness.FETCHED,
    ),
    Step("furniture", _furniture, ("texts", "rejected"), ("texts", "rejected")),
    Step(
        "near-duplicates",
        _near_duplicates,
        ("texts", "audios", "sounds", "rejected", "sites"),
        ("texts", "audios", "rejected"),
    ),
    Step(
        "select",
        _select,
        ("texts", "audios", "rejected", "recipe"),
        ("texts", "audios", "rejected"),
    ),
    Step("split", _split, ("texts", "audios", "recipe"), ("texts", "audios")),
    Step(
        "join",
        _join,
        ("texts", "audios", "sets", "recipe", "rejected", "absent", "failed"),
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
    check_engine(engine, folder)
    before = recorded(folder / MANIFESTS) if retry_failed else None
    if recipe.sample:
        from fgbench.collect.sample import bring

        settings = bring(folder, recipe, settings)
    for site in sites:
        if isinstance(site, Importer):
            site.place = settings.imports.get(site.needs[0])
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
