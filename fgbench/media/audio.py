"""Sounds to pictures of their spectrograms, straight from the array."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.signal.windows import hann

from fgbench.errors import FaultyInput, MissingExtra
from fgbench.manifest import show
from fgbench.media.decode import (
    BROKEN_OFF,
    SHORTER_THAN_STATED,
    Recording,
    UndecodableError,
)
from fgbench.media.faults import unusable
from fgbench.media.image import Pixels, decode_image, frame
from fgbench.media.magma import MAGMA
from fgbench.media.preset import AudioRule, Drawing
from fgbench.media.source import read_file

try:
    from PIL import Image
except ImportError as error:
    raise MissingExtra(error.name or "soxr", "train") from error

Samples: TypeAlias = NDArray[np.float32]
Decibels: TypeAlias = NDArray[np.float32]

LONGEST_S = 2_000
"""The longest sound of the paper's data (section 2.2). Bounds memory: 0.2 MB a second."""
SILENCE = 4 / 2**15
"""Nothing louder than this is silence: steps of 16 bits, as dither and a resampler make."""

_FLOOR = 1e-5
"""The least magnitude of ``librosa.amplitude_to_db``."""
_SPECSHOW_SIDE = 700
"""Pixels of the pictures of the released audio.py: 7/3 inches at 300 dots an inch."""
_PNG = b"\x89PNG\r\n\x1a\n"
_BLOCK = 128
"""Windows that are transformed at a time: their spectra stay in the processor's cache."""
_EXPECTED = "a whole recording that libsndfile or ffmpeg decodes"
_FETCH = "copy or fetch it again, or leave the item out"


def load_audio(path: Path, rule: AudioRule) -> Pixels:
    """The spectrogram of a sound file as a picture [3, crop, crop].

    A PNG file is taken for a spectrogram that was drawn before, as the items of the official lists
    are (``audioimg/….png``). Raises ``FaultyInput``: as ``load_samples``, or FG-M002 and FG-M003.
    """
    content = read_file(path)
    if content.startswith(_PNG):
        return frame(decode_image(content, str(path)), rule.framing)
    return draw(_decode(content, path, rule.rate), rule)


def load_samples(path: Path, rate: int) -> Samples:
    """The sound in a file, mono, ``rate`` samples a second, -1 to 1.

    Raises ``FaultyInput``: FG-M001 no such file, FG-M005 cannot be decoded or is cut short,
    FG-M006 silent, FG-M007 longer than ``LONGEST_S``.
    """
    return _decode(read_file(path), path, rate)


def _decode(content: bytes, path: Path, rate: int) -> Samples:
    blocks, held = [], 0
    try:
        recording = Recording(content, rate=rate)
        for block in recording:
            blocks.append(block)
            held += len(block)
            if held > (LONGEST_S + 1) * rate:
                raise _too_long(path)
    except UndecodableError as error:
        found = f"{error.flaw}: {show(error.detail)}"
        raise unusable("FG-M005", str(path), found, _EXPECTED, _FETCH) from error
    if amiss := {BROKEN_OFF, SHORTER_THAN_STATED}.intersection(recording.flags):
        found = f"{' and '.join(sorted(amiss))}, after {recording.duration_s:.1f} s"
        raise unusable("FG-M005", str(path), found, _EXPECTED, _FETCH)
    samples: Samples = np.concatenate(blocks, dtype=np.float32)
    samples /= 2**15
    if not max(samples.max(initial=0), -samples.min(initial=0)) > SILENCE:
        found = f"{recording.duration_s:.1f} s of silence below {rate / 2:,.0f} Hz"
        fix = "leave the item out: there is nothing in it to be recognised"
        raise unusable("FG-M006", str(path), found, "a sound", fix)
    return samples


def _too_long(path: Path) -> FaultyInput:
    found, fix = f"more than {LONGEST_S:,} s", "cut it into pieces, as fgbench build-data does"
    return unusable("FG-M007", str(path), found, f"at most {LONGEST_S:,} s", fix)


def decibels(samples: Samples, rule: AudioRule) -> Decibels:
    """The spectrogram [windows, 1 + window / 2], 0 at the loudest, at least ``-range_db``.

    Equals ``librosa.amplitude_to_db(abs(librosa.stft(samples)), ref=max)``, transposed, in half
    the time.
    """
    power = _power(samples, rule)
    loudest = max(float(power.max()), _FLOOR**2)
    np.maximum(power, max(loudest * 10 ** (-rule.range_db / 10), _FLOOR**2), out=power)
    power /= np.float32(loudest)
    np.log10(power, out=power)
    power *= np.float32(10)
    return power


def _power(samples: Samples, rule: AudioRule) -> NDArray[np.float32]:
    """Block by block: the complex spectra of a long sound would take twice the memory of this."""
    padded = np.pad(samples, rule.window // 2)
    windows = sliding_window_view(padded, rule.window)[:: rule.hop]
    taper = hann(rule.window, sym=False).astype(np.float32)
    power = np.empty((len(windows), 1 + rule.window // 2), np.float32)
    for first in range(0, len(windows), _BLOCK):
        spectra = rfft(windows[first : first + _BLOCK] * taper, axis=1)
        power[first : first + _BLOCK] = spectra.real**2 + spectra.imag**2
    return power


def draw(samples: Samples, rule: AudioRule) -> Pixels:
    """The picture of a sound [3, crop, crop]: time to the right, frequency upwards."""
    return draw_levels(decibels(samples, rule), rule)


def draw_levels(levels: Decibels, rule: AudioRule) -> Pixels:
    """The picture of a spectrogram, or of some of its windows [windows, bins]."""
    if rule.drawing is Drawing.SPECSHOW:
        return frame(_specshow(levels), rule.framing)
    return frame(_grey(levels, rule).convert("RGB"), rule.framing)


def _grey(levels: Decibels, rule: AudioRule) -> Image.Image:
    size = (rule.framing.resize, rule.framing.resize)
    resized = np.asarray(Image.fromarray(levels).resize(size, Image.Resampling.BILINEAR))
    bright = 255 * np.clip(1 + resized.T[::-1] / rule.range_db, 0, 1)
    return Image.fromarray(np.rint(bright).astype(np.uint8))


def _specshow(levels: Decibels) -> Image.Image:
    """What matplotlib draws of such a mesh: cells snap to pixels, and none is blended."""
    centres = (np.arange(_SPECSHOW_SIDE) + 0.5) / _SPECSHOW_SIDE
    windows, bins = ((centres * cells).astype(int) for cells in levels.shape)
    low, high = levels.min(), levels.max()
    shown = levels[:, bins]
    shown -= low
    shown *= 256 / max(high - low, np.float32(1e-6))
    colours = np.minimum(shown, 255, out=shown).astype(np.uint8)
    picture = Image.fromarray(np.ascontiguousarray(colours[windows].T[::-1]))
    picture.putpalette(MAGMA)
    return picture.convert("RGB")
