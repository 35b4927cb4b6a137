"""A method's page: its card, its values beside its paper's, its species."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fgbench.benchmark import Benchmark
from fgbench.published import Note, PublishedMethod, Value

from .board import Board, Cell, Method, Row, Rules
from .card import FIELDS
from .confusion import Confusion, list_confusions, name_species
from .exports import Table, to_bibtex
from .figures import Figure, heat_grid, heat_legend, species_strip
from .places import MEANS
from .templating import Page, Templates, letter, measure_titles
from .twins import method_document

ENDS = 5
"""How many of the best and of the worst species are named."""
MOST_CONFUSED = 15
"""How many confusions are listed."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A task or mean of the method, under each set of rules."""

    code: str
    sound: Cell | None
    included: Cell | None
    paper: Cell | None

    @property
    def off(self) -> float | None:
        """Scored less printed; in X→All with the query in its own gallery, as papers count."""
        scored = self.included or self.sound
        return scored.value - self.paper.value if scored and self.paper else None


def method_page(templates: Templates, method: Method) -> Page:
    """The page of one method."""
    board = templates.board
    rows = {rules.value: view.find(method) for rules, view in board.views.items()}
    lines = [_line(board, rows, measure) for measure in board.measures]
    variants = _variants(method)
    notes = _notes(rows[Rules.PAPER], [variant for variant, _ in variants])
    species = _draw_species(method, board)
    tables = [_table(board, method, lines), *([species.table] if species else [])]
    path = f"methods/{method.slug}.html"
    html = templates.render(
        "method.html",
        path,
        method=method,
        rows={"sound": rows[Rules.SOUND], "paper": rows[Rules.PAPER]},
        card={name: method.card[name] for name in FIELDS if name in method.card},
        fields={name: name.replace("_", " ").removesuffix(" url") for name in FIELDS},
        lines=lines,
        tasks={task.code for task in board.benchmark.tasks},
        table=tables[0],
        grids=_grids(board, rows),
        legend=heat_legend(board.top),
        species=species,
        confusions=_confusions(method, board.benchmark),
        variants=variants,
        variant_codes=[m for m in board.measures if any(m in cells for _, cells in variants)],
        bibtex=to_bibtex(method),
        notes=notes,
        noted=letter(notes),
    )
    return Page(path, html, method_document(board, method), tuple(tables))


@dataclass(frozen=True, slots=True)
class _Species:
    """A method's species: all as a strip, and the ends by name."""

    strip: Figure
    best: list[tuple[str, float]]
    worst: list[tuple[str, float]]
    table: Table


def _draw_species(method: Method, board: Board) -> _Species | None:
    """The mean over bi-modal tasks of the MAP of each species' queries; None where unranked."""
    names, slug = name_species(board.benchmark), method.slug
    species = [(names[v.label], v.entries[slug]) for v in board.species if slug in v.entries]
    if not species:
        return None
    ordered = sorted(species, key=lambda item: -item[1])
    count = min(ENDS, len(ordered) // 2)  # none of them twice
    strip = species_strip(f"Bi-modal MAP by species: {method.name}", species, best_first=True)
    table = Table.of(f"method-{method.slug}-species", strip)
    return _Species(strip, ordered[:count], ordered[::-1][:count], table)


def _confusions(method: Method, benchmark: Benchmark) -> list[Confusion]:
    if method.entry is None:
        return []
    return list_confusions(method.entry.record, benchmark, MOST_CONFUSED)


def _line(board: Board, rows: dict[str, Row | None], measure: str) -> _Line:
    def cell(rules: Rules) -> Cell | None:
        row = rows[rules]
        return row.cells.get(measure) if row else None

    union = measure == "multimodal" or measure.endswith("all")
    included = cell(Rules.INCLUDED) if union else None
    return _Line(measure, cell(Rules.SOUND), included, cell(Rules.PAPER))


def _grids(board: Board, rows: dict[str, Row | None]) -> dict[Rules, Any]:
    found = {}
    for rules in (Rules.SOUND, Rules.PAPER):
        if (row := rows[rules]) is not None:
            values = {code: cell.value for code, cell in row.cells.items() if code not in MEANS}
            found[rules] = heat_grid(
                row.method.name, values, top=board.top, media=board.benchmark.media
            )
    return found


def _variants(method: Method) -> list[tuple[PublishedMethod, dict[str, Value]]]:
    """Each variant with its printed numbers by task and mean."""
    if method.printed is None:
        return []
    return [
        (v, {**v.values, **{name: v.means[key] for name, key in MEANS.items() if key in v.means}})
        for v in method.printed.variants
    ]


def _notes(printed: Row | None, variants: list[PublishedMethod]) -> tuple[Note, ...]:
    own = printed.notes if printed else ()
    return tuple(dict.fromkeys((*own, *(note for v in variants for note in v.notes))))


def _table(board: Board, method: Method, lines: list[_Line]) -> Table:
    titles = measure_titles(board)
    rows = tuple(
        (
            titles[line.code],
            line.sound.rank if line.sound else None,
            line.sound.value if line.sound else None,
            *((line.sound.interval if line.sound else None) or (None, None)),
            line.included.value if line.included else None,
            line.paper.value if line.paper else None,
            line.paper.rank if line.paper else None,
        )
        for line in lines
    )
    header = ("task", "rank", "map", "low", "high", "map_self_included", "printed", "place")
    return Table(f"method-{method.slug}", f"{board.benchmark.title}: {method.name}", header, rows)
