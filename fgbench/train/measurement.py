"""What several runs of one method come to: means over seeds, with intervals over species."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fgbench.benchmark import Benchmark
from fgbench.protocol import Task
from fgbench.scoring.score import Result
from fgbench.scoring.uncertainty import bootstrap


@dataclass(frozen=True, slots=True)
class Measure:
    """A MAP, or a mean of MAPs. ``map``: the mean over ``seeds``, which holds that of each run.

    ``ci95``: None where there is but one species.
    """

    map: float
    ci95: tuple[float, float] | None
    seeds: tuple[float, ...]

    @property
    def spread(self) -> float | None:
        """The standard deviation over seeds (n - 1); None of one run."""
        return float(np.std(self.seeds, ddof=1)) if len(self.seeds) > 1 else None


def measure(
    results: Sequence[Result], benchmark: Benchmark, means: Mapping[str, tuple[str, ...]]
) -> dict[str, Measure]:
    """Every task of the runs, and ``means`` over tasks where the runs have them all.

    In X→All the query stands in its own gallery, as in printed tables. A query's AP is averaged
    over the runs, of one recipe but for the seed, before species are drawn.
    """
    tasks = [task for task in benchmark.tasks if task.code in results[0].record.scores]
    values = {
        task.code: np.stack([_average_precisions(r, task) for r in results]) for task in tasks
    }
    labels = {task.code: _labels(results[0], benchmark, task) for task in tasks}
    whole = {name: codes for name, codes in means.items() if codes and values.keys() >= set(codes)}
    samples = {code: (found.mean(axis=0), labels[code]) for code, found in values.items()}
    intervals = bootstrap(samples, whole)
    measures = {}
    for name, codes in {**{code: (code,) for code in values}, **whole}.items():
        seeds = np.mean([values[code].mean(axis=1) for code in codes], axis=0)
        ends = intervals[name]
        ci95 = (ends.low, ends.high) if ends else None
        measures[name] = Measure(float(seeds.mean()), ci95, tuple(seeds.tolist()))
    return measures


def _average_precisions(result: Result, task: Task) -> NDArray[np.float64]:
    """Of each query, in the benchmark's order."""
    column = "ap_excluded" if task.bimodal else "ap_included"
    return np.asarray(_rows(result, task)[column].to_numpy(), np.float64)


def _labels(result: Result, benchmark: Benchmark, task: Task) -> NDArray[np.int64]:
    items = benchmark.items[task.query]
    known = dict(zip(items.ids.tolist(), items.labels.tolist(), strict=True))
    return np.array([known[item] for item in _rows(result, task)["item_id"].to_pylist()])


def _rows(result: Result, task: Task) -> pa.Table:
    table = result.per_query
    return table.filter(pc.equal(table["task"], task.code))
