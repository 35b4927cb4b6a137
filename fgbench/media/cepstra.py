"""Sounds to mel-frequency cepstral coefficients (MFCC)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fgbench.errors import Fault, MissingExtra
from fgbench.media.item import MediaItem, attempt, content_of
from fgbench.media.parts import MOST_SPANS, Extracted, even_spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTH = 128
"""Dimensions of the paper's MFCC (section 3.3)."""
RATE = 22_050
_WINDOW = 2_048
"""Samples of librosa's window: a shorter sound is filled up with silence."""


@dataclass(frozen=True, slots=True)
class Cepstra:
    """128 coefficients of a sound, the mean over its windows.

    librosa's defaults, at 22,050 Hz: the paper names the 128 dimensions and nothing else.
    ``parts``: with the means over 25 even spans of time as parts, fewer where it has fewer windows.
    """

    parts: bool = False

    @property
    def fingerprint(self) -> str:
        return f"mfcc {WIDTH} {RATE}{f'; {MOST_SPANS} spans' if self.parts else ''}"

    def __call__(self, items: Sequence[MediaItem]) -> list[Extracted | Fault]:
        return [attempt(self._extract, item) for item in items]

    def _extract(self, item: MediaItem) -> Extracted:
        from fgbench.media.audio import load_samples

        found = coefficients(load_samples(content_of(item.path), RATE))
        if not self.parts:
            return Extracted(found.mean(axis=0))
        spans = [found[span].mean(axis=0) for span in even_spans(len(found))]
        return Extracted(found.mean(axis=0), np.stack(spans))


def coefficients(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The coefficients of a sound of ``RATE`` samples a second [windows, 128]."""
    try:
        from librosa.feature import mfcc
    except ImportError as error:
        raise MissingExtra("librosa", "train") from error

    padded = np.pad(samples, (0, max(0, _WINDOW - len(samples))))
    found: NDArray[np.float32] = mfcc(y=padded, sr=RATE, n_mfcc=WIDTH, n_mels=WIDTH)
    return found.T.astype(np.float32)
