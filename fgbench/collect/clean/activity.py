"""Whether a sound has a bird in it: keep, drop, or ask a person; with the figures that say so.

A bird's note stands out of the noise (SNR) and has its power in a few bins (spectral flatness),
where rain, wind and handling are flat and a steady hiss does not stand out. Speech does both, but
its pitch is lower than a bird's. BirdNET, where it is used, is asked after this gate: it hears a
woodpecker in white noise. docs/activity.md has the measured figures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft
from scipy.ndimage import median_filter

from fgbench.collect.clean.spectrum import BIN_HZ, HOP_S, WINDOW, Power, Spectrum
from fgbench.media.decode import RATE

OUT_DB = 15.0
"""A frame stands out with a cell this far over its bin's noise; white noise stays under 10 dB."""
TONAL = 0.15
"""A frame is tonal with a flatness of at most this; broadband noise has 0.56, birds to 0.12."""
SURE_S, NOTHING_S = 0.25, 0.03
"""Keep a piece with so many seconds of tonal frames that stand out; drop one with fewer."""
VOICED = 0.45
"""Ask where this share of them has the pitch of a voice: birds to 0.25, speech from 0.80."""
STEADY_DB = 15.0
"""Ask where a narrow band is this much louder than those around it, all the time."""
BIRDNET_NO, BIRDNET_YES = 0.25, 0.5
"""BirdNET under the one (its own default): ask instead of keep; from the other: keep, not ask."""

_PITCHES_HZ = 70.0, 350.0
_VOICE_HZ = 80.0, 4000.0
_LAGS = round(RATE / _PITCHES_HZ[0])
_AROUND = round(2000 / BIN_HZ) | 1


class Verdict(StrEnum):
    """What becomes of a piece."""

    KEEP = "keep"
    DROP = "drop"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Scores:
    """The figures of a piece. The first three and ``birdnet`` are the column ``activity``.

    ``energy``: share of frames that stand out of the noise. ``snr_db`` and ``flatness``: of the
    quarter of a second that is loudest, tonal frames first: the least SNR, the median flatness.
    ``tonal_s``: seconds of tonal frames that stand out. ``voiced``: share of them with a voice's
    pitch. ``steady_db``: how far a lasting tone is over the noise around it.
    """

    energy: float
    flatness: float
    snr_db: float
    tonal_s: float
    voiced: float
    steady_db: float
    birdnet: float | None = None

    def to_row(self) -> dict[str, float | None]:
        """As in the manifest."""
        return {
            "energy": self.energy,
            "flatness": self.flatness,
            "snr_db": self.snr_db,
            "birdnet": self.birdnet,
        }

    def __str__(self) -> str:
        said = (
            f"SNR {self.snr_db:.1f} dB, flatness {self.flatness:.2f}, "
            f"{self.tonal_s:.2f} s tonal, {self.voiced:.0%} voice-like, "
            f"steady tone {self.steady_db:.0f} dB"
        )
        return said if self.birdnet is None else f"{said}, BirdNET {self.birdnet:.2f}"


def measure(sound: Spectrum) -> Scores:
    """The scores of a sound, without BirdNET's."""
    snr, flatness = _frames(sound)
    tonal = _tonal(snr, flatness)
    loudest = np.lexsort((-snr, ~tonal))[: round(SURE_S / HOP_S)]
    around = median_filter(sound.noise, _AROUND, mode="nearest")
    return Scores(
        energy=float((snr >= OUT_DB).mean()),
        flatness=float(np.median(flatness[loudest])),
        snr_db=float(snr[loudest].min()),
        tonal_s=float(tonal.sum()) * HOP_S,
        voiced=_voiced(sound.power[tonal]),
        steady_db=_decibel(float((sound.noise / around).max())),
    )


def active_frames(sound: Spectrum) -> NDArray[np.bool_]:
    """Which frames stand out and are tonal [frames]: where in a sound the birds are."""
    return _tonal(*_frames(sound))


def judge(scores: Scores) -> Verdict:
    """The verdict on a piece by its scores.

    The gate comes first: what it drops BirdNET cannot bring back. Where BirdNET was asked, a keep
    that it hears nothing in is in doubt, and a doubt in which it hears a bird is a keep.
    """
    voice = scores.voiced >= VOICED
    if scores.tonal_s < NOTHING_S and scores.steady_db < STEADY_DB:
        return Verdict.DROP
    heard = scores.birdnet
    if scores.tonal_s >= SURE_S and not voice:
        return Verdict.ASK if heard is not None and heard < BIRDNET_NO else Verdict.KEEP
    return Verdict.KEEP if heard is not None and heard >= BIRDNET_YES else Verdict.ASK


def best(windows: list[Scores]) -> Scores:
    """The scores of a sound by those of its windows: of the one with most in it."""
    fullest = max(windows, key=lambda scores: (scores.tonal_s, scores.snr_db))
    heard = [scores.birdnet for scores in windows if scores.birdnet is not None]
    return replace(fullest, birdnet=max(heard, default=None))


def _frames(sound: Spectrum) -> tuple[Power, Power]:
    """SNR in dB of each frame's loudest cell, and the flatness of its power over the noise."""
    snr = 10 * np.log10(np.maximum((sound.smooth / sound.noise).max(axis=1), 1e-6))
    over = np.maximum(sound.band[:, sound.held] / sound.noise[sound.held], 0.01)
    flatness = np.exp(np.log(over).mean(axis=1)) / over.mean(axis=1)
    return snr, flatness


def _tonal(snr: Power, flatness: Power) -> NDArray[np.bool_]:
    tonal: NDArray[np.bool_] = (snr >= OUT_DB) & (flatness <= TONAL)
    return tonal


def _voiced(power: Power) -> float:
    """Share of frames that repeat themselves at the pitch of a voice, by their autocorrelation.

    The pitch is the shortest lag that comes near the best: a whistle of 3 kHz repeats at 100 Hz
    too. The window's own autocorrelation is taken out.
    """
    if not len(power):
        return 0.0
    bins = np.arange(power.shape[1]) * BIN_HZ
    heard = np.where((bins >= _VOICE_HZ[0]) & (bins < _VOICE_HZ[1]), power, 0)
    lags = irfft(heard, axis=1)[:, :_LAGS]
    lags /= np.maximum(lags[:, :1], 1e-9) * _FADE
    peak = np.zeros(lags.shape, bool)
    peak[:, 1:-1] = (lags[:, 1:-1] > lags[:, :-2]) & (lags[:, 1:-1] >= lags[:, 2:])
    height = np.where(peak, lags, 0).max(axis=1, keepdims=True)
    first = np.argmax(peak & (lags >= 0.85 * height), axis=1)
    pitch = RATE / np.maximum(first, 1)
    low = (pitch > _PITCHES_HZ[0]) & (pitch < _PITCHES_HZ[1]) & (height[:, 0] > 0.6)
    return float(low.mean())


def _window_fade() -> Power:
    """The autocorrelation of the Hann window at each lag, 1 at lag 0."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    fade = np.correlate(window, window, "full")[WINDOW - 1 : WINDOW - 1 + _LAGS]
    return np.asarray(np.maximum(fade / fade[0], 0.1), np.float32)


_FADE = _window_fade()


def _decibel(ratio: float) -> float:
    return float(10 * np.log10(ratio))
