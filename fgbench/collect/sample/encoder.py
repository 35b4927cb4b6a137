"""Sound files of the sample world: equal sounds give equal bytes."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from itertools import accumulate, repeat

import numpy as np

from fgbench.collect.sample.song import Sound
from fgbench.errors import MissingExtra

try:
    import soundfile
except ImportError as error:
    raise MissingExtra(error.name or "soundfile", "build") from error

SYNTHETIC_SOUND = "synthetic sample sound"
"""Stands in the title of every file."""
_OGG_PAGE = struct.Struct("<4sBBqIIIB")
_POLYNOMIAL = 0x04C11DB7


class Format(StrEnum):
    """A kind of file, by its ending."""

    MP3 = "mp3"
    OGG = "ogg"
    FLAC = "flac"
    WAV = "wav"

    @property
    def content_type(self) -> str:
        """What a server says it is."""
        return "audio/mpeg" if self is Format.MP3 else f"audio/{self}"


def encode(sound: Sound, rate: int, format: Format, title: str) -> bytes:
    """A mono file of a sound, which says that it is synthetic."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate, 1, format=format.upper()) as writer:
        writer.title = f"{title}, {SYNTHETIC_SOUND}"
        writer.write(np.clip(sound, -1, 1).astype(np.float32))
    content = file.getvalue()
    return with_serial(content, 1) if format is Format.OGG else content


def with_serial(ogg: bytes, serial: int) -> bytes:
    """An Ogg file under another serial number: libsndfile draws one by the clock."""
    return b"".join(_page(page, serial) for page in _pages(ogg))


def _pages(ogg: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(ogg):
        *_, segments = _OGG_PAGE.unpack_from(ogg, start)
        table = start + _OGG_PAGE.size
        end = table + segments + sum(ogg[table : table + segments])
        yield ogg[start:end]
        start = end


def _page(page: bytes, serial: int) -> bytes:
    magic, version, flags, granule, _, number, _, segments = _OGG_PAGE.unpack_from(page)
    rest = page[_OGG_PAGE.size :]
    head = (magic, version, flags, granule, serial, number)
    blank = _OGG_PAGE.pack(*head, 0, segments) + rest
    return _OGG_PAGE.pack(*head, _checksum(blank), segments) + rest


def _checksum(page: bytes) -> int:
    """The CRC of Ogg (RFC 3533): from the highest bit on, from 0, unlike zlib's."""
    table, crc = _table(), 0
    for byte in page:
        crc = (crc << 8) & 0xFFFFFFFF ^ table[crc >> 24 ^ byte]
    return crc


@cache
def _table() -> tuple[int, ...]:
    def shifted(crc: int, _: None) -> int:
        return (crc << 1) & 0xFFFFFFFF ^ (_POLYNOMIAL if crc >> 31 else 0)

    return tuple(
        [*accumulate(repeat(None, 8), shifted, initial=byte << 24)][-1] for byte in range(256)
    )


def claim(content: bytes, seconds: int) -> bytes:
    """A sound file's sound as a WAV file whose header claims that many seconds."""
    sound, rate = soundfile.read(io.BytesIO(content), dtype="int16", always_2d=True)
    data: bytes = sound[:, 0].astype("<i2").tobytes()
    claimed = seconds * rate * 2
    form = struct.pack("<HHIIHH", 1, 1, rate, rate * 2, 2, 16)
    head = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", claimed)
    return b"RIFF" + struct.pack("<I", len(head) + claimed) + head + data
