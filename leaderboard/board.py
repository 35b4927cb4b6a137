"""What a board shows: its methods, and their values side by side in each convention."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fgbench.benchmark import Benchmark
from fgbench.protocol import SelfMatch
from fgbench.published import Note, PublishedMethod
from fgbench.record import Status
from fgbench.scoring.uncertainty import ClusterSums

from .names import slug
from .places import MEANS, place
from .species import SpeciesView, view_species
from .standing import Position, Standing, rank
from .store import Entry, Printed


class Rules(StrEnum):
    """By which rules the values of one ranking came about. Rankings of two are never mixed.

    SOUND: ties in expectation, no query in its own gallery. INCLUDED: the same, but in X→All every
    query stands in its own gallery. PAPER: as papers print them, ties as the authors' script breaks
    them and every query in its own X→All gallery.
    """

    SOUND = "sound"
    INCLUDED = "included"
    PAPER = "paper"


_SELF_MATCH = {Rules.SOUND: SelfMatch.EXCLUDED, Rules.INCLUDED: SelfMatch.INCLUDED}


@dataclass(frozen=True, slots=True)
class Cell:
    """A MAP. ``rank``: under PAPER a place by value alone; None where it takes no part."""

    value: float
    interval: tuple[float, float] | None = None
    rank: int | None = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Method:
    """A method by its name: what its paper prints, what was handed in, or both.

    ``slug`` is the address of its page.
    """

    slug: str
    name: str
    printed: Printed | None = None
    entry: Entry | None = None

    @property
    def card(self) -> Mapping[str, Any]:
        """What is said of it, by field: by those who handed it in, else by its paper."""
        if self.entry is not None:
            return _entry_card(self.entry)
        return _printed_card(self.printed.method) if self.printed else {}


@dataclass(frozen=True, slots=True)
class Row:
    """A method's values under one set of rules: by task code, then ``bimodal``, ``multimodal``."""

    method: Method
    status: Status
    cells: Mapping[str, Cell]
    card: Mapping[str, Any]
    """Of a printed row its paper's, also where the same method was handed in."""

    @property
    def year(self) -> int | None:
        found: int | None = self.card.get("year")
        return found

    @property
    def notes(self) -> tuple[Note, ...]:
        """Every note on its cells, once."""
        cells = self.cells.values()
        return tuple(dict.fromkeys(note for cell in cells for note in cell.notes))

    @property
    def common_notes(self) -> tuple[Note, ...]:
        """Notes on all of its cells: said once, of the method."""
        cells = self.cells.values()
        return tuple(note for note in self.notes if all(note in cell.notes for cell in cells))

    def own_notes(self, measure: str) -> tuple[Note, ...]:
        """Notes on a cell that are not on all."""
        if measure not in self.cells:
            return ()
        return tuple(n for n in self.cells[measure].notes if n not in self.common_notes)


@dataclass(frozen=True, slots=True)
class View:
    """One set of rules: ``rows`` with all tasks, best bi-modal mean first; ``apart`` lack some."""

    rules: Rules
    rows: tuple[Row, ...] = ()
    apart: tuple[Row, ...] = ()
    standing: Standing | None = None

    def find(self, method: Method) -> Row | None:
        """The method's row, if it stands here."""
        return next((r for r in (*self.rows, *self.apart) if r.method is method), None)

    def ranked(self, measure: str) -> list[Row]:
        """The rows with all tasks, best first at a task or mean."""
        return _sorted(self.rows, measure)

    def by(self, measure: str) -> list[Row]:
        """Best first at a task or mean; those that lack tasks last, without a rank."""
        return [*self.ranked(measure), *_sorted(self.apart, measure)]


@dataclass(frozen=True, slots=True)
class Board:
    """A benchmark's methods, by address, and their views."""

    benchmark: Benchmark
    methods: tuple[Method, ...]
    views: Mapping[Rules, View]
    species: tuple[SpeciesView, ...] = ()
    """As the ranked entries find them, by label; empty where nothing is ranked."""

    @property
    def measures(self) -> tuple[str, ...]:
        """Task codes, then the two means."""
        return (*(task.code for task in self.benchmark.tasks), *MEANS)

    @property
    def default(self) -> View:
        """What a reader sees first: scored entries, or printed numbers where there are none."""
        sound = self.views[Rules.SOUND]
        return sound if sound.rows or sound.apart else self.views[Rules.PAPER]

    @property
    def top(self) -> float:
        """The end of all its ramps: the highest value, up to the next tenth."""
        values = [
            cell.value
            for view in self.views.values()
            for row in (*view.rows, *view.apart)
            for cell in row.cells.values()
        ]
        return math.ceil(10 * max(values, default=1.0)) / 10 or 1.0


def make_board(
    benchmark: Benchmark,
    entries: Iterable[Entry],
    sums: Mapping[str, ClusterSums],
    printed: Iterable[Printed] = (),
) -> Board:
    """The board of checked entries and of the numbers that papers print for this benchmark.

    ``sums``: by slug what ``sum_run`` gives of every entry. An entry under the very name of a
    published method shares its page.
    """
    methods = {slug(p.method.name): Method(slug(p.method.name), p.method.name, p) for p in printed}
    for entry in entries:
        known = methods.get(entry.slug)
        methods[entry.slug] = Method(
            entry.slug, entry.name, known.printed if known else None, entry
        )
    ordered = tuple(methods[key] for key in sorted(methods))
    views = {Rules.SOUND: View(Rules.SOUND), Rules.INCLUDED: View(Rules.INCLUDED)}
    species: tuple[SpeciesView, ...] = ()
    if sums:
        standings = rank(sums, benchmark.media)
        for rules, self_match in _SELF_MATCH.items():
            views[rules] = _view_standing(rules, ordered, standings[self_match])
        if ranked := {r.method.slug: r.method.entry for r in views[Rules.SOUND].rows}:
            records = {slug: entry.record for slug, entry in ranked.items() if entry}
            species = view_species({slug: sums[slug] for slug in ranked}, records, benchmark)
    views[Rules.PAPER] = _view_printed(ordered)
    return Board(benchmark, ordered, views, species)


def _view_standing(rules: Rules, methods: tuple[Method, ...], standing: Standing) -> View:
    cells: dict[str, dict[str, Cell]] = {}
    for measure, ranking in standing.rankings.items():
        for position in (*ranking.positions, *ranking.apart):
            cells.setdefault(position.entry, {})[measure] = _cell(position)
    made = {
        m.slug: Row(m, m.entry.status, cells[m.slug], _entry_card(m.entry))
        for m in methods
        if m.entry and m.slug in cells
    }
    whole = [made[entry] for entry in standing.entries]
    rest = [row for key, row in made.items() if key not in standing.entries]
    return View(rules, tuple(whole), tuple(rest), standing)


def _cell(position: Position) -> Cell:
    return Cell(position.map, position.ci95, position.rank)


def _view_printed(methods: tuple[Method, ...]) -> View:
    known = [m for m in methods if m.printed]
    placed = place(m.printed.method for m in known if m.printed)
    ranks = {(p.entry, measure): p.place for measure, ps in placed.items() for p in ps}
    rows = [
        Row(
            m,
            m.printed.status,
            dict(_print_cells(m.printed.method, ranks)),
            _printed_card(m.printed.method),
        )
        for m in known
        if m.printed
    ]
    whole = [row for row in rows if row.method.printed and row.method.printed.complete]
    return View(
        Rules.PAPER,
        tuple(_sorted(whole, "bimodal")),
        tuple(row for row in rows if row not in whole),
    )


def _entry_card(entry: Entry) -> Mapping[str, Any]:
    card: Mapping[str, Any] = entry.record.submission["meta"]
    return card


def _printed_card(method: PublishedMethod) -> Mapping[str, Any]:
    said = {
        "method": method.name,
        "year": method.year,
        "paper": method.source,
        "backbone": method.backbone,
        "extra_data": method.extra_data,
    }
    return {name: value for name, value in said.items() if value}


def _print_cells(
    method: PublishedMethod, ranks: Mapping[tuple[str, str], int | None]
) -> Iterator[tuple[str, Cell]]:
    values = dict(method.values)
    values |= {name: method.means[key] for name, key in MEANS.items() if key in method.means}
    for measure, value in values.items():
        rank = ranks.get((method.key, measure))
        yield measure, Cell(float(value.value), None, rank, value.notes)


def _sorted(rows: Iterable[Row], measure: str) -> list[Row]:
    having = [row for row in rows if measure in row.cells]
    return sorted(having, key=lambda row: (-row.cells[measure].value, row.method.slug))
