"""The species of a benchmark: how hard each is for the ranked entries, and what it is taken for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from fgbench.benchmark import Benchmark
from fgbench.errors import Fault, FaultyInput
from fgbench.protocol import bimodal_tasks
from fgbench.record import Record
from fgbench.scoring.run import RECORD, SCORE_AGAIN, brief, printable
from fgbench.scoring.uncertainty import ClusterSums


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A species that another is confused with, over all entries and tasks.

    ``asked``: queries of the one species whose first place showed this neighbour; ``answered``: the
    neighbour's queries whose first place showed the one. Ties count in parts.
    """

    label: int
    asked: float
    answered: float


@dataclass(frozen=True, slots=True)
class SpeciesView:
    """One species. ``maps``: by task code, the mean over entries of the MAP of its queries.

    In X→All no query stands in its own gallery. Tasks that ask no query of it are left out.
    ``entries``: by entry, the mean of that MAP over the bi-modal tasks that ask for it.
    ``neighbours``: most confused first; as far as records tell, which list the commonest twenty
    confusions of each task.
    """

    label: int
    maps: Mapping[str, float]
    entries: Mapping[str, float]
    neighbours: tuple[Neighbour, ...]


def view_species(
    sums: Mapping[str, ClusterSums], records: Mapping[str, Record], ground: Benchmark
) -> tuple[SpeciesView, ...]:
    """All species by label. ``sums`` and ``records``: of the entries to average, the ranked ones.

    Raises ``FaultyInput`` (FG-L102) where a record's confusions are not of the benchmark.
    """
    confused = _confusions(records, ground)
    maps = _fold({task.code: _difficulty(sums, task.code) for task in ground.tasks})
    bimodal = [task.code for task in bimodal_tasks(ground.media)]
    entries = _fold({entry: _mean(sums[entry], bimodal) for entry in sorted(sums)})
    neighbours: dict[int, dict[int, list[float]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for (query, first), queries in confused.items():
        neighbours[query][first][0] += queries
        neighbours[first][query][1] += queries
    return tuple(
        SpeciesView(label, maps[label], entries[label], _sort(neighbours[label]))
        for label in ground.labels.tolist()
    )


def _difficulty(sums: Mapping[str, ClusterSums], task: str) -> dict[int, float]:
    """By label: the mean over the entries that have the task, of the MAP of its queries."""
    found = [_maps(summed, task) for _, summed in sorted(sums.items()) if task in summed.keys]
    # All entries have the same queries of a task.
    return {label: fmean(maps[label] for maps in found) for label in (found[0] if found else ())}


def _mean(summed: ClusterSums, tasks: Sequence[str]) -> dict[int, float]:
    """By label: the mean over the tasks that ask for it, of the MAP of its queries."""
    asked: dict[int, list[float]] = defaultdict(list)
    for task in tasks:
        if task in summed.keys:
            for label, value in _maps(summed, task).items():
                asked[label].append(value)
    return {label: fmean(values) for label, values in asked.items()}


def _maps(summed: ClusterSums, task: str) -> dict[int, float]:
    """By label: the MAP of its queries at a task."""
    at = summed.keys.index(task)
    asked = summed.counts[:, at] > 0
    maps = summed.sums[asked, at] / summed.counts[asked, at]
    return dict(zip(summed.clusters[asked].tolist(), maps.tolist(), strict=True))


def _fold(values: Mapping[str, Mapping[int, float]]) -> dict[int, dict[str, float]]:
    """By name and label, turned into by label and name."""
    found: dict[int, dict[str, float]] = defaultdict(dict)
    for name, by_label in values.items():
        for label, value in by_label.items():
            found[label][name] = value
    return found


def _sort(neighbours: Mapping[int, list[float]]) -> tuple[Neighbour, ...]:
    made = [Neighbour(label, *counts) for label, counts in neighbours.items()]
    return tuple(sorted(made, key=lambda n: (-n.asked - n.answered, n.label)))


def _confusions(records: Mapping[str, Record], ground: Benchmark) -> dict[tuple[int, int], float]:
    """Queries by (query's label, first place's label), over all records and tasks."""
    labels, most = set(ground.labels.tolist()), sum(map(len, ground.items.values()))
    found: dict[tuple[int, int], float] = defaultdict(float)
    faults = []
    for entry, record in sorted(records.items()):
        for task, score in record.scores.items():
            wrong = [triple for triple in score.confused if not _fits(triple, labels, most)]
            if wrong:
                where = f"{printable(entry)}, {RECORD}, scores.{printable(task)}.confused"
                wanted = "[label, another label, queries] of the benchmark"
                faults.append(Fault("FG-L102", where, brief(wrong[0]), wanted, SCORE_AGAIN))
                continue
            for query, first, queries in score.confused:
                found[query, first] += queries
    if faults:
        raise FaultyInput("These runs cannot stand on one board", faults)
    return found


def _fits(triple: Sequence[Any], labels: set[int], most: int) -> bool:
    query, first, queries = triple
    known = all(type(label) is int and label in labels for label in (query, first))
    counted = isinstance(queries, int | float) and 0 <= queries <= most
    return known and counted and query != first
