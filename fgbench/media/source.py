"""The bytes of an item's file."""

from __future__ import annotations

from pathlib import Path

from fgbench.media.faults import unusable

MOST_BYTES = 1 << 30
"""Of one file: 2,000 s of stereo at 48 kHz and 24 bits are 0.6 GB."""

_FIX = "see to the path and the media root, or fetch the file again"


def read_file(path: Path) -> bytes:
    """All of a file. Raises ``FaultyInput`` (FG-M001) where there is none or it is too large."""
    expected = f"a file of at most {MOST_BYTES:,} bytes"
    try:
        if not path.is_file():  # a pipe would be waited for, a device never ends
            found = "something that is no file" if path.exists() else "nothing there"
            raise unusable("FG-M001", str(path), found, expected, _FIX)
        if (size := path.stat().st_size) > MOST_BYTES:
            raise unusable("FG-M001", str(path), f"{size:,} bytes", expected, "cut it up")
        return path.read_bytes()
    except OSError as error:
        found = error.strerror or type(error).__name__
        raise unusable("FG-M001", str(path), found, expected, _FIX) from error
