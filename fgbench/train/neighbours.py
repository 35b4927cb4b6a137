"""Nearest neighbours and graph Laplacians of many rows: distances in blocks, never all at once."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import expit

Floats = NDArray[np.float64]

ROWS = 512
"""Rows of a matrix of distances at a time: 512 × 18,660 float64 are 76 MB."""


class Laplacian(StrEnum):
    """Whose Laplacian I − D^-½ W D^-½ is; D: how many neighbours each item has.

    KNN: W has 1 where one of two items is among the other's nearest. RELEASED: W is the dense
    1 / (1 + e^distance): off the diagonal nearly nothing, the term little but a ridge.
    """

    KNN = "knn"
    RELEASED = "released"


def nearest(
    points: Floats, references: Floats, count: int, *, itself: bool = True
) -> tuple[NDArray[np.intp], Floats]:
    """The nearest references of each point, in no order: places [n, count] and their distances.

    All references where there are fewer. Without ``itself`` points and references are the same
    rows, and none is its own neighbour.
    """
    count = min(count, len(references) - (not itself))
    places = np.empty((len(points), count), np.intp)
    far = np.empty((len(points), count))
    for block in _blocks(len(points)):
        squares = _squares(points[block], references)
        if not itself:
            rows = np.arange(len(squares))
            squares[rows, block.start + rows] = np.inf
        places[block] = np.argpartition(squares, max(0, count - 1), axis=1)[:, :count]
        far[block] = np.sqrt(np.take_along_axis(squares, places[block], axis=1))
    return places, far


def sparse_rows(places: NDArray[np.intp], values: Floats, columns: int) -> csr_array:
    """The matrix [n, columns] that has ``values`` [n, k] at ``places`` [n, k] of each row."""
    starts = np.arange(len(places) + 1) * places.shape[1]
    return csr_array((values.ravel(), places.ravel(), starts), shape=(len(places), columns))


def graph_product(rows: Floats, neighbours: int, laplacian: Laplacian) -> Floats:
    """XᵀLX [d, d] of rows X [n, d]; L [n, n] itself is never held."""
    places, _ = nearest(rows, rows, neighbours, itself=False)
    adjacency = sparse_rows(places, np.ones(places.shape), len(rows))
    adjacency = adjacency.maximum(adjacency.T)
    degrees = adjacency.sum(axis=1)
    scaled = rows / np.sqrt(np.where(degrees > 0, degrees, np.inf))[:, None]
    if laplacian is Laplacian.KNN:
        linked = scaled.T @ (adjacency @ scaled)
    else:
        linked = np.zeros((rows.shape[1], rows.shape[1]))
        for block in _blocks(len(rows)):
            gaps = np.sqrt(_squares(rows[block], rows))
            linked += scaled[block].T @ (expit(-gaps) @ scaled)
    product: Floats = rows.T @ rows - (linked + linked.T) / 2
    return product


def _squares(points: Floats, references: Floats) -> Floats:
    """Squared distances; they come from products, so that near 0 half of the digits are lost."""
    squares = -2 * points @ references.T
    squares += (points**2).sum(axis=1)[:, None]
    squares += (references**2).sum(axis=1)
    return np.maximum(squares, 0, out=squares)


def _blocks(rows: int) -> Iterator[slice]:
    return (slice(first, first + ROWS) for first in range(0, rows, ROWS))
