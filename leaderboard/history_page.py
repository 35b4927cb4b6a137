"""The best so far, year by year: of each set of rules a history of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .board import Board, Row, Rules, View
from .exports import Table
from .figures import Figure, Point, progress
from .history import Step, trace_published, trace_standing
from .templating import Page, Templates, letter, measure_titles
from .twins import head

PATH = "history.html"


@dataclass(frozen=True, slots=True)
class _Part:
    """A view's methods by year, and the steps at each task and mean."""

    view: View
    figure: Figure
    steps: dict[str, list[tuple[Step, Row]]]
    table: Table


def history_page(templates: Templates) -> Page:
    """The page of the history; a method whose card has no year is left out."""
    board = templates.board
    views = [board.views[rules] for rules in (Rules.SOUND, Rules.PAPER) if board.views[rules].rows]
    parts = [_part(board, view) for view in sorted(views, key=lambda v: v is not board.default)]
    cells = (r.cells[m] for p in parts for m, steps in p.steps.items() for _, r in steps)
    notes = tuple(dict.fromkeys(note for cell in cells for note in cell.notes))
    html = templates.render("history.html", PATH, parts=parts, notes=notes, noted=letter(notes))
    document: dict[str, Any] = {
        part.view.rules.value: {
            measure: [
                {"year": step.year, "method": row.method.slug, "map": step.value}
                for step, row in steps
            ]
            for measure, steps in part.steps.items()
        }
        for part in parts
    }
    return Page(PATH, html, {**head(board), "views": document}, tuple(p.table for p in parts))


def _part(board: Board, view: View) -> _Part:
    points = [
        Point(row.method.name, float(row.year), row.cells["bimodal"].value)
        for row in view.rows
        if row.year is not None
    ]
    titles = measure_titles(board)
    steps = _steps(view)
    steps = {measure: steps[measure] for measure in board.measures if measure in steps}
    rows = tuple(
        (titles[measure], float(step.value), step.year, row.method.name)
        for measure, found in steps.items()
        for step, row in found
    )
    header = ("task", "map", "year", "method")
    return _Part(
        view=view,
        figure=progress("Bi-modal mean by year", points),
        steps=steps,
        table=Table(
            f"{view.rules}-history", f"{board.benchmark.title}: the best so far", header, rows
        ),
    )


def _steps(view: View) -> dict[str, list[tuple[Step, Row]]]:
    if view.rules is Rules.PAPER:
        known = {r.method.printed.slug: r for r in view.rows if r.method.printed}
        found = trace_published(r.method.printed.method for r in view.rows if r.method.printed)
    else:
        if view.standing is None:
            return {}
        known = {row.method.slug: row for row in view.rows}
        records = {r.method.slug: r.method.entry.record for r in view.rows if r.method.entry}
        found = trace_standing(view.standing, records)
    return {m: [(step, known[step.entry]) for step in steps] for m, steps in found.items()}
