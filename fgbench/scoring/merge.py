"""Making similarities of different origin comparable, so that one X→All list can hold them.

The paper combines the results of models trained two media at a time without saying how (section
4.3.2); these are the rules on offer, and the record says which was used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fgbench.protocol import Calibration

if TYPE_CHECKING:
    from numpy.typing import NDArray


def calibrate(
    block: NDArray[np.float32], how: Calibration, own: NDArray[np.intp] | None
) -> NDArray[np.float64]:
    """The block [b, n] on a scale of its own, row by row; order within a row stays.

    ``own``: [b] the column of the query itself, left out of the scale, or None for another medium.

    >>> rows = np.array([[3.0, 1.0, 2.0]], dtype=np.float32)
    >>> calibrate(rows, Calibration.RANK, None).round(3).tolist()
    [[-0.333, -1.0, -0.667]]
    """
    values = block.astype(np.float64)
    if how is Calibration.NONE:
        return values
    counted = np.ones(values.shape, dtype=bool)
    if own is not None:
        counted[np.arange(len(own)), own] = False
    others = np.maximum(counted.sum(axis=1, keepdims=True), 1)
    if how is Calibration.ZROW:
        mean = values.sum(axis=1, keepdims=True, where=counted) / others
        values -= mean
        spread = np.sqrt((values**2).sum(axis=1, keepdims=True, where=counted) / others)
        scaled = np.zeros_like(values)
        np.divide(values, spread, out=scaled, where=spread > 0)
        return scaled
    from scipy.stats import rankdata

    places = rankdata(-values, axis=1)
    if own is not None:
        query = np.take_along_axis(values, own[:, None], axis=1)
        places -= ((query > values) + 0.5 * (query == values)) * counted
    ranked: NDArray[np.float64] = -places / others
    return ranked
