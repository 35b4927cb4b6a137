"""What a recording looks like: its waveform and its spectrogram, side by side over time.

Both are as wide as the recording is long; what a column of the spectrogram shows is the loudest of
its moments, so that a short call in a long recording is not lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.signal.windows import hann

from fgbench.errors import InputError, MissingExtra
from fgbench.manifest import show
from fgbench.media.decode import RATE, Recording, UndecodableError

try:
    from PIL import Image
except ImportError as error:
    raise MissingExtra("pillow", "build") from error

COLUMNS = 1000
MAX_SAMPLES = 2**24
"""Of which a picture is made: the first eight minutes and 44 seconds."""

_TOP_HZ = 12_000
"""Few songs reach higher, and none that the detector looks for."""
_WINDOW = 512
"""Samples: 16 ms, and a row of the spectrogram for every 62.5 Hz."""
_MOMENTS = 8
"""The most windows a column."""
_QUIET_DB = -80.0
"""What is quieter than this is drawn as silence; the steps of 16-bit samples are."""
_SPAN_DB = 25.0
"""The least range from white to black, or white noise would look like song."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A recording drawn. ``whole``: all of it; else the ``duration_s`` seconds it begins with.

    ``waveform``: an SVG path, ``COLUMNS`` wide and 100 high. ``spectrogram``: a PNG in grey, black
    is loud, from 0 Hz at the bottom to ``top_hz``.
    """

    duration_s: float
    whole: bool
    top_hz: float
    waveform: str
    spectrogram: bytes


def draw(file: Path) -> Picture:
    """The picture of an audio file. Raises ``InputError`` (FG-V003) for what is none."""
    try:
        recording = Recording(file.read_bytes())
        samples, whole = _decode(recording)
    except UndecodableError as error:
        raise _undrawable(file, error.detail) from error
    except OSError as error:
        raise _undrawable(file, str(error)) from error
    top = min(recording.rate / 2, _TOP_HZ)
    return Picture(
        duration_s=recording.duration_s if whole else len(samples) / RATE,
        whole=whole,
        top_hz=top,
        waveform=_waveform(samples),
        spectrogram=_png(_spectrogram(samples, round(top * _WINDOW / RATE))),
    )


def _decode(recording: Recording) -> tuple[NDArray[np.float32], bool]:
    """Its samples, and whether these are all."""
    blocks, held = [np.zeros(1, np.int16)], 0  # one sample at least: the shortest sounds have none
    for block in recording:
        blocks.append(block)
        held += len(block)
        if held > MAX_SAMPLES:
            break
    samples = np.concatenate(blocks[1:] if held else blocks)[:MAX_SAMPLES]
    return samples.astype(np.float32) / np.float32(32768), held <= MAX_SAMPLES


def _undrawable(file: Path, why: str) -> InputError:
    return InputError(
        "FG-V003",
        f"{file.name} cannot be drawn: {show(why)}",
        why="There is no waveform and no spectrogram; it may play all the same.",
        fix="Listen to it, or build again.",
    )


def _waveform(samples: NDArray[np.float32]) -> str:
    """An outline, as loud as there is room for: upper edge, then lower edge back."""
    columns = min(COLUMNS, len(samples))
    starts = np.linspace(0, len(samples), columns, endpoint=False).astype(int)
    peak = max(float(np.abs(samples).max()), 1e-3)
    x = np.arange(columns) * COLUMNS / columns
    upper = 50 - 49 * np.maximum.reduceat(samples, starts) / peak
    lower = 50 - 49 * np.minimum.reduceat(samples, starts) / peak
    # At least a hair wide, or silence could not be seen.
    edges = [*zip(x, upper - 0.2, strict=True), *zip(x[::-1], lower[::-1] + 0.2, strict=True)]
    return "M" + "L".join(f"{at:.4g} {height:.1f}" for at, height in edges) + "Z"


def _spectrogram(samples: NDArray[np.float32], rows: int) -> NDArray[np.float32]:
    """Decibels below full scale [rows, COLUMNS], high frequencies first."""
    padded = np.pad(samples, (_WINDOW // 2, _WINDOW))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)
    step = len(samples) / COLUMNS
    moments = int(np.clip(np.ceil(2 * step / _WINDOW), 1, _MOMENTS))
    taper = hann(_WINDOW, sym=False).astype(np.float32)
    loudest = np.zeros((COLUMNS, rows), np.float32)
    for moment in range(moments):
        starts = ((np.arange(COLUMNS) + moment / moments) * step).astype(int)
        np.maximum(loudest, np.abs(rfft(windows[starts] * taper))[:, :rows], out=loudest)
    full_scale = taper.sum() / 2
    decibels: NDArray[np.float32] = 20 * np.log10(np.maximum(loudest / full_scale, 1e-8))
    return decibels.T[::-1]


def _png(decibels: NDArray[np.float32]) -> bytes:
    """Grey from the usual level, white, to the loudest, black."""
    usual, loud = np.percentile(decibels, [50, 99.9])
    loud = max(float(loud), _QUIET_DB + _SPAN_DB)
    low = min(max(float(usual), _QUIET_DB), loud - _SPAN_DB)
    grey = 255 * (1 - np.clip((decibels - low) / (loud - low), 0, 1))
    file = BytesIO()
    Image.fromarray(grey.round().astype(np.uint8)).save(file, "PNG")
    return file.getvalue()
