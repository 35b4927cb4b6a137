"""``fgbench retrieve``: what a run finds for one query, to be looked at."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from fgbench.benchmark import DEFAULT, Benchmark
from fgbench.cli._progress import Bar
from fgbench.cli._rankings import ALL, printable, to_text
from fgbench.dataset.io import write_bytes
from fgbench.errors import FaultyInput, InputError
from fgbench.protocol import MEDIA, Medium, SelfMatch
from fgbench.retrieval.catalogue import Catalogue, Entry, read_catalogue
from fgbench.retrieval.query import Query, find_query
from fgbench.retrieval.ranking import Gallery, Ranking, check_galleries, rank_galleries
from fgbench.submission import Coverage, Submission, check
from fgbench.train.hardware import Device
from fgbench.train.run import SUBMISSION

MOST = 100


@click.command("retrieve")
@click.argument("query")
@click.option(
    "--run",
    required=True,
    metavar="RUN",
    type=click.Path(path_type=Path),
    help="A run's folder, or a submission: an .npz file.",
)
@click.option("--benchmark", metavar="ID|FOLDER", default=DEFAULT, show_default=True)
@click.option("--split-column", metavar="NAME", help="The column that says train or test.")
@click.option("--to", metavar="text,audio,…", help="The galleries; all: every medium in one list.")
@click.option(
    "--top", type=click.IntRange(1, MOST), default=10, show_default=True, help="Of each gallery."
)
@click.option(
    "--as",
    "medium",
    type=click.Choice([m.value for m in MEDIA]),
    help="What QUERY is, where that is not plain; text: words may be given as they are.",
)
@click.option("--html", metavar="FILE", type=click.Path(dir_okay=False), help="Write a page.")
@click.option(
    "--media-root",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Where the benchmark's media lie. Default: a build's own folder.",
)
@click.option(
    "--device",
    type=click.Choice([d.value for d in Device]),
    default=Device.AUTO.value,
    show_default=True,
    help="To embed a file on.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    query: str,
    run: Path,
    benchmark: str,
    split_column: str | None,
    to: str | None,
    top: int,
    medium: str | None,
    html: str | None,
    media_root: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Rank the test items of other media for QUERY, and show the first.

    QUERY is the id of a test item; or a file, which a run of a network that was trained on media
    embeds. With --html also a page with pictures, spectrograms and texts, to be opened in any
    browser. Exit code 3: the page lacks a picture, and says which.
    """
    catalogue = read_catalogue(benchmark, media_root, split_column)
    asked = find_query(query, catalogue, Medium(medium) if medium else None)
    with Bar("Reading the submission") as bar:
        submission, coverage = _read_submission(run, catalogue.benchmark, bar)
    galleries = _galleries(to, asked.medium, catalogue.benchmark, submission, coverage)
    check_galleries(submission, catalogue.benchmark, coverage, asked.medium, galleries)
    if asked.place is None:
        from fgbench.retrieval.embedding import embed_outside

        item = asked.entry.item
        row = embed_outside(item, run, submission, catalogue, split_column, device)
        asked = replace(asked, embedding=row)
    rankings = rank_galleries(submission, catalogue.benchmark, asked, galleries, top)
    lacks = _write_page(html, catalogue, submission, asked, rankings) if html else ()
    if as_json:
        click.echo(json.dumps(to_json(catalogue, submission, asked, rankings, html), indent=2))
    else:
        Console().print(to_text(catalogue, asked, rankings))
        if html:
            click.echo(f"  Written: {html}\n")
    for lack in lacks:
        click.echo(f"No picture of {printable(lack)}", err=True)
    if lacks:
        sys.exit(3)


def _read_submission(run: Path, benchmark: Benchmark, progress: Bar) -> tuple[Submission, Coverage]:
    path = run if run.is_file() else run / SUBMISSION
    if not path.is_file():
        raise InputError(
            "FG-Q005",
            f"there is no submission in {run}: no file {SUBMISSION}",
            why="Similarities are taken from it.",
            fix="Name a folder that fgbench baseline run wrote, or an .npz file.",
        )
    report = check(path, benchmark, progress)
    if report.submission is None or report.coverage is None:
        raise FaultyInput(f"The submission {path} cannot be used", report.faults)
    return report.submission, report.coverage


def _galleries(
    to: str | None,
    query: Medium,
    benchmark: Benchmark,
    submission: Submission,
    coverage: Coverage,
) -> list[Gallery]:
    """Those that are named, in that order; else every other medium that can be ranked."""
    if to is None:
        able = [task.gallery for task in coverage.scored if task.query is query]
        found: list[Gallery] = [m for m in able if m is not None]
        return found or [m for m in benchmark.media if m is not query]
    names = dict.fromkeys(name.strip() for name in to.split(","))
    if strange := [name for name in names if name not in (*MEDIA, ALL)]:
        raise click.BadParameter(
            f"{', '.join(map(repr, strange))} is no medium: {', '.join(MEDIA)} or {ALL}.",
            param_hint="--to",
        )
    return [None if name == ALL else Medium(name) for name in names]


def _write_page(
    target: str,
    catalogue: Catalogue,
    submission: Submission,
    query: Query,
    rankings: Sequence[Ranking],
) -> tuple[str, ...]:
    """Write the page; returns which pictures it lacks."""
    from fgbench.retrieval.page import make_page

    page = make_page(catalogue, submission, query, rankings)
    write_bytes(target, page.html.encode("utf-8", "replace"))
    return page.lacks


def to_json(
    catalogue: Catalogue,
    submission: Submission,
    query: Query,
    rankings: Sequence[Ranking],
    html: str | None,
) -> dict[str, Any]:
    """What was found, as one JSON document. Scores of different galleries are not comparable."""
    return {
        "query": {"test_item": query.place is not None, **_plain(query.entry)},
        "benchmark": {"id": catalogue.benchmark.id, "files": dict(catalogue.benchmark.files)},
        "submission": {"sha256": submission.sha256, "space": submission.space},
        "self": SelfMatch.EXCLUDED,
        "galleries": [
            {
                **asdict(ranking),
                "gallery": ranking.gallery or ALL,
                "hits": [
                    {
                        **{name: getattr(hit, name) for name in ("rank", "ties", "score", "right")},
                        **_plain(catalogue.entry(hit.medium, hit.item_id)),
                    }
                    for hit in ranking.hits
                ],
            }
            for ranking in rankings
        ],
        "html": html,
    }


def _plain(entry: Entry) -> dict[str, Any]:
    return {
        "item_id": entry.item.item_id,
        "medium": entry.item.medium,
        "label": entry.label,
        "species": entry.species,
        "title": entry.title,
    }
