"""The species of a benchmark: a page of all, and one of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from fgbench.protocol import Medium, bimodal_tasks

from .board import Board
from .confusion import find_kin, list_ranks, name_species
from .exports import Table
from .figures import Figure, Point, difficulty, heat_grid, heat_legend
from .ground import Ground
from .species import SpeciesView
from .templating import Page, Templates
from .twins import head

INDEX = "species/index.html"
NEIGHBOURS = 3
"""How many species that one is confused with are named on the page of all."""


@dataclass(frozen=True, slots=True)
class _Species:
    """A species. ``view``: None where nothing is ranked; ``kin``: its genus, family and order.

    ``found``: as ``mean``, and by query medium, its mean MAP over bi-modal tasks.
    """

    label: int
    name: str
    kin: Mapping[str, str]
    items: Mapping[str, int]
    view: SpeciesView | None
    found: Mapping[str, float | None]


def species_pages(templates: Templates, ground: Ground) -> Iterator[Page]:
    """The page of all species, hardest first where entries are ranked; then that of each."""
    known = _list(templates.board)
    yield _index(templates, known)
    by_label = {one.label: one for one in known}
    legend = heat_legend()
    for one in known:
        yield _page(templates, one, by_label, legend, ground)


def species_path(label: int) -> str:
    """Where the page of a species lies."""
    return f"species/{label}.html"


def _list(board: Board) -> list[_Species]:
    benchmark, names = board.benchmark, name_species(board.benchmark)
    ranks = list_ranks(benchmark)
    views = {view.label: view for view in board.species}
    counts = {m: benchmark.items[m].labels.tolist() for m in benchmark.media}
    known = [
        _Species(
            label=label,
            name=names[label],
            kin=ranks[label],
            items={m.value: counts[m].count(label) for m in benchmark.media},
            view=views.get(label),
            found=_found(views[label], benchmark.media) if label in views else {},
        )
        for label in benchmark.labels.tolist()
    ]
    return sorted(known, key=lambda one: (one.found.get("mean") or 0.0, one.name))


def _found(view: SpeciesView, media: tuple[Medium, ...]) -> dict[str, float | None]:
    """Means over the bi-modal tasks that ask for the species: of all, and of each query medium."""
    of_tasks = {task: view.maps.get(task.code) for task in bimodal_tasks(media)}
    asked = {task: value for task, value in of_tasks.items() if value is not None}
    groups = {medium.value: [v for t, v in asked.items() if t.query is medium] for medium in media}
    groups = {"mean": list(asked.values()), **groups}
    return {key: fmean(values) if values else None for key, values in groups.items()}


def _index(templates: Templates, known: list[_Species]) -> Page:
    board = templates.board
    media, ranked = board.benchmark.media, bool(board.species)
    names = {one.label: one.name for one in known}
    confused = {
        one.label: [
            (n.label, names[n.label], n.asked + n.answered)
            for n in one.view.neighbours[:NEIGHBOURS]
        ]
        for one in known
        if one.view
    }
    measured = ("mean", *(medium.value for medium in media)) if ranked else ()
    header = ("species", "family", *(f"{medium}_items" for medium in media), *measured)
    table = Table(
        "species",
        f"{board.benchmark.title}: species",
        (*header, *(("confused_with",) if ranked else ())),
        tuple(
            (
                one.name,
                one.kin.get("family"),
                *one.items.values(),
                *(one.found[key] for key in measured),
                *([", ".join(name for _, name, _ in confused[one.label])] if ranked else ()),
            )
            for one in known
        ),
    )
    html = templates.render(
        "species_list.html",
        INDEX,
        known=known,
        confused=confused,
        ranked=len(board.default.rows) if ranked else 0,
        figure=_draw(known, media) if ranked else None,
        table=table,
    )
    document: dict[str, Any] = {
        **head(board),
        "species": [
            {
                "label": one.label,
                "name": one.name,
                "map": dict(one.found) or None,
                "confused": [
                    {"label": label, "name": name, "queries": queries}
                    for label, name, queries in confused.get(one.label, ())
                ],
            }
            for one in known
        ],
    }
    return Page(INDEX, html, document, (table,))


def _draw(known: list[_Species], media: tuple[Medium, ...]) -> Figure:
    """Each species by its queries of the first and of the last medium."""
    x, y = media[0], media[-1]
    points = [
        Point(one.name, across, up)
        for one in known
        if (across := one.found[x]) is not None and (up := one.found[y]) is not None
    ]
    return difficulty("Species by query medium", points, f"{x} queries", f"{y} queries")


def _page(
    templates: Templates,
    one: _Species,
    by_label: Mapping[int, _Species],
    legend: Figure,
    ground: Ground,
) -> Page:
    board, view = templates.board, one.view
    entries = sorted(view.entries.items(), key=lambda item: (-item[1], item[0])) if view else []
    methods = {method.slug: method for method in board.methods}
    neighbours = [
        (n, by_label[n.label].name, find_kin(one.kin, by_label[n.label].kin))
        for n in (view.neighbours if view else ())
    ]
    path = species_path(one.label)
    html = templates.render(
        "species.html",
        path,
        one=one,
        note=ground.audit["notes"].get(str(one.label)),
        licences=ground.licences.get(one.label, {}),
        grid=heat_grid(one.name, view.maps, media=board.benchmark.media) if view else None,
        legend=legend,
        entries=[(methods[slug], value) for slug, value in entries],
        neighbours=neighbours,
    )
    document: dict[str, Any] = {
        **head(board),
        "label": one.label,
        "name": one.name,
        **one.kin,
        "items": dict(one.items),
        "licences": dict(ground.licences.get(one.label, {})),
        "maps": dict(view.maps) if view else None,
        "entries": dict(entries) if view else None,
        "neighbours": [
            {
                "label": n.label,
                "name": name,
                "asked": n.asked,
                "answered": n.answered,
                "in_common": kin or None,
            }
            for n, name, kin in neighbours
        ],
    }
    return Page(path, html, document)
