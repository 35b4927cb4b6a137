"""The tables of a board, each as a page shows it and as its files hold it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from fgbench.protocol import Task, bimodal_tasks, multimodal_tasks

from .board import Board, Row, Rules, View
from .exports import Table

RANK = {Rules.SOUND: "rank", Rules.INCLUDED: "rank", Rules.PAPER: "place"}
"""What the first column is called: a rank is tested, a place is by value alone."""


class Tab(StrEnum):
    """The tabs of the board's page."""

    AVERAGES = "averages"
    BIMODAL = "bimodal"
    MULTIMODAL = "multimodal"
    MEDIUM = "medium"


def say(value: Any) -> str:
    """A value of a card in words: a list's entries with commas between, no and yes for truth."""
    if isinstance(value, bool):
        return "yes" if value else "none"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def tab_tasks(board: Board, tab: Tab) -> Sequence[Task]:
    """The tasks whose values a tab lists one by one."""
    known = {Tab.BIMODAL: bimodal_tasks, Tab.MULTIMODAL: multimodal_tasks}
    return known[tab](board.benchmark.media) if tab in known else ()


def by_medium(board: Board, row: Row) -> Mapping[str, float]:
    """The plain mean of each query medium's bi-modal tasks, where the row has all of them."""
    found = {}
    for medium in board.benchmark.media:
        codes = [t.code for t in bimodal_tasks(board.benchmark.media) if t.query is medium]
        if all(code in row.cells for code in codes):
            found[medium.value] = sum(row.cells[code].value for code in codes) / len(codes)
    return found


def tab_table(board: Board, view: View, tab: Tab) -> Table:
    """All rows of a tab, with those that lack tasks at the end, where they have no rank."""
    order = "multimodal" if tab is Tab.MULTIMODAL else "bimodal"
    rows = [*view.by(order), *(row for row in view.apart if order not in row.cells)]
    if tab is Tab.AVERAGES:
        header, values = _averages(rows)
    elif tab is Tab.MEDIUM:
        header = tuple(medium.value for medium in board.benchmark.media)
        values = [tuple(map(by_medium(board, row).get, header)) for row in rows]
    else:
        tasks = tab_tasks(board, tab)
        header = (*(task.title for task in tasks), "mean")
        codes = (*(task.code for task in tasks), order)
        values = [tuple(_value(row, code) for code in codes) for row in rows]
    made = [
        (_rank(row, order), row.method.name, row.status.value, *value)
        for row, value in zip(rows, values, strict=True)
    ]
    head = (RANK[view.rules], "method", "status", *header)
    return Table(f"{view.rules}-{tab}", f"{board.benchmark.title}: {tab}", head, tuple(made))


def task_table(board: Board, view: View, task: Task) -> Table:
    """The methods at one task, best first."""
    rows = tuple(
        (
            _rank(row, task.code),
            row.method.name,
            row.status.value,
            row.cells[task.code].value,
            *(row.cells[task.code].interval or (None, None)),
            row.year,
        )
        for row in view.by(task.code)
    )
    header = (RANK[view.rules], "method", "status", "map", "low", "high", "year")
    return Table(
        f"{view.rules}-{task.code}", f"{board.benchmark.title}: {task.title}", header, rows
    )


def _averages(rows: Sequence[Row]) -> tuple[tuple[str, ...], list[tuple[str | float | None, ...]]]:
    means = ("bimodal", "multimodal")
    names = [name for mean in means for name in (mean, f"{mean}_low", f"{mean}_high")]
    values = []
    for row in rows:
        numbers: list[float | None] = []
        for mean in means:
            cell = row.cells.get(mean)
            interval = cell.interval if cell and cell.interval else (None, None)
            numbers += [cell.value if cell else None, *interval]
        card = row.card
        values.append((*numbers, row.year, say(card.get("backbone")), say(card.get("extra_data"))))
    return (*names, "year", "backbone", "extra_data"), values


def _value(row: Row, measure: str) -> float | None:
    return row.cells[measure].value if measure in row.cells else None


def _rank(row: Row, measure: str) -> int | None:
    return row.cells[measure].rank if measure in row.cells else None
