"""The decoders of sound: libsndfile by soundfile first, ffmpeg by PyAV for what it cannot.

What the bytes are decides, not what a file is called. Whatever a header says, only as much is read
as is there, and no more than a block of it is held.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import version
from io import BytesIO
from itertools import chain
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fgbench.errors import MissingExtra
from fgbench.media.tags import any_tags

try:
    import av
    import soundfile
except ImportError as error:
    raise MissingExtra(error.name or "soundfile", "build") from error

Block: TypeAlias = NDArray[np.float32]
"""Samples [frames, channels], as a rule from -1 to 1."""

_BLOCK = 1 << 18
"""Samples of all channels that libsndfile decodes at a time."""
_FORMATS = {
    "MP3": "mp3", "OGG": "ogg", "FLAC": "flac", "AIFF": "aiff", "CAF": "caf", "W64": "w64",
    "WAV": "wav", "WAVEX": "wav", "RF64": "wav",
}  # fmt: skip
"""What libsndfile is asked to read, and what such files are called; the others are rare."""
_CONTAINERS = {
    "mov": "m4a", "matroska": "mka", "aac": "aac", "asf": "wma", "mp3": "mp3", "ogg": "ogg",
    "flac": "flac", "wav": "wav", "aiff": "aiff", "caf": "caf", "amr": "amr",
}  # fmt: skip
"""What ffmpeg may read. Never a playlist: its demuxers open the addresses that they find in it."""
_RIFF_DATA = re.compile(r"^data : (\d+) \(should be (\d+)\)", re.MULTILINE)
"""libsndfile's log where the chunk of samples claims another size than the file has room for."""
_UNKNOWN_SIZE = 0x7FFFFF00
"""A stream's size that was not known when its header was written."""


class Decoder(Protocol):
    """A file of sound, opened: what it says of itself, and its blocks, to be read once.

    ``name``: of the decoder, with its version. ``ending``: what a file of this format is called.
    ``broken``: whether the data ended before their end; known when the last block was read.
    """

    name: str
    ending: str
    rate: int
    channels: int
    stated_s: float | None
    broken: bool

    def blocks(self) -> Iterator[Block]: ...


def open_decoder(content: bytes) -> Decoder:
    """The decoder that reads such bytes. Raises ``ValueError``: what both decoders say of them."""
    try:
        return _SoundFile(content)
    except (soundfile.LibsndfileError, ValueError) as first:
        try:
            return _Container(content)
        except (av.FFmpegError, ValueError, MemoryError) as second:
            raise ValueError(f"libsndfile: {_words(first)}; ffmpeg: {_words(second)}") from second


def _words(error: Exception) -> str:
    """What a decoder says, without the address of the object that it read from."""
    said = error.error_string if isinstance(error, soundfile.LibsndfileError) else str(error)
    return " ".join(said.split())[:100] or type(error).__name__


class _Forwards(soundfile.SoundFile):  # type: ignore[misc]
    """A file that is read from its beginning to its end.

    Behind each block soundfile seeks to where it is already: an MP3 loses its bit reservoir by
    that, and the samples behind it change.
    """

    def seekable(self) -> bool:
        return False


class _SoundFile:
    """A file that libsndfile reads."""

    def __init__(self, content: bytes) -> None:
        self._file: Any = _Forwards(BytesIO(content))
        if self._file.format not in _FORMATS:
            raise ValueError(f"the format {self._file.format}")
        self.name = f"libsndfile-{soundfile.__libsndfile_version__}"
        self.ending = _FORMATS[self._file.format]
        self.rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.stated_s = self._stated(content)
        self.broken = self._file.format == "OGG" and not _ogg_has_its_end(content)

    def _stated(self, content: bytes) -> float | None:
        """Seconds by the header. libsndfile corrects a RIFF header, and guesses for some MP3."""
        frames = self._file.frames
        if self._file.format == "MP3" and not _mp3_states_length(content):
            return None
        cut = _RIFF_DATA.search(self._file.extra_info)
        if cut and int(cut[2]) and int(cut[1]) < _UNKNOWN_SIZE:
            frames = frames * int(cut[1]) / int(cut[2])
        return float(frames / self.rate) if self.rate else None

    def blocks(self) -> Iterator[Block]:
        """What can be read; where that fails on the way, what came before."""
        buffer = np.empty((max(1, _BLOCK // self.channels), self.channels), np.float32)
        with self._file as file:
            while True:
                buffer.fill(np.nan)  # an error does not tell how much was read before it
                try:
                    block = file.read(out=buffer)
                except soundfile.LibsndfileError:
                    self.broken = True
                    yield buffer[~np.isnan(buffer).any(axis=1)]
                    return
                if not len(block):
                    return
                yield block


def _mp3_states_length(content: bytes) -> bool:
    """Whether the first frame, behind an ID3 tag, has the number of frames in it."""
    start = 0
    if content[:3] == b"ID3" and len(content) > 10:
        a, b, c, d = content[6:10]  # seven bits in each
        start = 10 + (a << 21 | b << 14 | c << 7 | d)
    return any(tag in content[start : start + 400] for tag in (b"Xing", b"Info", b"VBRI"))


def _ogg_has_its_end(content: bytes) -> bool:
    """Whether the last page is all there, and says that it is the last (RFC 3533, section 6)."""
    page = content.rfind(b"OggS")
    head = content[page : page + 27]
    if len(head) < 27:
        return False
    body = page + 27 + head[26]
    return bool(head[5] & 4) and body + sum(content[page + 27 : body]) <= len(content)


class _Container:
    """A file that ffmpeg reads, its first stream of sound."""

    def __init__(self, content: bytes) -> None:
        allowed = {"format_whitelist": ",".join(_CONTAINERS), "protocol_whitelist": "none"}
        self._file = av.open(BytesIO(content), "r", options=allowed, **any_tags())
        streams = self._file.streams.audio
        decoded = self._file.decode(streams[0]) if streams else iter(())
        first = next(decoded, None)  # the header may state another rate than the data have
        if first is None:
            self._file.close()
            raise ValueError("no sound in it")
        self._frames = chain([first], decoded)
        self._form = _form(first)
        self.name = f"pyav-{version('av')}"
        names = self._file.format.name.split(",")
        self.ending = next(_CONTAINERS[name] for name in names if name in _CONTAINERS)
        self.rate: int = first.sample_rate
        self.channels: int = first.layout.nb_channels
        whole = self._file.duration
        self.stated_s = whole / av.time_base if whole and whole > 0 else None
        self.broken = False

    def blocks(self) -> Iterator[Block]:
        """What can be read, up to an error or a frame of another form than the first."""
        # Interleaved: of eight planes and more PyAV reads beyond the last, and the process ends.
        interleaved = av.AudioResampler(format="flt")
        with self._file:
            try:
                for frame in self._frames:
                    if _form(frame) != self._form:
                        self.broken = True
                        return
                    for part in interleaved.resample(frame):
                        sound = np.asarray(part.to_ndarray(), np.float32)
                        yield sound.reshape(-1, self.channels)
            except (av.FFmpegError, ValueError):
                self.broken = True


def _form(frame: Any) -> tuple[str, int, int]:
    return frame.format.name, frame.layout.nb_channels, frame.sample_rate
