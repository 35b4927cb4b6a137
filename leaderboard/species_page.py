"""The species of a benchmark: how well the ranked entries find them, and what they confuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fgbench.protocol import Medium, bimodal_tasks

from .board import Board, Row, Rules
from .confusion import name_species
from .exports import Table
from .figures import Figure, Point, difficulty
from .shares import sum_runs
from .species import SpeciesView, view_species
from .templating import Page, Templates
from .twins import head

PATH = "species.html"
NEIGHBOURS = 3
"""How many species that one is confused with are named."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A species. ``found``: by query medium, and as ``mean``, its mean MAP over bi-modal tasks."""

    label: int
    name: str
    found: Mapping[str, float | None]
    confused: tuple[tuple[str, float], ...]
    """Other species, with the queries of either whose first place showed the other."""


def species_page(templates: Templates) -> Page | None:
    """The page of all species, hardest first; None where no entry has all tasks."""
    board = templates.board
    rows = board.views[Rules.SOUND].rows
    if not rows:
        return None
    lines = _lines(board, rows)
    media = board.benchmark.media
    table = Table(
        "species",
        f"{board.benchmark.title}: species",
        ("species", "mean", *(medium.value for medium in media), "confused with"),
        tuple(
            (
                line.name,
                *(line.found[key] for key in ("mean", *media)),
                ", ".join(name for name, _ in line.confused),
            )
            for line in lines
        ),
    )
    html = templates.render(
        PATH, PATH, lines=lines, methods=len(rows), figure=_draw(lines, media), table=table
    )
    document: dict[str, Any] = {
        **head(board),
        "species": [
            {
                "label": line.label,
                "name": line.name,
                "map": dict(line.found),
                "confused": [{"name": name, "queries": n} for name, n in line.confused],
            }
            for line in lines
        ],
    }
    return Page(PATH, html, document, (table,))


def _lines(board: Board, rows: tuple[Row, ...]) -> list[_Line]:
    entries = {row.method.slug: row.method.entry for row in rows if row.method.entry}
    sums = sum_runs({slug: entry.run for slug, entry in entries.items()}, board.benchmark)
    records = {slug: entry.record for slug, entry in entries.items()}
    names = name_species(board.benchmark)
    lines = [
        _Line(
            view.label,
            names[view.label],
            _found(view, board.benchmark.media),
            tuple((names[n.label], n.asked + n.answered) for n in view.neighbours[:NEIGHBOURS]),
        )
        for view in view_species(sums, records, board.benchmark)
    ]
    return sorted(lines, key=lambda line: (line.found["mean"] or 0.0, line.name))


def _found(view: SpeciesView, media: tuple[Medium, ...]) -> dict[str, float | None]:
    """Means over the bi-modal tasks that ask for the species: of all, and of each query medium."""
    of_tasks = {task: view.maps.get(task.code) for task in bimodal_tasks(media)}
    asked = {task: value for task, value in of_tasks.items() if value is not None}
    groups = {medium.value: [v for t, v in asked.items() if t.query is medium] for medium in media}
    groups = {"mean": list(asked.values()), **groups}
    return {key: float(np.mean(values)) if values else None for key, values in groups.items()}


def _draw(lines: list[_Line], media: tuple[Medium, ...]) -> Figure:
    """Each species by its queries of the first and of the last medium."""
    x, y = media[0], media[-1]
    points = [
        Point(line.name, across, up)
        for line in lines
        if (across := line.found[x]) is not None and (up := line.found[y]) is not None
    ]
    return difficulty("Species by query medium", points, f"{x} queries", f"{y} queries")
