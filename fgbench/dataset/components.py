"""What hangs together: items that are linked, directly or through others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np


def components(ids: Sequence[str], links: Iterable[tuple[int, int]]) -> list[str]:
    """For each item the smallest id in its component; ``links`` are pairs of positions."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = np.asarray(list(links), dtype=np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(ids), len(ids)))
    _, numbers = connected_components(graph, directed=False)
    first: dict[int, str] = {}
    for item, number in zip(ids, numbers.tolist(), strict=True):
        first[number] = min(item, first.get(number, item))
    return [first[number] for number in numbers.tolist()]
