"""Pictures to histograms of their colours and gradients: features without a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fgbench.errors import Fault
from fgbench.media.item import MediaItem, attempt, load
from fgbench.media.parts import Extracted
from fgbench.media.preset import PAPER, ImageRule, Preset
from fgbench.media.regions import PICTURE_SIDE, Grid, load_small
from fgbench.protocol import Medium

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 128
"""Pixels that a picture is resized to, its ratio of sides not kept."""
COLOURS = 4
"""Steps of red, of green and of blue: 64 colours."""
CELLS, DIRECTIONS = 4, 8
"""A picture has 4 × 4 cells; an edge has one of 8 directions, light to dark or dark to light."""
WIDTH = 2 * COLOURS**3 + CELLS**2 * DIRECTIONS

CELL_SIDE = 32
"""Pixels of a cell of a grid, where cells are parts."""

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Brightness of red, green and blue (ITU-R BT.601)."""


def _at_side(side: int) -> Preset:
    return replace(PAPER, image=ImageRule(resize=side, crop=side))


@dataclass(frozen=True, slots=True)
class Histograms:
    """256 numbers of a picture; of a video the mean over its 25 frames.

    64 colours of the whole picture, 64 of its middle quarter, where a bird is more likely, 128 of
    the strength of edges by cell and direction. Each of the three parts is the square root of
    shares that sum to 1 (Hellinger); edges are zeros for a picture without any.

    ``grid``: with parts: the same numbers of each cell of an image, at 32 × 32 pixels, or of each
    frame of a video.
    """

    grid: Grid | None = None

    @property
    def fingerprint(self) -> str:
        parts = f"; {self.grid} {CELL_SIDE} {PICTURE_SIDE}" if self.grid else ""
        return f"histograms {SIDE} {COLOURS} {CELLS} {DIRECTIONS}{parts}"

    def __call__(self, items: Sequence[MediaItem]) -> list[Extracted | Fault]:
        return [attempt(self._extract, item) for item in items]

    def _extract(self, item: MediaItem) -> Extracted:
        pixels = load(item, _at_side(SIDE))
        frames = pixels if item.medium is Medium.VIDEO else pixels[None]
        rows = np.stack([describe(frame) for frame in frames])
        vector = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        if self.grid is None:
            return Extracted(vector)
        if item.medium is Medium.VIDEO:
            return Extracted(vector, rows)
        cells = np.stack([describe(cell) for cell in _cut(item, self.grid)])
        return Extracted(vector, cells, self.grid.boxes, load_small(item))


def _cut(item: MediaItem, grid: Grid) -> NDArray[np.uint8]:
    """The cells of an image [cells, 3, 32, 32], row by row."""
    pixels = load(item, _at_side(grid.side * CELL_SIDE))
    cells = pixels.reshape(3, grid.side, CELL_SIDE, grid.side, CELL_SIDE)
    return cells.transpose(1, 3, 0, 2, 4).reshape(-1, 3, CELL_SIDE, CELL_SIDE).astype(np.uint8)


def describe(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The histograms [256] of a picture [3, side, side]."""
    edge = pixels.shape[-1] // 4
    middle = pixels[:, edge:-edge, edge:-edge]
    parts = (_colours(pixels), _colours(middle), _edges(pixels))
    return np.concatenate([_root_of_shares(part) for part in parts]).astype(np.float32)


def _colours(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    red, green, blue = (pixels // (256 // COLOURS)).astype(np.int64)
    index = (red * COLOURS + green) * COLOURS + blue
    return np.bincount(index.ravel(), minlength=COLOURS**3).astype(np.float64)


def _edges(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    grey = np.tensordot(_LUMA, pixels.astype(np.float32), axes=1)
    down, right = np.gradient(grey)
    turn = np.arctan2(down, right) / np.pi % 1  # an edge and its opposite are the same
    direction = np.rint(turn * DIRECTIONS).astype(np.int64) % DIRECTIONS
    cell = np.arange(len(grey)) * CELLS // len(grey)
    index = (cell[:, None] * CELLS + cell[None, :]) * DIRECTIONS + direction
    strength = np.hypot(down, right).ravel()
    histogram = np.bincount(index.ravel(), strength, minlength=CELLS**2 * DIRECTIONS)
    return histogram.astype(np.float64)


def _root_of_shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    total = counts.sum()
    roots: NDArray[np.float64] = np.sqrt(counts / total) if total else counts
    return roots
