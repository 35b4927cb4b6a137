"""Pictures to what a network makes of them: the paper's features of images and videos."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fgbench.errors import Fault, InputError
from fgbench.manifest import show
from fgbench.media.backbone import IMAGENET, NONE, load_classifier, normalised
from fgbench.media.item import Loaded, MediaItem, attempt, load
from fgbench.media.preset import PAPER
from fgbench.protocol import Medium

try:
    import torch
    from torch import nn
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
    """

    backbone: str
    weights: str
    layer: Layer = Layer.LOGITS
    side: int = 448
    device: str = "cpu"

    @property
    def fingerprint(self) -> str:
        if self.weights == IMAGENET:
            weights = f"imagenet, torchvision {version('torchvision')}"
        elif self.weights == NONE:
            weights = "random"
        else:
            with Path(self.weights).open("rb") as file:
                weights = hashlib.file_digest(file, "sha256").hexdigest()
        return f"{self.backbone} {self.layer} {self.side}; weights: {weights}"

    def __call__(self, items: Sequence[MediaItem]) -> list[NDArray[np.float32] | Fault]:
        network = load_network(self)
        outcomes: list[NDArray[np.float32] | Fault] = []
        for batch in self._decode(items):
            pictures = [p if p.ndim == 4 else p[None] for p in batch if not isinstance(p, Fault)]
            rows = iter(_run(network, pictures, self.device) if pictures else ())
            outcomes += [p if isinstance(p, Fault) else next(rows) for p in batch]
        return outcomes

    def _decode(self, items: Sequence[MediaItem]) -> Iterator[list[Loaded | Fault]]:
        """Batches of decoded items; by threads where a card would wait for them."""
        load_one = partial(attempt, partial(load, preset=PAPER.at_side(self.side)))
        threads = 1 if self.device == "cpu" else len(os.sched_getaffinity(0))
        with ThreadPoolExecutor(threads) as pool:
            size = 1 if items[0].medium is Medium.VIDEO else _PICTURES
            for first in range(0, len(items), size):
                yield list(pool.map(load_one, items[first : first + size]))


def choose_device(wanted: str) -> str:
    """``auto`` is CUDA where there is a card; ``InputError`` (FG-F074) for CUDA without one."""
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise InputError("FG-F074", "there is no CUDA card that torch sees", fix="Say auto or cpu.")
    return "cuda" if there and wanted != "cpu" else "cpu"


@cache
def load_network(spec: Activations) -> nn.Module:
    """The network of a specification, kept for the next items of this process.

    Raises ``InputError`` as ``load_classifier`` does, FG-F073 where it takes no such pictures.
    """
    with torch.random.fork_rng():
        torch.manual_seed(0)
        trunk, head = load_classifier(spec.backbone, spec.weights)
    network = trunk if spec.layer is Layer.PENULTIMATE else nn.Sequential(trunk, head)
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


def _run(
    network: nn.Module, pictures: Sequence[Loaded], device: str
) -> Sequence[NDArray[np.float32]]:
    """For each of some stacks of pictures the mean of their rows."""
    try:
        pixels = torch.from_numpy(np.concatenate(pictures)).to(device)
        with torch.inference_mode():
            rows = network(normalised(pixels)).flatten(1)
            parts = rows.split([len(picture) for picture in pictures])
            return [part.mean(0).cpu().numpy() for part in parts]
    except torch.cuda.OutOfMemoryError as error:
        raise InputError(
            "FG-F075",
            f"{_PICTURES} pictures at a time are more than the card's memory holds",
            fix="Give a smaller --side or --backbone, or --device cpu. What was made is kept.",
        ) from error
