"""Decode a recording: any common format to mono, 16 bits, 32 kHz, block after block.

What the bytes are decides, not what the file is called. soundfile (libsndfile) first, PyAV (ffmpeg)
for what it cannot. Whatever the header says, only as much is read as is there, at most six hours,
and never more than a block is held.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import closing
from enum import StrEnum
from importlib.metadata import version
from io import BytesIO
from itertools import chain
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fgbench.errors import MissingExtra

try:
    import av
    import soundfile
    import soxr
except ImportError as error:
    raise MissingExtra(error.name or "soundfile", "build") from error

RATE = 32_000
"""Samples a second of everything that is decoded: holds 0.5-12 kHz, where birds are."""
LONGEST_S = 6 * 3600
"""Seconds that are read of a recording; the rest is left, and it is flagged."""

RATES = range(8_000, 384_001)
MOST_CHANNELS = 32
BROKEN_OFF = "broken_off"
"""Flag: the data ended in an error; what came before is used."""
SHORTER_THAN_STATED = "shorter_than_stated"
"""Flag: the file or its source states a length, and there is clearly less."""
CAPPED = "capped"
"""Flag: it is longer than ``LONGEST_S``."""

_QUALITY = "HQ"
_BLOCK = 1 << 18
"""Samples of all channels that are decoded at a time."""
_FULL_SCALE = 16.0
"""Decoders overshoot 1.0 a little; a float file that reaches this holds no sound."""
_FORMATS = {
    "MP3": "mp3", "OGG": "ogg", "FLAC": "flac", "AIFF": "aiff", "CAF": "caf", "W64": "w64",
    "WAV": "wav", "WAVEX": "wav", "RF64": "wav",
}  # fmt: skip
"""What soundfile is asked to read, and what such files are called; the others are rare."""
_CONTAINERS = {
    "mov": "m4a", "matroska": "mka", "aac": "aac", "asf": "wma", "mp3": "mp3", "ogg": "ogg",
    "flac": "flac", "wav": "wav", "aiff": "aiff", "caf": "caf", "amr": "amr", "3gp": "3gp",
}  # fmt: skip
"""What PyAV may read. Never a playlist: its demuxers open the addresses that they find in it."""

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


class _Source(Protocol):
    """An open file: what it says of itself, and its blocks [frames, channels], float32."""

    decoder: str
    ending: str
    rate: int
    channels: int
    stated_s: float | None
    broken: bool

    def blocks(self) -> Iterator[NDArray[np.float32]]: ...


class Recording:
    """A recording to be read once, from its first block to its last; then its facts are known."""

    def __init__(self, content: bytes, stated_s: float | None = None) -> None:
        """``stated_s``: its length as its source states it. Raises ``UndecodableError``."""
        self._source = _open(content)
        self.rate = self._source.rate
        self.ending = self._source.ending
        """What a file of this format is called."""
        self.duration_s = 0.0
        """Seconds read so far."""
        self._stated = max(stated_s or 0.0, self._source.stated_s or 0.0)
        self._capped = False
        if self.rate not in RATES:
            raise UndecodableError(Flaw.BAD_RATE, f"{self.rate} samples a second")
        if not 0 < self._source.channels <= MOST_CHANNELS:
            raise UndecodableError(Flaw.BAD_CHANNELS, f"{self._source.channels} channels")

    def __iter__(self) -> Iterator[Samples]:
        """The sound at ``RATE``. Raises ``UndecodableError`` for a flaw that shows only now."""
        done = 0
        stream = soxr.ResampleStream(self.rate, RATE, 1, dtype="float32", quality=_QUALITY)
        resample = stream.resample_chunk if self.rate != RATE else _as_it_is
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
        resampler = f"soxr-{version('soxr')}-{_QUALITY}" if self.rate != RATE else "none"
        amiss = (
            (BROKEN_OFF, self._source.broken),
            (CAPPED, self._capped),
            (SHORTER_THAN_STATED, stated - done > max(2.0, 0.02 * stated)),
        )
        used = (f"decoder:{self._source.decoder}", f"resampler:{resampler}")
        return (*used, *(flag for flag, so in amiss if so))

    def _mono(self) -> Generator[NDArray[np.float32]]:
        left = LONGEST_S * self.rate
        for block in self._source.blocks():
            if not np.all(np.abs(block) < _FULL_SCALE):  # not a number is not less
                detail = f"a value that is no sound before {self.duration_s + 1:.0f} s"
                raise UndecodableError(Flaw.BAD_SAMPLES, detail)
            if len(block) > left:
                self._capped = True
                block = block[:left]
            if len(block):
                yield np.clip(block, -1, 1).mean(axis=1, dtype=np.float32)
            left -= len(block)
            if self._capped:
                return


def _as_it_is(block: NDArray[np.float32], last: bool) -> NDArray[np.float32]:
    return block


def _in_16_bits(block: NDArray[np.float32]) -> Samples:
    return np.rint(np.clip(block, -1, 1) * 32767).astype(np.int16)


def _open(content: bytes) -> _Source:
    try:
        return _SoundFile(content)
    except (soundfile.LibsndfileError, ValueError) as first:
        try:
            return _Container(content)
        except (av.FFmpegError, ValueError, MemoryError) as second:
            detail = f"libsndfile: {_words(first)}; ffmpeg: {_words(second)}"
            raise UndecodableError(Flaw.NOT_AUDIO, detail) from second


def _words(error: Exception) -> str:
    """What a decoder says, without the address of the object that it read from."""
    said = error.error_string if isinstance(error, soundfile.LibsndfileError) else str(error)
    return " ".join(said.split())[:100] or type(error).__name__


class _SoundFile:
    """A file that libsndfile reads."""

    def __init__(self, content: bytes) -> None:
        self._file: Any = soundfile.SoundFile(BytesIO(content))
        if self._file.format not in _FORMATS:
            raise ValueError(f"the format {self._file.format}")
        self.decoder = f"libsndfile-{soundfile.__libsndfile_version__}"
        self.ending = _FORMATS[self._file.format]
        self.rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.stated_s = self._stated(content)
        self.broken = False

    def _stated(self, content: bytes) -> float | None:
        """Seconds by the header. libsndfile corrects a RIFF header, and guesses for some MP3."""
        frames = self._file.frames
        if self._file.format == "MP3" and not _mp3_states_length(content):
            return None
        cut = _RIFF_DATA.search(self._file.extra_info)
        if cut and int(cut[2]) and int(cut[1]) < _UNKNOWN_SIZE:
            frames = frames * int(cut[1]) / int(cut[2])
        return float(frames / self.rate) if self.rate else None

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        buffer = np.empty((max(1, _BLOCK // self.channels), self.channels), np.float32)
        with self._file as file:
            while not self.broken:
                buffer.fill(np.nan)  # an error does not tell how much was read before it
                try:
                    block = file.read(out=buffer)
                except soundfile.LibsndfileError:
                    self.broken = True
                    block = buffer[~np.isnan(buffer).any(axis=1)]
                if not len(block):
                    return
                yield block


_RIFF_DATA = re.compile(r"^data : (\d+) \(should be (\d+)\)", re.MULTILINE)
"""libsndfile's log where the chunk of samples claims another size than the file has room for."""
_UNKNOWN_SIZE = 0x7FFFFF00
"""A stream's size that was not known when its header was written."""


def _mp3_states_length(content: bytes) -> bool:
    """Whether the first frame, behind an ID3 tag, has the number of frames in it."""
    start = 0
    if content[:3] == b"ID3" and len(content) > 10:
        a, b, c, d = content[6:10]  # seven bits in each
        start = 10 + (a << 21 | b << 14 | c << 7 | d)
    return any(tag in content[start : start + 400] for tag in (b"Xing", b"Info", b"VBRI"))


class _Container:
    """A file that ffmpeg reads, its first stream of sound."""

    def __init__(self, content: bytes) -> None:
        allowed = {"format_whitelist": ",".join(_CONTAINERS), "protocol_whitelist": "none"}
        self._file = av.open(BytesIO(content), "r", options=allowed)
        if not self._file.streams.audio:
            self._file.close()
            raise ValueError("no stream of sound")
        stream = self._file.streams.audio[0]
        self._frames = self._file.decode(stream)
        self.broken = False
        first = next(self._frames, None)  # the header may state another rate than the data have
        self._first = [] if first is None else [first]
        self.decoder = f"pyav-{version('av')}"
        names = self._file.format.name.split(",")
        self.ending = next((_CONTAINERS[name] for name in names if name in _CONTAINERS), "audio")
        self.rate: int = (first.sample_rate if first else stream.rate) or 0
        self.channels: int = first.layout.nb_channels if first else stream.channels
        whole = self._file.duration
        self.stated_s = whole / av.time_base if whole and whole > 0 else None

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        planar = av.AudioResampler(format="fltp")
        frames = chain(self._first, self._frames)
        with self._file:
            try:
                for frame in frames:
                    for part in planar.resample(frame):
                        yield part.to_ndarray().T.astype(np.float32, copy=False)
            except (av.FFmpegError, ValueError):  # or a format that changes on the way
                self.broken = True
