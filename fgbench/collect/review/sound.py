"""How a sound file is handed to a player: what it is, and which of its bytes are asked for."""

from __future__ import annotations

import re
from pathlib import Path

_KINDS = {
    ".aac": "audio/aac",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".wav": "audio/wav",
}
_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})|bytes=-(\d{1,15})")


def content_type(file: Path) -> str:
    """The media type of a sound file, by its ending."""
    return _KINDS.get(file.suffix.lower(), "application/octet-stream")


def byte_range(asked: str, size: int) -> tuple[int, int]:
    """The first byte and the one after the last that a Range header asks for, of ``size``.

    What is not one range of bytes is not heeded (RFC 9110, 14.2): the whole is sent. Empty, as
    ``size, size``, where the file is too short.
    """
    found = _RANGE.fullmatch(asked)
    if found is None:
        return 0, size
    first, last, tail = found.groups()
    start = int(first) if first else max(0, size - int(tail))
    end = min(size, int(last) + 1) if last else size
    return (start, end) if start < end else (size, size)
