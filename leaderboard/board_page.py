"""The first page: every method, by averages, by task, and by query medium."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from fgbench.protocol import bimodal_tasks, multimodal_tasks
from fgbench.published import Note

from .board import Board, Row, Rules, View
from .exports import Table
from .figures import (
    Estimate,
    Figure,
    Point,
    Scale,
    heat_grid,
    heat_legend,
    interval_bar,
    quality,
)
from .tables import Tab, by_medium, say, tab_table
from .templating import Page, Templates, letter
from .twins import board_document

if TYPE_CHECKING:
    from markupsafe import Markup

_SPAN = 0.1
_MEANS = ("bimodal", "multimodal")
PATH = "index.html"


def board_page(templates: Templates) -> Page:
    """The page of all methods."""
    board = templates.board
    shown = _shown(board)
    tables = {
        rules.value: {tab.value: tab_table(board, view, tab) for tab in _tabs(rules)}
        for rules, view in board.views.items()
        if view.rows or view.apart
    }
    notes = _notes(shown)
    html = templates.render(
        "board.html",
        PATH,
        shown=shown,
        included=board.views[Rules.INCLUDED],
        tables=tables,
        items=_count_items(board),
        best=best_rows(board),
        statuses=_statuses(shown),
        notes=notes,
        noted=letter(notes),
        bimodal=[task.code for task in bimodal_tasks(board.benchmark.media)],
        multimodal=[task.code for task in multimodal_tasks(board.benchmark.media)],
        apart={v.rules: {m for row in v.apart for m in row.cells} for v in shown},
        no_extra=_has_no_extra,
        by_medium=partial(by_medium, board),
        bar=_Bars(shown),
        grid=partial(_grid, board),
        legend=heat_legend(board.top),
        sizes=_draw_sizes(board),
    )
    made: list[Table] = [table for by_tab in tables.values() for table in by_tab.values()]
    return Page(PATH, html, board_document(board), tuple(made))


def best_rows(board: Board) -> dict[str, Row | None]:
    """By task code, the highest of the default view; None where no method has the task."""
    view = board.default
    if not view.rows:
        return {}
    return {t.code: next(iter(view.ranked(t.code)), None) for t in board.benchmark.tasks}


def _draw_sizes(board: Board) -> Figure | None:
    """Scored entries by the parameters that their cards state; None where fewer than two do."""
    points = [
        Point(row.method.name, count, row.cells["bimodal"].value)
        for row in board.views[Rules.SOUND].rows
        if (count := row.card.get("parameters"))
    ]
    return quality("Bi-modal mean by parameters", points) if len(points) > 1 else None


def _shown(board: Board) -> list[View]:
    """The views with a section of their own, the default first."""
    paper = board.views[Rules.PAPER]
    shown = [board.views[Rules.SOUND], *([paper] if paper.rows or paper.apart else [])]
    return sorted(shown, key=lambda view: view is not board.default)


def _tabs(rules: Rules) -> tuple[Tab, ...]:
    return (Tab.MULTIMODAL,) if rules is Rules.INCLUDED else tuple(Tab)


def _notes(views: list[View]) -> tuple[Note, ...]:
    rows = chain.from_iterable((*view.rows, *view.apart) for view in views)
    return tuple(dict.fromkeys(note for row in rows for note in row.notes))


def _statuses(views: list[View]) -> list[Any]:
    found = {row.status for view in views for row in (*view.rows, *view.apart)}
    return sorted(found)


def _count_items(board: Board) -> str:
    items = board.benchmark.items
    counts = ", ".join(f"{len(items[m]):,} {m.value}" for m in board.benchmark.media)
    return f"{len(board.benchmark.labels):,} species; test items: {counts}"


def _has_no_extra(row: Row) -> bool:
    """Whether the card says that nothing but the benchmark was trained on.

    A published method whose paper is silent does not count.
    """
    return say(row.card.get("extra_data")) == "none"


def _grid(board: Board, row: Row) -> Markup:
    values = {code: cell.value for code, cell in row.cells.items() if code not in _MEANS}
    media = board.benchmark.media
    return heat_grid(row.method.name, values, top=board.top, media=media, printed=False).svg


class _Bars:
    """The interval bars of the means, along one scale a column."""

    def __init__(self, views: list[View]) -> None:
        self._scales: Mapping[tuple[Rules, str], Scale] = {
            (view.rules, mean): Scale.around(
                chain.from_iterable(
                    (row.cells[mean].value, *(row.cells[mean].interval or ())) for row in view.rows
                ),
                _SPAN,
            )
            for view in views
            for mean in _MEANS
        }

    def __call__(self, view: View, row: Row, mean: str) -> Markup:
        cell = row.cells[mean]
        rank = None if view.rules is Rules.PAPER else cell.rank
        estimate = Estimate(row.method.name, cell.value, cell.interval, rank)
        return interval_bar(estimate, self._scales[view.rules, mean]).svg
