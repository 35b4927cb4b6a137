"""From blocks of similarities to the measures of each query, in every gallery at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fgbench.scoring.gallery import Gallery
from fgbench.scoring.kernel import rank_rows
from fgbench.scoring.values import MEASURES


class Ranked(NamedTuple):
    """What n queries get. Slots: one a medium, then the union of all without the query.

    ``measures``: [n, M+1, len(MEASURES)+1], the last being nDCG (NaN without a taxonomy);
    ``included``: [n] AP over the union with the query in it; ``stable``: [n, M+1] AP with ties
    broken by column, the query included, or [n, 0]; ``firsts``: [M+1, L, L] how often each label
    stands first, by the query's label, ties shared. NaN where a slot was not asked for or holds
    nothing relevant.
    """

    measures: NDArray[np.float64]
    included: NDArray[np.float64]
    stable: NDArray[np.float64]
    firsts: NDArray[np.float64]

    @classmethod
    def blank(cls, n: int, gallery: Gallery, *, stable: bool = False) -> Ranked:
        """Nothing ranked yet. ``stable``: also keep the paper's tie rule."""
        slots, labels = len(gallery.bounds) + 1, len(gallery.offsets) - 1
        return cls(
            np.full((n, slots, len(MEASURES) + 1), np.nan),
            np.full(n, np.nan),
            np.full((n, slots if stable else 0), np.nan),
            np.zeros((slots, labels, labels)),
        )

    def rows(self, first: int, last: int) -> Ranked:
        """A view of the queries ``first:last``; ``firsts`` stays that of all."""
        return Ranked(
            self.measures[first:last],
            self.included[first:last],
            self.stable[first:last],
            self.firsts,
        )


def rank(
    similarity: NDArray[np.float32],
    expand: NDArray[np.intp] | None,
    gallery: Gallery,
    queries: NDArray[np.int64],
    media: NDArray[np.bool_],
    union: bool,
    out: Ranked,
) -> None:
    """Rank a block of queries against every gallery at once. Lets go of the interpreter's lock.

    ``similarity``: [b, C] finite, higher is better; ``expand``: [N] the column of ``similarity``
    that each gallery column stands for (None: C = N and they are the same); ``queries``: [b] the
    gallery column of each query; ``media``: [M] which media's own galleries to score; ``union``:
    whether to score all media together; ``out``: [b] what is filled: other slots stay as they are,
    ``firsts`` is added to.
    """
    columns = np.empty(0, np.intp) if expand is None else expand
    rank_rows(similarity, columns, gallery, queries, media, union, out)
