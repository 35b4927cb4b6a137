"""Decode a recording: any common format to mono, 16 bits, one rate, block after block.

At most six hours of it are read, and never more than a block is held.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from enum import StrEnum
from importlib.metadata import version
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fgbench.errors import MissingExtra
from fgbench.media.decoders import open_decoder

try:
    import soxr
except ImportError as error:
    raise MissingExtra(error.name or "soxr", "build") from error

RATE = 32_000
"""Samples a second of everything that is decoded: holds 0.5-12 kHz, where birds are."""
LONGEST_S = 6 * 3600
"""Seconds that are read of a recording; the rest is left, and it is flagged."""

RATES = range(8_000, 384_001)
MOST_CHANNELS = 32
BROKEN_OFF = "broken_off"
"""Flag: the data ended in an error, in another form, or without an Ogg file's last page."""
SHORTER_THAN_STATED = "shorter_than_stated"
"""Flag: the file or its source states a length, and there is clearly less."""
CAPPED = "capped"
"""Flag: it is longer than ``LONGEST_S``."""

_QUALITY = "HQ"
_FULL_SCALE = 16.0
"""Decoders overshoot 1.0 a little; a float file that reaches this holds no sound."""

Samples: TypeAlias = NDArray[np.int16]


class Flaw(StrEnum):
    """Why a recording cannot be decoded: codes of the column ``reason``."""

    NOT_AUDIO = "not_audio"
    """Neither decoder knows such bytes, or they hold no sound."""
    EMPTY = "empty"
    """A header, and not one sample."""
    BAD_RATE = "bad_rate"
    """Fewer than 8,000 or more than 384,000 samples a second."""
    BAD_CHANNELS = "bad_channels"
    """No channel, or more than 32."""
    BAD_SAMPLES = "bad_samples"
    """Samples that are no numbers, or far beyond full scale."""


class UndecodableError(Exception):
    """A recording that cannot be decoded: ``flaw`` and, for people, ``detail``."""

    def __init__(self, flaw: Flaw, detail: str) -> None:
        super().__init__(flaw, detail)
        self.flaw, self.detail = flaw, detail


class Recording:
    """A recording to be read once, from its first block to its last; then its facts are known."""

    def __init__(self, content: bytes, stated_s: float | None = None, *, rate: int = RATE) -> None:
        """``stated_s``: its length as its source states it. ``rate``: samples a second of what is
        read. Raises ``UndecodableError``."""
        try:
            self._decoder = open_decoder(content)
        except ValueError as error:
            raise UndecodableError(Flaw.NOT_AUDIO, str(error)) from error
        self.rate = self._decoder.rate
        self.ending = self._decoder.ending
        """What a file of this format is called."""
        self.duration_s = 0.0
        """Seconds read so far."""
        self._stated = max(stated_s or 0.0, self._decoder.stated_s or 0.0)
        self._capped = False
        self._to = rate
        if self.rate not in RATES:
            raise UndecodableError(Flaw.BAD_RATE, f"{self.rate} samples a second")
        if not 0 < self._decoder.channels <= MOST_CHANNELS:
            raise UndecodableError(Flaw.BAD_CHANNELS, f"{self._decoder.channels} channels")

    def __iter__(self) -> Iterator[Samples]:
        """The sound, int16. Raises ``UndecodableError`` for a flaw that shows only now."""
        done = 0
        stream = soxr.ResampleStream(self.rate, self._to, 1, dtype="float32", quality=_QUALITY)
        resample = stream.resample_chunk if self.rate != self._to else _as_it_is
        with closing(self._mono()) as blocks:
            for block in blocks:
                done += len(block)
                self.duration_s = done / self.rate
                yield _in_16_bits(resample(block, last=False))
        if not done:
            raise UndecodableError(Flaw.EMPTY, "no sample")
        yield _in_16_bits(resample(np.zeros(0, np.float32), last=True))

    @property
    def flags(self) -> tuple[str, ...]:
        """What a reader should know: decoder and resampler, and what was amiss."""
        stated, done = min(self._stated, LONGEST_S), self.duration_s
        resampler = f"soxr-{version('soxr')}-{_QUALITY}" if self.rate != self._to else "none"
        amiss = (
            (BROKEN_OFF, self._decoder.broken),
            (CAPPED, self._capped),
            (SHORTER_THAN_STATED, stated - done > max(2.0, 0.02 * stated)),
        )
        used = (f"decoder:{self._decoder.name}", f"resampler:{resampler}")
        return (*used, *(flag for flag, so in amiss if so))

    def _mono(self) -> Generator[NDArray[np.float32]]:
        """The mean of the channels, block after block, up to ``LONGEST_S``."""
        left = LONGEST_S * self.rate
        weights = np.full(self._decoder.channels, 1 / self._decoder.channels, np.float32)
        for block in self._decoder.blocks():
            loudest = max(block.max(initial=0), -block.min(initial=0))
            if not loudest < _FULL_SCALE:  # not a number is not less
                sound = np.abs(block) < _FULL_SCALE
                at = self.duration_s + int(np.argmin(sound.all(axis=1))) / self.rate
                raise UndecodableError(Flaw.BAD_SAMPLES, f"a value that is no sound at {at:.1f} s")
            if len(block) > left:
                self._capped = True
                block = block[:left]
            if loudest > 1:
                block = np.clip(block, -1, 1)
            if len(block):
                yield block[:, 0] if block.shape[1] == 1 else block @ weights
            left -= len(block)
            if self._capped:
                return


def _as_it_is(block: NDArray[np.float32], last: bool) -> NDArray[np.float32]:
    return block


def _in_16_bits(block: NDArray[np.float32]) -> Samples:
    scaled = np.clip(block, -1, 1)
    scaled *= 32767
    return np.rint(scaled, out=scaled).astype(np.int16)
