"""Intervals of means over queries, by resampling species.

Queries of one species share their difficulty, so the species, not the query, is drawn
(a cluster bootstrap). All tasks are resampled together: a mean over tasks gets its interval from
the same draws as its tasks, with their correlation in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

DRAWS = 1000
LEVEL = 0.95

Sample: TypeAlias = tuple[ArrayLike, ArrayLike]
"""What is known of one task: a finite value [n] and the species label [n] of each query."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A percentile interval, and what it takes to draw it again."""

    low: float
    high: float
    level: float
    draws: int
    seed: int


@dataclass(frozen=True, slots=True)
class ClusterSums:
    """Sums and counts by species: what a resample of whole species needs to know of the queries.

    ``clusters``: [C] labels ascending, those of any task; ``sums``, ``counts``: [C, K] float64, one
    column a key; a species without a query of a task has 0 in both.
    """

    keys: tuple[str, ...]
    clusters: NDArray[np.int64]
    sums: NDArray[np.float64]
    counts: NDArray[np.float64]


def sum_by_cluster(samples: Mapping[str, Sample]) -> ClusterSums:
    """Sum each sample's values over its queries of one species, in float64."""
    pairs = [(np.asarray(v, np.float64), np.asarray(c, np.int64)) for v, c in samples.values()]
    if not pairs:
        empty = np.zeros((0, 0))
        return ClusterSums((), np.zeros(0, np.int64), empty, empty)
    clusters = np.unique(np.concatenate([np.unique(c) for _, c in pairs]))
    at = [np.searchsorted(clusters, c) for _, c in pairs]
    size = len(clusters)
    sums = [np.bincount(i, v, minlength=size) for i, (v, _) in zip(at, pairs, strict=True)]
    counts = [np.bincount(i, minlength=size).astype(np.float64) for i in at]
    return ClusterSums(tuple(samples), clusters, np.stack(sums, 1), np.stack(counts, 1))


def bootstrap(
    samples: Mapping[str, Sample],
    means: Mapping[str, tuple[str, ...]],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    level: float = LEVEL,
) -> dict[str, Interval | None]:
    """Percentile intervals of each sample's mean, and of ``means``, which average samples by key.

    A draw takes as many species as there are, with replacement; a sample's mean in it is the ratio
    of summed values to summed queries. None, an undefined interval, where fewer than two species
    have queries, and for a mean over any such sample. Draws that hit no query of a sample do not
    count for it. Below some tens of species percentile intervals are too short.

    >>> found = bootstrap({"i2t": ([0.1, 0.3, 0.5, 0.7], [0, 0, 1, 1])}, {}, draws=200)
    >>> found["i2t"].low, found["i2t"].high
    (0.2, 0.6)
    """
    pooled = sum_by_cluster(samples)
    drawn = draw_clusters(len(pooled.clusters), draws, seed)
    sizes = drawn @ pooled.counts
    by_draw = np.full_like(sizes, np.nan)
    np.divide(drawn @ pooled.sums, sizes, out=by_draw, where=sizes > 0)
    column = {key: k for k, key in enumerate(pooled.keys)}
    spread = (pooled.counts > 0).sum(axis=0) > 1

    def interval(over: tuple[str, ...]) -> Interval | None:
        at = [column[key] for key in over]
        values = by_draw[:, at].mean(axis=1) if at else np.zeros(0)
        values = values[np.isfinite(values)]
        if not len(values) or not spread[at].all():
            return None
        low, high = np.quantile(values, ((1 - level) / 2, (1 + level) / 2))
        return Interval(float(low), float(high), level, draws, seed)

    return {name: interval(over) for name, over in {**{k: (k,) for k in samples}, **means}.items()}


def draw_clusters(size: int, draws: int, seed: int) -> NDArray[np.float64]:
    """How often each cluster is drawn in each resample, [draws, size]."""
    picks = np.random.default_rng(seed).integers(max(size, 1), size=(draws, size))
    flat = (picks + size * np.arange(draws)[:, None]).ravel()
    return np.bincount(flat, minlength=draws * size).reshape(draws, size).astype(np.float64)
