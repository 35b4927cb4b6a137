"""The stacked gallery: the test items of all media, medium after medium, and their worth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fgbench.scoring.ap import harmonic_numbers
from fgbench.scoring.kernel import TOP


class Gallery(NamedTuple):
    """The stacked gallery: the test items of all media, medium after medium.

    ``bounds``: [M, 2] first and past-last column of each medium; ``labels``: [N] label index of
    each column, 0…L-1; ``members``, ``offsets``: the columns of label l, ascending, are
    members[offsets[l]:offsets[l+1]]; ``gains``: [L, L], empty where there is no taxonomy;
    ``ideal``: [L, M+1] the best DCG, last column for the union without the query;
    ``harmonic``, ``discounts``: running sums of 1/k and of 1/log2(k+1).
    """

    bounds: NDArray[np.int64]
    labels: NDArray[np.int32]
    members: NDArray[np.int64]
    offsets: NDArray[np.int64]
    gains: NDArray[np.float32]
    ideal: NDArray[np.float64]
    harmonic: NDArray[np.float64]
    discounts: NDArray[np.float64]


def stack(
    labels: list[NDArray[np.int64]], index: NDArray[np.int64], gains: NDArray[np.float32] | None
) -> Gallery:
    """The gallery of media in stacking order. ``index``: all labels, ascending; ``gains`` by it."""
    columns = np.searchsorted(index, np.concatenate(labels)).astype(np.int32)
    ends = np.cumsum([len(part) for part in labels])
    bounds = np.stack((np.concatenate(([0], ends[:-1])), ends), axis=1).astype(np.int64)
    members = np.argsort(columns, kind="stable").astype(np.int64)
    offsets = np.searchsorted(columns[members], np.arange(len(index) + 1)).astype(np.int64)
    discounts = 1.0 / np.log2(np.arange(2, TOP + 2))
    table = np.empty((0, 0), np.float32) if gains is None else gains.astype(np.float32)
    return Gallery(
        bounds,
        columns,
        members,
        offsets,
        table,
        _ideal(columns, bounds, table, discounts),
        harmonic_numbers(len(columns)),
        np.concatenate(([0.0], np.cumsum(discounts))),
    )


def _ideal(
    columns: NDArray[np.int32],
    bounds: NDArray[np.int64],
    gains: NDArray[np.float32],
    discounts: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Best DCG of a query of each label in each slot; the union's without the query itself."""
    ideal = np.zeros((len(gains), len(bounds) + 1))
    parts = [columns[a:b] for a, b in bounds] + [columns]
    for slot, part in enumerate(parts):
        sizes = np.bincount(part, minlength=len(gains))
        for label in range(len(gains)):
            count = sizes.copy()
            if slot == len(bounds):
                count[label] = max(0, count[label] - 1)
            best = np.sort(np.repeat(gains[label], np.minimum(count, TOP)))[::-1][:TOP]
            ideal[label, slot] = best @ discounts[: len(best)]
    return ideal
