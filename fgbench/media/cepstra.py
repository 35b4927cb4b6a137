"""Sounds to mel-frequency cepstral coefficients (MFCC)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fgbench.errors import Fault, MissingExtra
from fgbench.media.item import MediaItem, attempt, content_of

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
    """

    @property
    def fingerprint(self) -> str:
        return f"mfcc {WIDTH} {RATE}"

    def __call__(self, items: Sequence[MediaItem]) -> list[NDArray[np.float32] | Fault]:
        return [attempt(_vector, item) for item in items]


def _vector(item: MediaItem) -> NDArray[np.float32]:
    try:
        from librosa.feature import mfcc
    except ImportError as error:
        raise MissingExtra("librosa", "train") from error
    from fgbench.media.audio import load_samples

    samples = load_samples(content_of(item.path), RATE)
    padded = np.pad(samples, (0, max(0, _WINDOW - len(samples))))
    coefficients = mfcc(y=padded, sr=RATE, n_mfcc=WIDTH, n_mels=WIDTH)
    mean: NDArray[np.float32] = coefficients.mean(axis=1).astype(np.float32)
    return mean
