"""Places by value, for numbers that come without values by query: no test, no interval, no rank.

They are of the paper's convention alone: ties as its script breaks them, and in X→All the query in
its own gallery. So they never stand in one column with ``standing``'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fgbench.protocol import tasks
from fgbench.published import MEAN_BIMODAL, MEAN_MULTIMODAL, PublishedMethod
from fgbench.record import Record

MEANS = {"bimodal": MEAN_BIMODAL, "multimodal": MEAN_MULTIMODAL}


@dataclass(frozen=True, slots=True)
class Place:
    """One method on one task or mean. ``printed``: a paper's number, else a record's ``map_paper``.

    ``place``: 1 + the methods with a higher value, at the three digits that tables print. Null for
    variants of another method and for methods without all sixteen tasks.
    """

    entry: str
    printed: bool
    value: float
    place: int | None


def place(
    methods: Iterable[PublishedMethod], records: Mapping[str, Record] | None = None
) -> dict[str, tuple[Place, ...]]:
    """Place methods on each task, then on ``bimodal`` and ``multimodal``; highest value first.

    ``records``: by entry, those that may stand beside them; taken where they are complete and were
    scored under the paper's convention. Equal values are in order of name.
    """
    columns: dict[str, list[tuple[str, bool, float, bool]]] = {}
    for method in methods:
        placed = is_placed(method)
        for measure, value in printed(method).items():
            columns.setdefault(measure, []).append((method.key, True, value, placed))
    for entry, record in (records or {}).items():
        for measure, value in _rescored(record).items():
            columns.setdefault(measure, []).append((entry, False, value, True))
    order = [task.code for task in tasks()] + list(MEANS)
    return {measure: _column(columns[measure]) for measure in order if measure in columns}


def is_placed(method: PublishedMethod) -> bool:
    """Whether it is a method of its own, with all sixteen tasks."""
    return not method.variant_of and len(method.values) == len(tasks())


def printed(method: PublishedMethod) -> dict[str, float]:
    """A method's printed numbers by task code, then by ``bimodal`` and ``multimodal``."""
    cells = dict(method.values)
    cells |= {name: method.means[key] for name, key in MEANS.items() if key in method.means}
    return {measure: float(cell.value) for measure, cell in cells.items()}


def _rescored(record: Record) -> dict[str, float]:
    found = {name: score.map_paper for name, score in {**record.scores, **record.means}.items()}
    values = {name: value for name, value in found.items() if value is not None}
    return values if record.complete and len(values) == len(found) else {}


def _column(cells: list[tuple[str, bool, float, bool]]) -> tuple[Place, ...]:
    against = [round(value, 3) for _, _, value, placed in cells if placed]
    return tuple(
        Place(entry, is_printed, value, _count_above(value, against) if placed else None)
        for entry, is_printed, value, placed in sorted(cells, key=lambda c: (-c[2], c[0], c[1]))
    )


def _count_above(value: float, against: list[float]) -> int:
    return 1 + sum(other > round(value, 3) for other in against)
