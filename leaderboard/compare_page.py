"""Two to five methods side by side: what differs is worked out here, and loaded when asked for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

from .board import Board, Method, Rules, View
from .exports import dump
from .templating import Page, Templates
from .twins import head

PATH = "compare.html"
COLUMNS = ("map", "difference", "low", "high", "p_holm", "verdict")
"""What is said of another method at a task: its MAP, and how the first one differs from it."""
VIEWS = (Rules.SOUND, Rules.PAPER)


def compare_page(templates: Templates) -> Page:
    """The page on which a reader chooses methods."""
    board = templates.board
    views = [board.views[rules] for rules in VIEWS if board.views[rules].rows]
    views.sort(key=lambda view: view is not board.default)
    html = templates.render(PATH, PATH, views=views)
    document: dict[str, Any] = {
        **head(board),
        "columns": list(COLUMNS),
        "views": {view.rules.value: [row.method.slug for row in view.rows] for view in views},
    }
    return Page(PATH, html, document)


def comparisons(board: Board) -> Iterator[tuple[str, bytes]]:
    """By method a document of how it differs from each other one, as JSON and as a script.

    A page opened from a disk may load scripts and nothing else.
    """
    known = {rules.value: _compare_all(board.views[rules]) for rules in VIEWS}
    for method in board.methods:
        views = {
            rules: found[method.slug] for rules, found in known.items() if method.slug in found
        }
        if views:
            text = dump({**head(board), "slug": method.slug, "views": views})
            yield f"api/compare/{method.slug}.json", text.encode()
            yield f"compare/{method.slug}.js", f"receive({text.rstrip()});\n".encode()


def _compare_all(view: View) -> dict[str, dict[str, Any]]:
    """By method ``own``, its MAP at each measure, and ``others``: by method and measure the
    COLUMNS, those that need values by query null where papers print none."""
    methods = [row.method for row in view.rows]
    found: dict[str, dict[str, Any]] = {
        row.method.slug: {
            "own": {measure: cell.value for measure, cell in row.cells.items()},
            "others": {m.slug: {} for m in methods if m is not row.method},
        }
        for row in view.rows
    }
    for measure, one, other, said in (*_tested(view), *_printed(view)):
        found[one.slug]["others"][other.slug][measure] = said
    return found


def _tested(view: View) -> Iterator[tuple[str, Method, Method, list[Any]]]:
    if view.standing is None:
        return
    methods = {row.method.slug: row.method for row in view.rows}
    for measure, ranking in view.standing.rankings.items():
        matrix, size = ranking.matrix, len(ranking.positions)
        order = [methods[entry] for entry in matrix.entries]
        for i, j in permutations(range(size), 2):
            said = [
                ranking.positions[j].map,
                matrix.difference[i][j],
                matrix.low[i][j] if matrix.low else None,
                matrix.high[i][j] if matrix.high else None,
                matrix.p_holm[i][j],
                matrix.verdict(i, j).value,
            ]
            yield measure, order[i], order[j], said


def _printed(view: View) -> Iterator[tuple[str, Method, Method, list[Any]]]:
    if view.rules is not Rules.PAPER:
        return
    for row in view.rows:
        for other in view.rows:
            if other is not row:
                for measure in (m for m in row.cells if m in other.cells):
                    value = other.cells[measure].value
                    difference = round(row.cells[measure].value - value, 6)
                    said = [value, difference, None, None, None, None]
                    yield measure, row.method, other.method, said
