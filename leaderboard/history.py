"""The best MAP so far, year by year: of each convention a history of its own.

Steps go by value alone; whether the new best differs from the old one is for ``standing`` to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fgbench.published import PublishedMethod
from fgbench.record import Record

from .places import is_placed, printed
from .standing import Standing


@dataclass(frozen=True, slots=True)
class Step:
    """The year in which an entry was first above all before it; of equals, the first by name."""

    year: int
    entry: str
    value: float


def best_so_far(results: Iterable[tuple[int, str, float]]) -> tuple[Step, ...]:
    """The steps of (year, entry, value): at most one a year, each higher than the one before."""
    steps: list[Step] = []
    for year, entry, value in sorted(results, key=lambda r: (r[0], -r[2], r[1])):
        if not steps or value > steps[-1].value:
            steps.append(Step(year, entry, value))
    return tuple(steps)


def trace_published(methods: Iterable[PublishedMethod]) -> dict[str, tuple[Step, ...]]:
    """Printed numbers by task and mean, in the paper's convention; not of variants, nor in part."""
    results: dict[str, list[tuple[int, str, float]]] = {}
    for method in methods:
        if is_placed(method):
            for measure, value in printed(method).items():
                results.setdefault(measure, []).append((method.year, method.key, value))
    return {measure: best_so_far(found) for measure, found in results.items()}


def trace_standing(
    standing: Standing, records: Mapping[str, Record]
) -> dict[str, tuple[Step, ...]]:
    """Ranked entries by task and mean; those whose card has no year are left out."""
    years = {entry: _year(records[entry]) for entry in standing.entries}
    return {
        measure: best_so_far(
            (year, position.entry, position.map)
            for position in ranking.positions
            if (year := years[position.entry]) is not None
        )
        for measure, ranking in standing.rankings.items()
    }


def _year(record: Record) -> int | None:
    meta = record.submission.get("meta")
    year = meta.get("year") if isinstance(meta, dict) else None
    return year if isinstance(year, int) and not isinstance(year, bool) else None
