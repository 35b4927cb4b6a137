"""Measures of one ranked list, in expectation over random order within ties.

A list is known by the tie groups that hold relevant items: a group of ``g`` items of which ``r``
are relevant stands after ``n`` items of which ``p`` are relevant. Nothing here sees a gallery, so
the same code serves every way of counting ranks. Source: McSherry and Najork, ECIR 2008.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fgbench.scoring.kernel import walk
from fgbench.scoring.values import MEASURES

if TYPE_CHECKING:
    from numpy.typing import NDArray


def harmonic_numbers(n: int) -> NDArray[np.float64]:
    """H_0 … H_n, float64: ``walk`` sums reciprocals of long tie groups with it."""
    return np.concatenate(([0.0], np.cumsum(1.0 / np.arange(1, n + 1))))


def expected_ap(scores: NDArray[np.floating], relevant: NDArray[np.bool_]) -> float:
    """AP of one query over the full gallery, in expectation over random order within ties.

    ``scores``: [N], higher is better; ``relevant``: [N]. NaN where nothing is relevant.

    >>> (expected_ap(np.array([0.9, 0.8, 0.1]), np.array([True, False, True])))
    0.8333333333333333
    >>> tied = expected_ap(np.zeros(3), np.array([True, False, False]))  # (1 + 1/2 + 1/3) / 3
    >>> round(tied, 6)
    0.611111
    """
    wanted = np.sort(scores[relevant])[::-1]
    before = (scores[None, :] > wanted[:, None]).sum(axis=1)
    tied = (scores[None, :] == wanted[:, None]).sum(axis=1)
    out = np.empty(len(MEASURES))
    walk(before, tied, len(wanted), harmonic_numbers(len(scores)), out)
    return float(out[0])
