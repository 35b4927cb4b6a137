"""The numbers of a record, counted again from its per-query values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fgbench.benchmark import Benchmark
from fgbench.errors import Fault
from fgbench.record import Mean, Record
from fgbench.scoring.summary import INCLUDED
from fgbench.scoring.uncertainty import DRAWS, LEVEL, ClusterSums, Interval
from fgbench.submission.findings import quote

from .faults import Code, fault, shorten
from .pairwise import bound, list_measures, resample, total

TOLERANCE = 1e-6
"""Of a MAP: what the protocol promises between two machines."""
SLACK = 1 / 8
"""Of an interval's end, in widths: four standard errors of a percentile of 1,000 draws, since NumPy
does not promise one stream of random numbers to all its versions."""


def count_again(sums: Mapping[str, ClusterSums], benchmark: Benchmark) -> dict[str, dict[str, Any]]:
    """By entry all that its per-query values give, in the form of a record.

    ``sums`` is what ``sum_run`` gives of each. An interval is an ``Interval``; a mean is there
    where its tasks all are.
    """
    if not sums:
        return {}
    measures = list_measures(benchmark.media)
    families = {name: keys for name, keys in measures.items() if keys != (name,)}
    intervals = _intervals(sums, measures)
    return {entry: _count(summed, families, intervals[entry]) for entry, summed in sums.items()}


def recount_faults(where: str, record: Record, counted: Mapping[str, Any]) -> list[Fault]:
    """What a record says otherwise than its per-query values: MAPs, means, species, intervals.

    ``counted`` is of ``count_again``. Numbers agree within ``TOLERANCE``, intervals within
    ``SLACK``.
    """
    faults = []
    for group, found in (("scores", record.scores), ("means", record.means)):
        gone, more = counted[group].keys() - found.keys(), found.keys() - counted[group].keys()
        faults += [fault(Code.VALUE, f"{where}, {group}", f"no {name}") for name in sorted(gone)]
        faults += [
            fault(Code.VALUE, f"{where}, {group}", f"{quote(name)}, of which there are no values")
            for name in sorted(more)
        ]
        for name in counted[group].keys() & found.keys():
            at = f"{where}, {group}.{name}"
            faults += _differences(at, found[name], counted[group][name])
    return shorten(sorted(faults, key=lambda f: f.where))


def coverage_faults(where: str, record: Record, rows: int, sums: ClusterSums) -> list[Fault]:
    """Tasks whose queries are not all among the ``rows``, and rows of tasks that are not scored."""
    whole = {key for key in sums.keys if not key.endswith(INCLUDED)}
    faults = [
        fault(Code.QUERIES, f"{where}, scores.{quote(code)[1:-1]}", "not a value for each query")
        for code in sorted(record.scores.keys() - whole)
    ]
    counts = {k: int(n) for k, n in zip(sums.keys, sums.counts.sum(axis=0), strict=True)}
    scored = sum(counts[code] for code in whole & record.scores.keys())
    if not faults and scored != rows:
        found = f"{rows:,} values, of scored tasks {scored:,}"
        faults.append(fault(Code.QUERIES, where, found))
    return faults


def _count(
    sums: ClusterSums,
    families: Mapping[str, tuple[str, ...]],
    intervals: Mapping[str, Interval | None],
) -> dict[str, Any]:
    maps = {
        key: float(total / count)
        for key, total, count in zip(
            sums.keys, sums.sums.sum(axis=0), sums.counts.sum(axis=0), strict=True
        )
    }
    over = {name: family for name, family in families.items() if set(family) <= maps.keys()}
    means = {n: float(np.mean([maps[code] for code in codes])) for n, codes in over.items()}
    classes = {key: _classes(sums, column) for column, key in enumerate(sums.keys)}
    counts = dict(zip(sums.keys, sums.counts.sum(axis=0).astype(int).tolist(), strict=True))

    def score(key: str, values: Mapping[str, float]) -> dict[str, Any]:
        included = key + INCLUDED if key + INCLUDED in values else None
        return {
            "map": values[key],
            "ci95": intervals[key],
            "map_self_included": values[included] if included else None,
            "ci95_self_included": intervals[included] if included else None,
        }

    return {
        "scores": {
            key: {**score(key, maps), "queries": counts[key], "classes": classes[key]}
            for key in maps
            if not key.endswith(INCLUDED)
        },
        "means": {name: score(name, means) for name in over if not name.endswith(INCLUDED)},
    }


def _intervals(
    sums: Mapping[str, ClusterSums], over: Mapping[str, tuple[str, ...]]
) -> dict[str, dict[str, Interval | None]]:
    """By entry the interval of each measure, from draws of species' sums as ``bootstrap`` takes it.

    One draw serves all entries.
    """
    totals = total(sums, over)
    found: dict[str, dict[str, Interval | None]] = {entry: {} for entry in totals.entries}
    for name, values in resample(totals, draws=DRAWS, seed=0).items():
        bounds = [None] * len(found) if values is None else bound(values).T.tolist()
        for entry, ends in zip(totals.entries, bounds, strict=True):
            found[entry][name] = ends and Interval(ends[0], ends[1], LEVEL, DRAWS, 0)
    return found


def _classes(sums: ClusterSums, column: int) -> dict[str, float]:
    rows = zip(sums.clusters.tolist(), sums.sums[:, column], sums.counts[:, column], strict=True)
    return {str(label): float(total / count) for label, total, count in rows if count}


def _differences(where: str, found: Mean, counted: Mapping[str, Any]) -> Iterator[Fault]:
    for name, value in counted.items():
        said = getattr(found, name)
        if isinstance(value, dict):
            if not isinstance(said, dict) or said.keys() != value.keys():
                text = f"{name} of other labels than its queries"
                yield fault(Code.VALUE, f"{where}.{name}", text)
                continue
            pairs = [(f"{name}.{key}", said[key], value[key]) for key in value]
        else:
            pairs = [(name, said, value)]
        for at, one, other in pairs:
            if not _agrees(one, other):
                shown = _shown(other)
                yield fault(Code.VALUE, f"{where}.{at}", _shown(one), expected=shown)


def _agrees(said: Any, counted: Any) -> bool:
    if isinstance(said, float) and isinstance(counted, float):
        return abs(said - counted) <= TOLERANCE
    if counted is None or said is None:
        return said is counted
    if isinstance(counted, Interval):
        slack = SLACK * (counted.high - counted.low) + TOLERANCE
        return bool(max(abs(said[0] - counted.low), abs(said[1] - counted.high)) <= slack)
    if not isinstance(said, int | float) or isinstance(said, bool):
        return False
    # Compared first: a whole number of hundreds of digits is no float.
    return abs(said) < 1e15 and math.isclose(said, counted, rel_tol=0, abs_tol=TOLERANCE)


def _shown(value: Any) -> str:
    if isinstance(value, Interval):
        return f"{value.low:.7g} to {value.high:.7g}"
    if isinstance(value, tuple):
        return " to ".join(f"{end:.7g}" for end in value)
    return f"{value:.7g}" if isinstance(value, float) else quote(str(value))[1:-1]
