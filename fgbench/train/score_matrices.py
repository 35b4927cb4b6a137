"""The score matrices of a method that no cosine stands for: similarities, block by block, on disk.

No vectors of moderate width have a given inner product as their cosine, within a medium: the
lengths differ from item to item. Such a method is submitted as the similarities themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fgbench.protocol import MEDIA, Medium
from fgbench.train.method import Similarity

ROWS = 1024
"""Queries at a time: 1,024 × 6,000 float32 are 25 MB."""

Model = tuple[Mapping[Medium, NDArray[np.float32]], Similarity]
"""The test items' embeddings [n, …] by one model, and what compares them."""


def score_matrices(
    models: Sequence[Model], folder: Path, *, within: bool = True
) -> dict[tuple[Medium, Medium], NDArray[np.float32]]:
    """Similarities [n_q, n_g] of every two media that a model has, and ``within`` each medium.

    Where several models have both, as six models of two media each have a medium three times, the
    mean: a scorer calibrates what comes of it, not each part. The matrices are maps of files in
    ``folder``, to be deleted after use; of a pair and its mirror image there is one.
    """
    matrices: dict[tuple[Medium, Medium], NDArray[np.float32]] = {}
    for query, gallery in combinations_with_replacement(MEDIA, 2):
        sides = [(of[query], of[gallery], s) for of, s in models if {query, gallery} <= of.keys()]
        if not sides or (query is gallery and not within):
            continue
        shape = len(sides[0][0]), len(sides[0][1])
        path = folder / f"{query}_{gallery}.f32"
        matrix = np.memmap(path, dtype=np.float32, mode="w+", shape=shape)
        for first in range(0, shape[0], ROWS):
            block = slice(first, first + ROWS)
            found = (similar((query, q[block]), (gallery, g)) for q, g, similar in sides)
            matrix[block] = sum(scores.astype(np.float64) for scores in found) / len(sides)
        matrices[query, gallery] = matrix
    return matrices
