"""What scoring gives: the measures of a query, and the values of one task."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MEASURES = ("ap", "ap@50", "map@r", "hit@1", "hit@5", "hit@10")
"""What ``kernel.walk`` writes, in this order."""
SECONDARY = (*MEASURES[1:], "ndcg@100")


@dataclass(frozen=True, slots=True)
class TaskValues:
    """What one task gave. Rows are the queries asked, in the benchmark's order.

    ``rows``: [n] their places among the query medium's items; ``excluded``: [n] float32 AP without
    the query in the gallery; ``included``: with it (X→All only); ``stable``: AP under the paper's
    tie rule, self included (only when asked for); ``secondary``: [n, len(SECONDARY)] self excluded,
    nDCG NaN where the benchmark has no taxonomy; ``firsts``: [L, L] how often each label stands
    first, ties shared, rows by the query's label.
    """

    rows: NDArray[np.intp]
    excluded: NDArray[np.float32]
    included: NDArray[np.float32] | None
    stable: NDArray[np.float64] | None
    secondary: NDArray[np.float64]
    firsts: NDArray[np.float64]
