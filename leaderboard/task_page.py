"""A task's page: its methods in order, and which of them a test can tell apart."""

from __future__ import annotations

from dataclasses import dataclass

from fgbench.protocol import Task
from fgbench.published import Note

from .board import Board, Row, Rules, View
from .board_page import best_rows
from .exports import Table
from .figures import Estimate, Figure, ranking, significance_matrix
from .lead import Lead, find_lead, paired_tests
from .tables import task_table
from .templating import Page, Templates, letter
from .twins import head, task_document

MOST_PAIRED = 60
"""Methods in a matrix: as many as the ranked plot draws."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What a view says of a task."""

    view: View
    rows: list[Row]
    lead: Lead | None
    ranking: Figure
    matrix: Figure | None
    table: Table
    pairs: Table | None


def task_index(templates: Templates) -> Page:
    """The page that leads to all tasks."""
    path = "tasks/index.html"
    best = best_rows(templates.board)
    found = (note for code, row in best.items() if row for note in row.cells[code].notes)
    notes = tuple(dict.fromkeys(found))
    html = templates.render("tasks.html", path, best=best, notes=notes, noted=letter(notes))
    codes = [task.code for task in templates.board.benchmark.tasks]
    return Page(path, html, {**head(templates.board), "tasks": codes})


def task_page(templates: Templates, task: Task) -> Page:
    """The page of one task."""
    board = templates.board
    parts = [_part(board, view, task) for view in _views(board, task)]
    found = (note for part in parts for row in part.rows for note in _notes(row, task))
    notes = tuple(dict.fromkeys(found))
    path = f"tasks/{task.code}.html"
    html = templates.render(
        "task.html",
        path,
        task=task,
        parts=parts,
        queries=_queries(board, task),
        notes=notes,
        noted=letter(notes),
    )
    tables = [table for p in parts for table in (p.table, p.pairs) if table is not None]
    leads = {part.view.rules: part.lead for part in parts if part.lead}
    return Page(path, html, task_document(board, task.code, leads), tuple(tables))


def _views(board: Board, task: Task) -> list[View]:
    """Those with values of the task, the default first; one of the two sound ones where equal."""
    views = [view for view in board.views.values() if view.by(task.code)]
    views = [v for v in views if not (task.bimodal and v.rules is Rules.INCLUDED)]
    return sorted(views, key=lambda view: view is not board.default)


def _notes(row: Row, task: Task) -> tuple[Note, ...]:
    return (*row.common_notes, *row.own_notes(task.code))


def _queries(board: Board, task: Task) -> int:
    """How many are asked of every complete entry; 0 where none has been scored."""
    standing = board.views[Rules.SOUND].standing
    return standing.rankings[task.code].queries if standing else 0


def _part(board: Board, view: View, task: Task) -> _Part:
    rows = view.by(task.code)
    matrix = _matrix(view, task)
    stem = f"{view.rules}-{task.code}-pairs"
    return _Part(
        view=view,
        rows=rows,
        lead=find_lead(view, task.code),
        ranking=ranking(task.title, [_estimate(view, row, task) for row in rows]),
        matrix=matrix,
        table=task_table(board, view, task),
        pairs=Table.of(stem, matrix) if matrix else None,
    )


def _estimate(view: View, row: Row, task: Task) -> Estimate:
    cell = row.cells[task.code]
    rank = None if view.rules is Rules.PAPER else cell.rank
    return Estimate(row.method.name, cell.value, cell.interval, rank)


def _matrix(view: View, task: Task) -> Figure | None:
    if view.standing is None or len(view.rows) < 2:
        return None
    names = [row.method.name for row in view.ranked(task.code)[:MOST_PAIRED]]
    pairs = paired_tests(view.standing.rankings[task.code], MOST_PAIRED)
    return significance_matrix(task.title, names, pairs)
