"""What a random order scores: the level that every MAP stands beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from fgbench.protocol import SelfMatch, Task

if TYPE_CHECKING:
    from fgbench.benchmark import Benchmark


def expected_ap(relevant: int, gallery: int) -> float:
    """The expected AP of a random order of ``gallery`` items, ``relevant`` of them relevant.

    E[AP] = (1/N) [H_N + (R-1)/(N-1) (N - H_N)].

    >>> expected_ap(1, 2)  # first or second: (1 + 1/2) / 2
    0.75
    """
    _require(relevant, gallery)
    if gallery == 1:
        return 1.0
    harmonic = _harmonic(gallery)
    return (harmonic + (relevant - 1) / (gallery - 1) * (gallery - harmonic)) / gallery


def expected_ap_self_included(relevant: int, gallery: int) -> float:
    """The same where the query itself is at rank 1 and the other items come in random order.

    ``relevant`` and ``gallery`` count the query, so both are at least 1. With K = N - 1 others,
    E[AP] = (1/R) [1 + (R-1)/K sum_{k=1..K} (2 + (k-1)(R-2)/(K-1))/(k+1)].

    >>> expected_ap_self_included(2, 3)  # the other relevant item is second or third
    0.9166666666666666
    """
    _require(relevant, gallery)
    others = gallery - 1
    if relevant == 1:
        return 1.0
    inverse = _harmonic(gallery) - 1  # sum of 1/(k+1)
    spread = (relevant - 2) / (others - 1) if others > 1 else 0.0
    total = 2 * inverse + spread * (others - 2 * inverse)
    return (1 + (relevant - 1) / others * total) / relevant


def expected_map(
    benchmark: Benchmark, task: Task, self_match: SelfMatch = SelfMatch.EXCLUDED
) -> float:
    """The expected MAP of a random submission; ``self_match`` matters to X→All alone.

    Queries of a class that the benchmark leaves out of the gallery are not asked.
    """
    galleries = benchmark.media if task.gallery is None else (task.gallery,)
    counts: Mapping[int, int] = _count(
        np.concatenate([benchmark.items[g].labels for g in galleries])
    )
    size = sum(counts.values())
    within = task.gallery is None
    total = asked = 0.0
    for label, queries in _count(benchmark.items[task.query].labels).items():
        relevant = counts.get(label, 0)
        if within and self_match is SelfMatch.INCLUDED:
            value = expected_ap_self_included(relevant, size)
        elif relevant == int(within):
            continue
        else:
            value = expected_ap(relevant - within, size - within)
        total, asked = total + queries * value, asked + queries
    return total / asked


def _count(labels: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> dict[int, int]:
    unique, counts = np.unique(labels, return_counts=True)
    return dict(zip(unique.tolist(), counts.tolist(), strict=True))


def _require(relevant: int, gallery: int) -> None:
    if not 1 <= relevant <= gallery:
        raise ValueError(f"{relevant} relevant of {gallery} items: need 1 <= relevant <= gallery")


def _harmonic(n: int) -> float:
    return float((1 / np.arange(1, n + 1)).sum())
