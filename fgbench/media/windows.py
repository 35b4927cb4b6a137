"""Sounds to what a network for pictures makes of windows of their spectrograms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fgbench.errors import Fault
from fgbench.media.cepstra import RATE, Cepstra, coefficients
from fgbench.media.item import MediaItem, attempt, content_of
from fgbench.media.parts import MOST_SPANS, Extracted, even_spans
from fgbench.media.preset import PAPER, AudioRule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fgbench.media.activations import Activations


@dataclass(frozen=True, slots=True)
class Windows:
    """The cepstra of a sound, and as its parts what goes into a network's last layer for windows.

    The spectrogram, its loudest point at 0 dB, is cut into 25 even spans of time, fewer where it
    has fewer columns; each is drawn as the paper's whole spectrogram is.
    """

    network: Activations

    @property
    def fingerprint(self) -> str:
        return f"{Cepstra().fingerprint}; {MOST_SPANS} spans of {self.network.fingerprint}"

    def __call__(self, items: Sequence[MediaItem]) -> list[Extracted | Fault]:
        return [attempt(self._extract, item) for item in items]

    def _extract(self, item: MediaItem) -> Extracted:
        from fgbench.media.audio import load_samples

        rule = PAPER.at_side(self.network.side).audio
        samples = load_samples(content_of(item.path), RATE)
        vector = coefficients(samples).mean(axis=0)
        return Extracted(vector, self.network.look(draw_windows(samples, rule)))


def draw_windows(samples: NDArray[np.float32], rule: AudioRule) -> NDArray[np.uint8]:
    """The pictures of the spans of a sound [spans, 3, crop, crop]."""
    from fgbench.media.audio import decibels, draw_levels

    levels = decibels(samples, rule)
    return np.stack([draw_levels(levels[span], rule) for span in even_spans(len(levels))])
