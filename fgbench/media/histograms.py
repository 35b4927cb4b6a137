"""Pictures to histograms of their colours and gradients: features without a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fgbench.errors import Fault
from fgbench.media.item import MediaItem, attempt, load
from fgbench.media.preset import PAPER, ImageRule
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

_PRESET = replace(PAPER, image=ImageRule(resize=SIDE, crop=SIDE))
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Brightness of red, green and blue (ITU-R BT.601)."""


@dataclass(frozen=True, slots=True)
class Histograms:
    """256 numbers of a picture; of a video the mean over its 25 frames.

    64 colours of the whole picture, 64 of its middle quarter, where a bird is more likely, 128 of
    the strength of edges by cell and direction. Each of the three parts is the square root of
    shares that sum to 1 (Hellinger); edges are zeros for a picture without any.
    """

    @property
    def fingerprint(self) -> str:
        return f"histograms {SIDE} {COLOURS} {CELLS} {DIRECTIONS}"

    def __call__(self, items: Sequence[MediaItem]) -> list[NDArray[np.float32] | Fault]:
        return [attempt(_vector, item) for item in items]


def _vector(item: MediaItem) -> NDArray[np.float32]:
    pixels = load(item, _PRESET)
    frames = pixels if item.medium is Medium.VIDEO else pixels[None]
    rows = np.stack([describe(frame) for frame in frames])
    mean: NDArray[np.float32] = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean


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
