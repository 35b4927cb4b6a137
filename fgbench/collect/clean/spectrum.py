"""The power of a sound over time and frequency, and how far each cell stands out of its noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.ndimage import uniform_filter

from fgbench.media.decode import RATE, Samples

WINDOW, HOP = 1024, 512
"""Samples: 32 ms, 16 ms apart."""
HOP_S = HOP / RATE
BIN_HZ = RATE / WINDOW
STRETCH_S = 60
"""Seconds of sound that one spectrum should hold: its noise is taken as the same throughout."""

_LOW, _HIGH = round(500 / BIN_HZ), round(12_000 / BIN_HZ)
_HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
_QUIET = 0.2
"""A bin's noise is the power that it stays under for a fifth of the time."""
_RANGE = 1e-6
"""No noise is taken as more than 60 dB under the loudest cell: digital silence would be."""

Power = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Spectrum:
    """A sound's power [frames, bins], and of the bins of 0.5-12 kHz their power and their noise.

    ``smooth`` [frames, band bins] is the mean of 3 × 3 cells; ``noise`` [band bins] is from it.
    ``held`` [band bins]: which bins hold anything at all: a recording at 8 kHz has no more than 4.
    """

    power: Power
    smooth: Power
    noise: Power
    held: NDArray[np.bool_]

    @property
    def band(self) -> Power:
        """The power of the bins of 0.5-12 kHz [frames, band bins]."""
        return self.power[:, _LOW:_HIGH]


def spectrum(samples: Samples) -> Spectrum:
    """The spectrum of a sound at ``RATE``; one shorter than a window is filled up with zeros."""
    padded = np.pad(samples, (0, max(0, WINDOW - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    bins = rfft(frames * _HANN, axis=1)
    power = bins.real**2 + bins.imag**2
    smooth = uniform_filter(power[:, _LOW:_HIGH], 3, mode="nearest")
    loudest = smooth.max(axis=0)
    least = max(float(loudest.max()) * _RANGE, 1.0)
    held = loudest >= min(least, loudest.max())
    return Spectrum(power, smooth, np.maximum(_quantile(smooth), least), held)


def _quantile(smooth: Power) -> Power:
    place = int(_QUIET * (len(smooth) - 1))
    quantile: Power = np.partition(smooth, place, axis=0)[place]
    return quantile
