"""From a block of similarities to the measures of each query, in every gallery at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fgbench.scoring.gallery import Gallery
from fgbench.scoring.kernel import MEASURES, rank_rows


class Ranked(NamedTuple):
    """What one block of queries gets. Slots: one a medium, then the union of all (excluded).

    ``measures``: [b, M+1, len(MEASURES)+1], the last being nDCG (NaN without a taxonomy);
    ``included``: [b] AP over the union with the query in it; ``stable``: [b, M+1] AP with ties
    broken by column, the query included, or [b, 0] unless asked for; ``firsts``: [M+1, L, L] how
    often each label stands first, by the query's label, ties shared. NaN where a slot was not asked
    for or holds nothing relevant.
    """

    measures: NDArray[np.float64]
    included: NDArray[np.float64]
    stable: NDArray[np.float64]
    firsts: NDArray[np.float64]


def rank(
    similarity: NDArray[np.float32],
    expand: NDArray[np.intp] | None,
    gallery: Gallery,
    queries: NDArray[np.int64],
    media: NDArray[np.bool_],
    *,
    union: bool,
    stable: bool = False,
    threads: int = 1,
    into: Ranked | None = None,
) -> Ranked:
    """Rank a block of queries against every gallery at once.

    ``similarity``: [b, C] finite, higher is better; ``expand``: [N] the column of ``similarity``
    that each gallery column stands for (None: C = N and they are the same); ``queries``: [b] the
    gallery column of each query; ``media``: [M] which media's own galleries to score; ``union``:
    whether to score all media together, with and without the query; ``stable``: also the paper's
    tie rule; ``threads``: how many share the block; ``into``: the result of an earlier call for the
    same queries, to be completed.
    """
    slots, labels = len(gallery.bounds) + 1, len(gallery.offsets) - 1
    out = into or Ranked(
        np.full((len(queries), slots, len(MEASURES) + 1), np.nan),
        np.full(len(queries), np.nan),
        np.full((len(queries), slots if stable else 0), np.nan),
        np.zeros((slots, labels, labels)),
    )
    columns = np.empty(0, np.intp) if expand is None else expand
    parts = np.array_split(np.arange(len(queries)), min(threads, len(queries)))

    def rank_part(part: NDArray[np.intp]) -> Ranked:
        rows = slice(part[0], part[-1] + 1)
        mine = Ranked(*(a[rows] for a in out[:3]), np.zeros_like(out.firsts))
        rank_rows(similarity[rows], columns, gallery, queries[rows], media, union, mine)
        return mine

    with ThreadPoolExecutor(len(parts)) as pool:  # the kernel holds no lock of the interpreter's
        for mine in pool.map(rank_part, parts):
            out.firsts[...] += mine.firsts
    return out
