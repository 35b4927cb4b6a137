"""Pictures to what a network makes of them: the paper's features of images and videos."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fgbench.errors import Fault, InputError
from fgbench.manifest import show
from fgbench.media.backbone import IMAGENET, NONE, load_classifier, normalised
from fgbench.media.item import MediaItem, attempt, load
from fgbench.media.parts import Extracted
from fgbench.media.preset import PAPER
from fgbench.media.regions import PICTURE_SIDE, Detections, Grid, load_small
from fgbench.protocol import Medium

try:
    import torch
    from torch import nn

    from fgbench.media.detector import COCO, Detector
    from fgbench.media.feature_map import MapOf, pool_cells
except ImportError as error:
    from fgbench.errors import MissingExtra

    raise MissingExtra(error.name or "torch", "train") from error

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PICTURES = 25
"""That go through the network at a time: as many as a video has."""


class Layer(StrEnum):
    """LOGITS: of the last layer, one a class (the paper's 200). PENULTIMATE: what goes into it."""

    LOGITS = "logits"
    PENULTIMATE = "penultimate"


@dataclass(frozen=True, slots=True)
class Activations:
    """What a layer gives for a picture; of a video the mean over its 25 frames.

    ``backbone``, ``weights``: as ``load_classifier`` takes them. ``side``: of the pictures, which
    are resized and cropped as the paper's. ``device``: as torch names it. Nothing is drawn: random
    weights are the same ones every time.

    ``regions``: with parts: those regions of an image, which are cells of the network's last map or
    what a detector finds, and of a video what goes into the last layer for each of its frames.
    """

    backbone: str
    weights: str
    layer: Layer = Layer.LOGITS
    side: int = 448
    device: str = "cpu"
    regions: Grid | Detections | None = None

    @property
    def fingerprint(self) -> str:
        weights = _identify(self.weights, IMAGENET)
        found = f"{self.backbone} {self.layer} {self.side}; weights: {weights}"
        if self.regions is None:
            return found
        if isinstance(self.regions, Grid):
            return f"{found}; {self.regions} {PICTURE_SIDE}"
        weights = _identify(self.regions.weights, COCO)
        named = f"{self.regions.detector} {self.regions.most}"
        return f"{found}; {named} {PICTURE_SIDE}; weights: {weights}"

    def __call__(self, items: Sequence[MediaItem]) -> list[Extracted | Fault]:
        load_network(self)  # what is wrong with it is said before an item is read
        outcomes: list[Extracted | Fault] = []
        for batch in self._decode(items):
            loaded = [one for one in batch if not isinstance(one, Fault)]
            found = iter(self._extract(items[0].medium, loaded) if loaded else ())
            outcomes += [one if isinstance(one, Fault) else next(found) for one in batch]
        return outcomes

    def look(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What goes into the last layer for each of some pictures [n, width]."""
        inner: NDArray[np.float32] = _run(self, pictures).inner.numpy()
        return inner

    def _decode(self, items: Sequence[MediaItem]) -> Iterator[list[_Decoded | Fault]]:
        """Batches of decoded items; by threads where a card would wait for them."""
        load_one = partial(attempt, self._load)
        threads = 1 if self.device == "cpu" else len(os.sched_getaffinity(0))
        with ThreadPoolExecutor(threads) as pool:
            size = 1 if items[0].medium is Medium.VIDEO else _PICTURES
            for first in range(0, len(items), size):
                yield list(pool.map(load_one, items[first : first + size]))

    def _load(self, item: MediaItem) -> _Decoded:
        pixels = load(item, PAPER.at_side(self.side)).astype(np.uint8, copy=False)
        if item.medium is Medium.VIDEO:
            return _Decoded(pixels)
        return _Decoded(pixels[None], load_small(item) if self.regions else None)

    def _extract(self, medium: Medium, loaded: Sequence[_Decoded]) -> Iterator[Extracted]:
        """What is taken of some items, all of them images or all of them videos."""
        seen = _run(self, np.concatenate([one.pictures for one in loaded]))
        end = 0
        for one in loaded:
            span = slice(end, end := end + len(one.pictures))
            whole = Extracted(seen.rows[span].mean(0).numpy())
            if self.regions is None:
                yield whole
            elif medium is Medium.VIDEO:
                yield whole._replace(parts=seen.inner[span].numpy())
            elif isinstance(self.regions, Grid):
                assert seen.cells is not None, "the network was made with its map"  # noqa: S101
                cells = seen.cells[span.start].numpy()
                yield whole._replace(parts=cells, boxes=self.regions.boxes, picture=one.small)
            else:
                parts, boxes = _detect(self, one.pictures[0])
                yield whole._replace(parts=parts, boxes=boxes, picture=one.small)


class _Decoded(NamedTuple):
    """The pictures of an item [n, 3, side, side], and of an image with regions the small one."""

    pictures: NDArray[np.uint8]
    small: NDArray[np.uint8] | None = None


class _Seen(NamedTuple):
    """For each of n pictures: the layer's numbers [n, d], what goes into the last layer [n, width],
    and the cells of the last map [n, cells, channels] where there is a grid. Not on a card."""

    rows: torch.Tensor
    inner: torch.Tensor
    cells: torch.Tensor | None


class _Network(nn.Module):
    """A trunk and perhaps the layer behind it; with a grid the trunk's map, or a detector."""

    def __init__(self, spec: Activations) -> None:
        super().__init__()
        trunk, head = load_classifier(spec.backbone, spec.weights)
        self.grid = spec.regions if isinstance(spec.regions, Grid) else None
        self.trunk = MapOf(spec.backbone, trunk) if self.grid else trunk
        self.head = head if spec.layer is Layer.LOGITS else nn.Identity()
        self.detector: Detector | None = None
        if isinstance(spec.regions, Detections):
            self.detector = Detector(spec.regions)

    def forward(self, pixels: torch.Tensor) -> _Seen:
        cells = None
        if self.grid is None:
            inner = self.trunk(pixels).flatten(1)
        else:
            inner, found = self.trunk(pixels)
            cells = pool_cells(found, self.grid)
        return _Seen(self.head(inner).flatten(1), inner, cells)


def choose_device(wanted: str) -> str:
    """``auto`` is CUDA where there is a card; ``InputError`` (FG-F074) for CUDA without one."""
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise InputError("FG-F074", "there is no CUDA card that torch sees", fix="Say auto or cpu.")
    return "cuda" if there and wanted != "cpu" else "cpu"


@cache
def load_network(spec: Activations) -> _Network:
    """The network of a specification, kept for the next items of this process.

    Raises ``InputError`` as ``load_classifier`` and ``Detector`` do, FG-F073 where it takes no such
    pictures; of a grid FG-F077 where it has no map, FG-F078 where that is coarser than the grid.
    """
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = _Network(spec)
    network = network.to(spec.device).eval()
    try:
        with torch.inference_mode():
            network(torch.zeros(1, 3, spec.side, spec.side, device=spec.device))
    except (RuntimeError, ValueError, AssertionError) as error:
        raise InputError(
            "FG-F073",
            f"{spec.backbone} takes no pictures of {spec.side} × {spec.side}: {show(str(error))}",
            fix="Give another --side, as 224.",
        ) from error
    return network


def _run(spec: Activations, pictures: NDArray[np.uint8]) -> _Seen:
    """What the network makes of some pictures [n, 3, side, side]."""
    network = load_network(spec)
    with _card_memory(), torch.inference_mode():
        pixels = torch.from_numpy(pictures).to(spec.device)
        seen: _Seen = network(normalised(pixels))
        cells = None if seen.cells is None else seen.cells.cpu()
        return _Seen(seen.rows.cpu(), seen.inner.cpu(), cells)


def _detect(
    spec: Activations, picture: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Vectors [k, width] and boxes [k, 4] of what is found in a picture [3, side, side]."""
    detector = load_network(spec).detector
    assert detector is not None, "the network was made with it"  # noqa: S101
    with _card_memory(), torch.inference_mode():
        vectors, boxes = detector(torch.from_numpy(picture).to(spec.device) / 255)
        return vectors.cpu().numpy(), boxes.cpu().numpy()


@contextmanager
def _card_memory() -> Iterator[None]:
    """Says what to do where a card's memory is not enough."""
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise InputError(
            "FG-F075",
            f"{_PICTURES} pictures at a time are more than the card's memory holds",
            fix="Give a smaller --side or --backbone, or --device cpu. What was made is kept.",
        ) from error


def _identify(weights: str, own: str) -> str:
    """What tells weights from others: of a file its hash. ``own``: the library's name of its."""
    if weights == own:
        return f"{own}, torchvision {version('torchvision')}"
    if weights == NONE:
        return "random"
    with Path(weights).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
