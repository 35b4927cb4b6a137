"""Per-query values of every task: the product of scoring, of which all else is a view."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from threadpoolctl import threadpool_limits

from fgbench.errors import InputError
from fgbench.protocol import Calibration, Medium, Task
from fgbench.scoring.gallery import Gallery, stack
from fgbench.scoring.ranks import Ranked, rank
from fgbench.scoring.similarity import (
    BlockSimilarity,
    CommonSimilarity,
    Product,
    numpy_product,
    stacking,
)
from fgbench.scoring.values import TaskValues
from fgbench.submission import Space, Submission

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fgbench.benchmark import Benchmark

BLOCK = 256
"""Queries a block and worker: 256 rows of 21,476 float32 are 22 MB."""
MOST_LABELS = 2048
"""The label × label tables of gains and confusions grow as the square of this."""


def evaluate(
    submission: Submission,
    benchmark: Benchmark,
    *,
    calibration: Calibration = Calibration.ZROW,
    stable: bool = False,
    product: Product = numpy_product,
    block: int = BLOCK,
    threads: int | None = None,
    progress: Callable[[float], None] = lambda part: None,
) -> dict[Task, TaskValues]:
    """Per-query values of every task that the submission covers, ties in expectation.

    The submission must have passed ``check`` against the benchmark. ``stable`` adds the paper's tie
    rule. ``calibration`` says how separately learned blocks are merged for X→All; it does nothing
    in a common space. ``progress`` is told the part done.
    """
    media = stacking(submission, benchmark)
    gallery = _stack(benchmark, media)
    workers = threads or len(os.sched_getaffinity(0))
    rank_rows = _ranker(submission, benchmark, gallery, calibration, product)
    count = _Count(len(gallery.labels), progress)
    values: dict[Task, TaskValues] = {}
    # Each worker multiplies and ranks blocks of its own: BLAS threads would spin between products.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(workers) as pool:
        for at, medium in enumerate(media):
            start, end = gallery.bounds[at]
            ranked = Ranked.blank(end - start, gallery, stable=stable)
            blocks = [(first, min(first + block, end)) for first in range(start, end, block)]

            def work(
                mine: list[tuple[int, int]],
                at: int = at,
                start: int = start,
                ranked: Ranked = ranked,
            ) -> NDArray[np.float64]:
                firsts = np.zeros_like(ranked.firsts)
                for first, last in mine:
                    out = ranked.rows(first - start, last - start)
                    rank_rows(at, first, last, out._replace(firsts=firsts))
                    count.add(last - first)
                return firsts

            for firsts in pool.map(work, (blocks[worker::workers] for worker in range(workers))):
                ranked.firsts[...] += firsts
            labels = gallery.labels[start:end]
            for slot, other in enumerate([*media, None]):
                if other is not medium and (found := _values(ranked, slot, other is None, labels)):
                    values[Task(medium, other)] = found
    return {t: values[t] for t in benchmark.tasks if t in values}


class _Count:
    """How much is done, told in order whichever worker did it."""

    def __init__(self, total: int, progress: Callable[[float], None]) -> None:
        self._done, self._total, self._progress = 0, total, progress
        self._lock = Lock()

    def add(self, rows: int) -> None:
        with self._lock:
            self._done += rows
            self._progress(self._done / self._total)


def _stack(benchmark: Benchmark, media: tuple[Medium, ...]) -> Gallery:
    labels, taxonomy, gains = benchmark.labels, benchmark.taxonomy, None
    if len(labels) > MOST_LABELS:
        raise InputError(
            "FG-R001",
            f"the benchmark has {len(labels):,} labels; scoring takes up to {MOST_LABELS:,}",
            why="The table of confusions grows with their square.",
            fix="Use fewer classes, or open an issue if you need this.",
        )
    if taxonomy is not None and np.isin(labels, taxonomy.labels).all():
        chosen = np.searchsorted(taxonomy.labels, labels)
        gains = taxonomy.gains()[np.ix_(chosen, chosen)]
    return stack([benchmark.items[m].labels for m in media], labels, gains)


def _values(ranked: Ranked, slot: int, union: bool, labels: NDArray[np.int32]) -> TaskValues | None:
    """One task's values; None where nothing was ranked. Queries left out of the task are NaN.

    ``labels`` [n]: those of the queries. A label is asked for by all its queries or by none.
    """
    rows = np.flatnonzero(np.isfinite(ranked.measures[:, slot, 0]))
    if not len(rows):
        return None
    measures, firsts = ranked.measures[rows, slot], ranked.firsts[slot]
    asked = np.isin(np.arange(len(firsts)), labels[rows])
    return TaskValues(
        rows,
        measures[:, 0].astype(np.float32),
        ranked.included[rows].astype(np.float32) if union else None,
        ranked.stable[rows, slot] if ranked.stable.size else None,
        measures[:, 1:],
        np.where(asked[:, None], firsts, 0),
    )


_Ranker: TypeAlias = Callable[[int, int, int, Ranked], None]
"""``(at, first, last, out)``: rank the stacked items first:last, all of the medium at ``at``."""


def _ranker(
    submission: Submission,
    benchmark: Benchmark,
    gallery: Gallery,
    calibration: Calibration,
    product: Product,
) -> _Ranker:
    media = stacking(submission, benchmark)
    whole = len(media) == len(benchmark.media)
    if submission.space is Space.COMMON:
        common = CommonSimilarity(submission, benchmark, product)

        def rank_common(at: int, first: int, last: int, out: Ranked) -> None:
            others = np.arange(len(media)) != at
            queries = np.arange(first, last)
            rank(common.rows(first, last), common.expand, gallery, queries, others, whole, out)

        return rank_common

    apart = BlockSimilarity(submission, benchmark, product)

    def rank_apart(at: int, first: int, last: int, out: Ranked) -> None:
        start = gallery.bounds[at, 0]
        block, asked = apart.others(media[at], first - start, last - start, gallery.bounds)
        queries = np.arange(first, last)
        rank(block, None, gallery, queries, asked, False, out)
        if (
            whole
            and asked.sum() == len(media) - 1
            and apart.merge(media[at], first - start, calibration, gallery.bounds, block)
        ):
            rank(block, None, gallery, queries, np.zeros_like(asked), True, out)

    return rank_apart
