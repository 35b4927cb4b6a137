"""``fgbench leaderboard build``: the static site of a board, whole or not at all."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from fgbench.benchmark import DEFAULT
from fgbench.errors import FaultyInput, FgbenchError, InputError
from fgbench.scoring.significance import ALPHA, FLIPS
from fgbench.scoring.uncertainty import DRAWS
from fgbench.submission.faults import FAULTS as SUBMISSION_FAULTS

from .board import Board, make_board
from .board_page import board_page
from .card import FIELDS
from .check import check_results
from .compare_page import compare_page, comparisons
from .data_page import FILES, data_page
from .exports import FORMATS, dump, to_bibtex
from .faults import KINDS
from .feed import PATH as FEED
from .feed import write_feed
from .ground import Ground, read_ground
from .history_page import history_page
from .method_page import method_page
from .species_page import species_pages
from .store import from_paper
from .task_page import task_index, task_page
from .templating import Page, Templates
from .twins import head

MARK = "api/index.json"
"""A file that every site has: a folder with it may be replaced by a new site."""
ASSETS = ("board.css", "board.js", "compare.js", "figures.css", "icon.svg")


@dataclass(frozen=True, slots=True)
class Built:
    """What a build wrote, and where."""

    folder: Path
    benchmark: str
    methods: int
    scored: int
    files: int
    bytes: int


@contextmanager
def _without_collector() -> Iterator[None]:
    """Without looking for cycles of dead objects: a build makes next to none, and millions of
    objects that last, so that the search would take a tenth of its time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_without_collector()
def build_site(
    results: Path,
    benchmark: str | Path,
    out: Path,
    split_column: str | None = None,
    hosted: bool = False,
    progress: Callable[[float], None] = lambda part: None,
) -> Built:
    """Check the entries of a store and write the site of their board.

    ``benchmark``, ``split_column``: as for ``load_benchmark``; ``hosted``: its pages lead to those
    of ``fgbench leaderboard serve``. The board of ``DEFAULT`` shows the
    numbers that papers print as well. Equal stores give equal bytes. Raises ``FaultyInput`` with
    every fault of the store, ``InputError`` (FG-L160) where ``out`` holds something that is no
    site, and what ``read_ground`` raises.
    """
    _refuse_foreign(out)
    ground = read_ground(benchmark, split_column)
    report = check_results(results, ground.benchmark, lambda part: progress(part / 2))
    if not report.ok:
        raise FaultyInput("The board cannot be built", report.faults)
    printed = from_paper() if ground.benchmark.id == DEFAULT else ()
    board = make_board(ground.benchmark, report.entries, report.sums, printed)
    progress(0.6)
    files, size = _write(out, render_site(board, ground, hosted))
    progress(1.0)
    return Built(out, board.benchmark.id, len(board.methods), len(report.entries), files, size)


def render_site(board: Board, ground: Ground, hosted: bool) -> Iterator[tuple[str, bytes]]:
    """Every file of the site by its path, in no particular order."""
    for page in _pages(Templates(board, hosted), ground):
        yield page.path, page.html.encode()
        yield page.twin, dump(page.document).encode()
        for table in page.tables:
            for end, write in FORMATS.items():
                yield f"tables/{table.stem}.{end}", write(table).encode()
    for method in board.methods:
        yield f"methods/{method.slug}.bib", to_bibtex(method).encode()
    yield from comparisons(board)
    for name, text in ground.files.items():
        yield f"{FILES}/{name}", text.encode()
    yield FEED, write_feed(board).encode()
    static = resources.files("fgbench.leaderboard") / "static"
    for name in ASSETS:
        yield f"static/{name}", (static / name).read_bytes()


def _pages(templates: Templates, ground: Ground) -> Iterator[Page]:
    board = templates.board
    yield board_page(templates)
    yield history_page(templates)
    yield compare_page(templates)
    yield data_page(templates, ground)
    yield from species_pages(templates, ground)
    yield task_index(templates)
    for task in board.benchmark.tasks:
        yield task_page(templates, task)
    for method in board.methods:
        yield method_page(templates, method)
    said = {"draws": DRAWS, "flips": FLIPS, "alpha": ALPHA}
    yield Page(
        "glossary.html", templates.render("glossary.html", "glossary.html", **said), head(board)
    )
    html = templates.render(
        "submit.html",
        "submit.html",
        fields=FIELDS,
        board_faults=KINDS,
        submission_faults=SUBMISSION_FAULTS,
        option="" if board.benchmark.id == DEFAULT else f" --benchmark {board.benchmark.id}",
    )
    yield Page("submit.html", html, head(board))


def _refuse_foreign(out: Path) -> None:
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        found = "is a link or a file"
    elif out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file():
        found = "holds something that is no site"
    else:
        return
    raise InputError(
        "FG-L160",
        f"{out} {found}",
        why="A build replaces the folder as a whole, and what is in it would be lost.",
        fix="Choose another --out, or an empty folder.",
    )


def _write(out: Path, files: Iterator[tuple[str, bytes]]) -> tuple[int, int]:
    """Write the site beside its place, then put it there; how many files and bytes it has."""
    part = out.with_name(f".{out.name}.part")
    sizes = []
    try:
        shutil.rmtree(part, ignore_errors=True)
        for name, content in files:
            path = part / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            sizes.append(len(content))
        if out.is_dir():
            shutil.rmtree(out)
        part.rename(out)
    except OSError as error:
        raise FgbenchError(
            "FG-L161",
            f"{out} could not be written: {error}",
            why="The site is not there, or only in part.",
            fix="See to disk space and permissions, then build again.",
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return len(sizes), sum(sizes)
