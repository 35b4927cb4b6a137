"""Every entry against every other: the paired test of ``fgbench compare``, for all pairs at once.

Both the sum under flipped signs and the mean of a resample are linear in the values. So they are
taken once an entry, and a pair's is the difference of two: 50 entries have 1,225 pairs, but only
50 products.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fgbench.protocol import Medium, bimodal_tasks, multimodal_tasks
from fgbench.scoring.significance import draw_signs, holm, is_exact
from fgbench.scoring.summary import INCLUDED
from fgbench.scoring.uncertainty import LEVEL, ClusterSums, draw_clusters

_UNIT = 2.0**-52
"""Totals are rounded to multiples of this. Sums up to 2 are then exact: in whatever order a matrix
product adds, on whatever machine, the bits are the same."""

_PERFECT = 1.0
"""Two hundred rounded parts of a perfect MAP may come to a little more."""


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """What each of C species adds to each of n entries' MAPs on L measures.

    A measure is a task or a mean over tasks; ``over`` names its tasks. ``values``: [L, n, C], NaN
    where the entry has not answered the whole of it; a MAP is the sum of a row. ``counts``: by task
    the queries of each species, [C].
    """

    entries: tuple[str, ...]
    over: Mapping[str, tuple[str, ...]]
    values: NDArray[np.float64]
    counts: Mapping[str, NDArray[np.float64]]

    def queries(self, measure: str) -> int:
        return int(sum(self.counts[key].sum() for key in self.over[measure]))

    @property
    def maps(self) -> NDArray[np.float64]:
        """[L, n], NaN where there is none."""
        found: NDArray[np.float64] = np.minimum(self.values.sum(axis=2), _PERFECT)
        return found


def list_measures(media: Sequence[Medium]) -> dict[str, tuple[str, ...]]:
    """Each task and mean of both conventions, with the tasks that it is over."""
    bimodal = tuple(task.code for task in bimodal_tasks(media))
    multimodal = tuple(task.code for task in multimodal_tasks(media))
    included = tuple(code + INCLUDED for code in multimodal)
    return {
        **{code: (code,) for code in (*bimodal, *multimodal, *included)},
        "bimodal": bimodal,
        "multimodal": multimodal,
        "multimodal" + INCLUDED: included,
    }


def total(sums: Mapping[str, ClusterSums], over: Mapping[str, tuple[str, ...]]) -> Totals:
    """The totals of entries on the measures ``over``, in the order of their names.

    ``sums`` is what ``sum_run`` gives. Every task of a mean is a measure too.
    """
    entries = tuple(sorted(sums))
    size = len(sums[entries[0]].clusters) if entries else 0
    counts = {key: np.zeros(size) for keys in over.values() for key in keys}
    for entry in entries:
        counts |= dict(zip(sums[entry].keys, sums[entry].counts.T, strict=True))
    values = np.full((len(over), len(entries), size), np.nan)
    for number, entry in enumerate(entries):
        by_task = dict(zip(sums[entry].keys, sums[entry].sums.T, strict=True))
        shares = {key: column / counts[key].sum() for key, column in by_task.items()}
        for at, keys in enumerate(over.values()):
            if all(key in shares for key in keys):
                values[at, number] = np.mean([shares[key] for key in keys], axis=0)
    return Totals(entries, over, np.rint(values / _UNIT) * _UNIT, counts)


def flip_pairs(values: NDArray[np.float64], *, flips: int, seed: int) -> NDArray[np.float64]:
    """Two-sided p of every pair of entries, [L, n, n]: what ``sign_flip`` gives for the difference.

    ``values``: [L, n, C], as in ``Totals``. All pairs and measures share one draw of signs. Sums
    that differ by less than the rounding of their parts, about 1e-13, count as equal.
    """
    measures, entries, clusters = values.shape
    maps = values.sum(axis=2)
    bars = np.abs(maps[:, :, None] - maps[:, None, :]) - 4 * clusters * _UNIT
    reached = np.zeros((measures, entries, entries), np.int64)
    for signs in draw_signs(clusters, flips=flips, seed=seed):
        for at, flipped in enumerate(values @ signs.T):
            for i in range(entries - 1):
                apart = flipped[i + 1 :] - flipped[i]
                np.abs(apart, out=apart)
                found = apart >= bars[at, i, i + 1 :, None]
                # A block has 1,024 flips at most; count_nonzero would add up 64 bits for each.
                reached[at, i, i + 1 :] += found.sum(axis=1, dtype=np.uint16)
    reached += reached.transpose(0, 2, 1)
    exact = is_exact(clusters, flips)
    p: NDArray[np.float64] = reached / 2**clusters if exact else (1 + reached) / (1 + flips)
    p[:, np.arange(entries), np.arange(entries)] = 1.0
    return p


def adjust_pairs(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Holm over the first axis of p [K, n, n]: the K tests of each pair are a family."""
    adjusted = np.ones_like(p)
    for i, j in zip(*np.triu_indices(p.shape[1], 1), strict=True):
        adjusted[:, i, j] = adjusted[:, j, i] = holm(p[:, i, j])
    return adjusted


def resample(totals: Totals, *, draws: int, seed: int) -> dict[str, NDArray[np.float64] | None]:
    """Each entry's MAP in each draw of species, by measure: [n, draws], as ``bootstrap`` draws.

    All entries and measures share the draws. NaN in the rows of entries without a MAP; draws that
    hit no query of a task are left out. None where fewer than two species have queries of a task.
    """
    drawn = draw_clusters(totals.values.shape[2], draws, seed)
    sizes = {key: drawn @ counts for key, counts in totals.counts.items()}
    by_task = {}
    for at, (name, keys) in enumerate(totals.over.items()):
        if keys == (name,):
            queries = totals.counts[name].sum()
            with np.errstate(divide="ignore", invalid="ignore"):
                by_task[name] = (totals.values[at] @ drawn.T) / (sizes[name] / queries)
    found = {}
    for name, keys in totals.over.items():
        spread = all(np.count_nonzero(totals.counts[key]) > 1 for key in keys)
        hit = np.all([sizes[key] > 0 for key in keys], axis=0)
        mean = np.mean([by_task[key] for key in keys], axis=0)[:, hit]
        found[name] = np.minimum(mean, _PERFECT) if spread and hit.any() else None
    return found


def bound(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The interval that holds the middle ``LEVEL`` of each row's draws, [2, rows]."""
    ends = (1 - LEVEL) / 2, (1 + LEVEL) / 2
    # NumPy sorts with vector instructions and picks single places without: both steps together
    # take less than half of what quantile takes of rows in no order.
    inorder = np.sort(values, axis=1)
    found: NDArray[np.float64] = np.quantile(inorder, ends, axis=1, overwrite_input=True)
    return found


def bound_pairs(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The interval of row entry minus column entry, [2, n, n], from draws [n, draws] of each."""
    first, second = np.triu_indices(len(values), 1)
    bounds = np.zeros((2, len(values), len(values)))
    bounds[:, first, second] = bound(values[first] - values[second])
    bounds[:, second, first] = 0.0 - bounds[::-1, first, second]  # never −0
    return bounds
