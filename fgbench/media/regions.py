"""Which regions of an image are its parts: the cells of a grid, or what a detector finds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fgbench.errors import InputError
from fgbench.manifest import show
from fgbench.media.item import MediaItem, content_of
from fgbench.media.preset import PAPER

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_CELLS = 28
"""Of a side: those of a picture of 448 pixels on a map of every 16th."""

PICTURE_SIDE = 64
"""Pixels of the images that GXN draws."""

_GRID = re.compile(r"grid:([1-9]\d?)x\1")
_DETECTOR = re.compile(r"detector:(\w{1,80})")


@dataclass(frozen=True, slots=True)
class Grid:
    """``side`` × ``side`` cells, row by row from the top, each from the left."""

    side: int

    def __str__(self) -> str:
        return f"grid:{self.side}x{self.side}"

    @property
    def boxes(self) -> NDArray[np.float32]:
        """The cells [side², 4]: left, top, width and height as shares of the picture."""
        places = np.arange(self.side**2)
        corners = np.stack((places % self.side, places // self.side), axis=1)
        boxes = np.concatenate((corners, np.ones_like(corners)), axis=1) / self.side
        return boxes.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Detections:
    """The ``most`` boxes of highest score that a detector of torchvision finds.

    ``weights``: as ``load_detector`` takes them.
    """

    detector: str
    weights: str
    most: int = 36
    """SCAN's."""


def parse_regions(text: str, weights: str | None, most: int) -> Grid | Detections:
    """What ``grid:6x6`` or ``detector:NAME`` stands for. Raises ``InputError`` (FG-F076)."""
    if (cells := _GRID.fullmatch(text)) and int(cells[1]) <= MOST_CELLS:
        return Grid(int(cells[1]))
    if named := _DETECTOR.fullmatch(text):
        if weights:
            return Detections(named[1], weights, most)
        raise InputError(
            "FG-F076",
            "a detector without --detector-weights",
            why="Boxes of a detector drawn at random are of nothing.",
            fix="Name a file of weights, coco (the library downloads them), or none, to try out.",
        )
    raise InputError(
        "FG-F076",
        f"no regions: {show(text)}",
        fix=f"Say grid:6x6, of 1 to {MOST_CELLS} cells a side, or "
        "detector:fasterrcnn_resnet50_fpn_v2.",
    )


def load_small(item: MediaItem) -> NDArray[np.uint8]:
    """An image [3, 64, 64], framed as the paper's: what is drawn of it by a method that draws."""
    from fgbench.media.image import load_image

    return load_image(content_of(item.path), PAPER.at_side(PICTURE_SIDE).image)
