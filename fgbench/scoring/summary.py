"""The record: means, intervals, classes and confusions as views of the per-query values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fgbench import __version__
from fgbench.benchmark import RANKS, Benchmark
from fgbench.protocol import Calibration, Task
from fgbench.record import Mean, Record, TaskScore
from fgbench.scoring.run import PER_QUERY
from fgbench.scoring.uncertainty import LEVEL, Interval, bootstrap
from fgbench.scoring.values import SECONDARY, TaskValues
from fgbench.submission import Report, Space, Submission

if TYPE_CHECKING:
    from numpy.typing import NDArray

INCLUDED = "+self"
"""Marks a task's self-included values among the bootstrap's keys."""
MOST_CONFUSED = 20


def per_query(benchmark: Benchmark, values: Mapping[Task, TaskValues]) -> pa.Table:
    """The table that every other number is a view of; rows by task, then the benchmark's order."""
    parts = []
    for task, found in values.items():
        count = len(found.rows)
        included = found.included
        parts.append(
            pa.table(
                {
                    "item_id": _texts(benchmark.items[task.query].ids[found.rows].tolist()),
                    "task": _texts([task.code] * count),
                    "ap_excluded": _floats(found.excluded),
                    "ap_included": pa.nulls(count, pa.float32())
                    if included is None
                    else _floats(included),
                }
            )
        )
    return pa.concat_tables(parts).combine_chunks()


# From buffers, since pyarrow.array looks for pandas first: its import takes a third of a second.


def _texts(values: list[str]) -> pa.Array:
    encoded = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return pa.StringArray.from_buffers(
        len(values), pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))
    )


def _floats(values: NDArray[np.float32]) -> pa.Array:
    return pa.Array.from_buffers(pa.float32(), len(values), [None, pa.py_buffer(values)])


def parquet(table: pa.Table) -> bytes:
    """The table's file; equal tables give equal bytes in one environment."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def describe_benchmark(benchmark: Benchmark) -> dict[str, Any]:
    """What a record says of its benchmark."""
    return {
        "id": benchmark.id,
        "title": benchmark.title,
        "split_column": benchmark.split_column,
        "files": dict(benchmark.files),
        "items": {m.value: len(benchmark.items[m]) for m in benchmark.media},
        "labels": len(benchmark.labels),
    }


def summarise(
    submission: Submission,
    report: Report,
    benchmark: Benchmark,
    values: Mapping[Task, TaskValues],
    table: pa.Table,
    calibration: Calibration,
    draws: int,
    seed: int,
) -> Record:
    """The record of a checked and evaluated submission; ``table`` is its ``per_query``."""
    samples: dict[str, tuple[NDArray[np.float32], NDArray[np.int64]]] = {}
    for task, found in values.items():
        clusters = benchmark.items[task.query].labels[found.rows]
        samples[task.code] = (found.excluded, clusters)
        if found.included is not None:
            samples[task.code + INCLUDED] = (found.included, clusters)
    families = {
        name: tuple(t.code for t in benchmark.tasks if t.bimodal is bimodal)
        for name, bimodal in (("bimodal", True), ("multimodal", False))
    }
    whole = {n: codes for n, codes in families.items() if all(c in samples for c in codes)}
    averages = dict(whole)
    if "multimodal" in whole:
        averages["multimodal" + INCLUDED] = tuple(c + INCLUDED for c in whole["multimodal"])
    intervals = bootstrap(samples, averages, draws=draws, seed=seed)
    scores = {
        task.code: _task_score(task, found, benchmark, intervals) for task, found in values.items()
    }
    means = {
        name: _mean([scores[c] for c in codes], name, intervals) for name, codes in whole.items()
    }
    missing = report.coverage.missing if report.coverage else {}
    return Record(
        benchmark=describe_benchmark(benchmark),
        submission={
            "sha256": submission.sha256,
            "space": submission.space.value,
            "binary": submission.binary,
            "media": [m.value for m in submission.media],
            "notes": list(report.notes),
            "meta": dict(submission.meta),
        },
        scores=scores,
        means=means,
        complete=not missing,
        missing={t.code: lack for t, lack in missing.items()},
        merge=None if submission.space is Space.COMMON else calibration.value,
        bootstrap={"over": "species", "draws": draws, "level": LEVEL, "seed": seed},
        per_query={
            "file": PER_QUERY,
            "rows": table.num_rows,
            "sha256": hashlib.sha256(parquet(table)).hexdigest(),
        },
        package_version=__version__,
    )


def _bounds(interval: Interval | None) -> tuple[float, float] | None:
    return None if interval is None else (interval.low, interval.high)


def _average(values: NDArray[np.floating[Any]]) -> float:
    """In float64, whatever the stored precision."""
    return float(np.mean(values, dtype=np.float64))


def _task_score(
    task: Task,
    found: TaskValues,
    benchmark: Benchmark,
    intervals: Mapping[str, Interval | None],
) -> TaskScore:
    included = found.included
    measured = {
        name: _average(column)
        for name, column in zip(SECONDARY, found.secondary.T, strict=True)
        if np.isfinite(column).all()
    }
    labels = benchmark.items[task.query].labels[found.rows]
    return TaskScore(
        map=_average(found.excluded),
        ci95=_bounds(intervals[task.code]),
        map_self_included=None if included is None else _average(included),
        ci95_self_included=None if included is None else _bounds(intervals[task.code + INCLUDED]),
        map_paper=None if found.stable is None else _average(found.stable),
        queries=len(found.rows),
        secondary=measured,
        first=_first(found.firsts, benchmark),
        confused=_confused(found.firsts, benchmark),
        classes={
            str(label): round(_average(found.excluded[labels == label]), 6)
            for label in np.unique(labels)
        },
    )


def _mean(scores: list[TaskScore], name: str, intervals: Mapping[str, Interval | None]) -> Mean:
    included = [s.map_self_included for s in scores if s.map_self_included is not None]
    paper = [s.map_paper for s in scores if s.map_paper is not None]
    return Mean(
        map=float(np.mean([s.map for s in scores])),
        ci95=_bounds(intervals[name]),
        map_self_included=float(np.mean(included)) if included else None,
        ci95_self_included=_bounds(intervals[name + INCLUDED]) if included else None,
        map_paper=float(np.mean(paper)) if paper else None,
    )


def _first(firsts: NDArray[np.float64], benchmark: Benchmark) -> dict[str, float]:
    """Shares of first places by the closest rank that query and first place have in common."""
    total = firsts.sum()
    shares = {"species": float(np.trace(firsts) / total)}
    taxonomy, labels = benchmark.taxonomy, benchmark.labels
    if taxonomy is None or not np.isin(labels, taxonomy.labels).all():
        return shares
    chosen = np.searchsorted(taxonomy.labels, labels)
    left = ~np.eye(len(labels), dtype=bool)
    for rank in RANKS[1:]:
        names = np.asarray(getattr(taxonomy, rank))[chosen]
        same = left & (names[:, None] == names[None, :])
        shares[rank] = float(firsts[same].sum() / total)
        left &= ~same
    return shares | {"other": float(firsts[left].sum() / total)}


def _confused(
    firsts: NDArray[np.float64], benchmark: Benchmark
) -> tuple[tuple[int, int, float], ...]:
    labels = benchmark.labels
    apart = np.where(np.eye(len(labels), dtype=bool), 0, firsts)
    order = np.argsort(-apart, axis=None, kind="stable")[:MOST_CONFUSED]
    rows, columns = np.unravel_index(order, apart.shape)
    return tuple(
        (int(labels[a]), int(labels[b]), round(float(apart[a, b]), 3))
        for a, b in zip(rows, columns, strict=True)
        if apart[a, b] > 0
    )
