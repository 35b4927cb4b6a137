"""Paired tests that respect species: is a mean difference more than chance would give?

Queries of one species are alike, so the difference of a whole species is flipped in sign, never
that of one query alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fgbench.scoring.uncertainty import DRAWS, Interval, Sample, bootstrap, sum_by_cluster

FLIPS = 10_000
ALPHA = 0.05
_BLOCK = 1024
"""Flips held in memory at a time. Signs are drawn by block: another size draws others."""


class Verdict(StrEnum):
    """Which of two runs is better, as far as a test can tell."""

    A = "a better"
    B = "b better"
    NEITHER = "not separable"


@dataclass(frozen=True, slots=True)
class PairedTest:
    """The mean difference of paired values, its interval, and a two-sided p."""

    queries: int
    difference: float
    interval: Interval | None
    p: float


def paired_test(
    differences: Mapping[str, Sample],
    means: Mapping[str, tuple[str, ...]],
    *,
    flips: int = FLIPS,
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, PairedTest]:
    """Test whether paired differences, and means of them over keys, are zero on average.

    Every sample holds at least one query. Null hypothesis: the summed difference of a species is as
    likely to fall either way. Samples and means share the flips and the resamples of species.
    """
    pooled = sum_by_cluster(differences)
    sizes = dict(zip(pooled.keys, pooled.counts.sum(axis=0), strict=True))
    shares = dict(zip(pooled.keys, (pooled.sums / pooled.counts.sum(axis=0)).T, strict=True))
    over = {**{key: (key,) for key in pooled.keys}, **means}
    totals = np.stack([np.mean([shares[key] for key in keys], axis=0) for keys in over.values()], 1)
    intervals = bootstrap(differences, means, draws=draws, seed=seed)
    found = zip(over, totals.sum(axis=0), sign_flip(totals, flips=flips, seed=seed), strict=True)
    return {
        name: PairedTest(
            queries=int(sum(sizes[key] for key in over[name])),
            difference=float(difference),
            interval=intervals[name],
            p=float(p),
        )
        for name, difference, p in found
    }


def sign_flip(totals: ArrayLike, *, flips: int = FLIPS, seed: int = 0) -> NDArray[np.float64]:
    """Two-sided p [K] of the columns of ``totals`` [C, K]: how often |Σ ± total| reaches |Σ total|.

    Rows are independent clusters; all columns share one draw of signs. Where there are at most
    ``flips`` ways to set the signs, p is the part of them that reaches it; else
    (1 + reached) / (1 + flips), which is never 0 (Phipson and Smyth 2010).

    >>> sign_flip([[1.0], [2.0], [3.0]])
    array([0.25])
    """
    totals = np.asarray(totals, np.float64)
    clusters = len(totals)
    # Equal sums differ in their last bits by the order of summation: they count as reached.
    bar = np.abs(totals.sum(axis=0)) - 1e-12 * np.abs(totals).sum(axis=0)
    exact = is_exact(clusters, flips)
    reached = np.zeros(totals.shape[1], np.int64)
    for signs in draw_signs(clusters, flips=flips, seed=seed):
        reached += (np.abs(signs @ totals) >= bar).sum(axis=0)
    return reached / 2**clusters if exact else (1 + reached) / (1 + flips)


def is_exact(clusters: int, flips: int) -> bool:
    """Whether ``sign_flip`` goes through all signs of so many clusters."""
    return (1 << clusters) <= flips


def draw_signs(clusters: int, *, flips: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """The signs that ``sign_flip`` sets, +1 or −1, in blocks [≤ 1024, clusters]."""
    if is_exact(clusters, flips):
        return _all_signs(clusters)
    return _random_signs(clusters, flips, seed)


def _all_signs(clusters: int) -> Iterator[NDArray[np.float64]]:
    for start in range(0, 2**clusters, _BLOCK):
        codes = np.arange(start, min(start + _BLOCK, 2**clusters))
        bits = codes[:, None] >> np.arange(clusters) & 1
        yield (1 - 2 * bits).astype(np.float64)


def _random_signs(clusters: int, flips: int, seed: int) -> Iterator[NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    for start in range(0, flips, _BLOCK):
        size = (min(_BLOCK, flips - start), clusters)
        bits = rng.integers(0, 2, size=size, dtype=np.int8)
        yield (1 - 2 * bits).astype(np.float64)


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Adjust a family of p values: those ≤ α hold together at level α (Holm 1979).

    >>> holm([0.01, 0.04, 0.03, 0.005]).round(4).tolist()
    [0.03, 0.06, 0.06, 0.02]
    """
    p = np.asarray(p, np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def judge(difference: float, p_holm: float) -> Verdict:
    """The verdict on a difference a − b at level ``ALPHA``, given its adjusted p."""
    if p_holm > ALPHA:
        return Verdict.NEITHER
    return Verdict.A if difference > 0 else Verdict.B
