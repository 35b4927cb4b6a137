"""Pictures to pixels: resize, crop, normalise as ImageNet's networks expect."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fgbench.errors import MissingExtra
from fgbench.manifest import show
from fgbench.media.faults import unusable
from fgbench.media.preset import ImageRule
from fgbench.media.source import read_file

try:
    from PIL import Image, UnidentifiedImageError
except ImportError as error:
    raise MissingExtra("pillow", "train") from error

Pixels: TypeAlias = NDArray[np.uint8]

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)
"""Of ImageNet's red, green and blue, 0-1 (main.py of the released code)."""

MOST_PIXELS = 80_000_000
"""Of one picture: a file of kilobytes may claim more than memory holds."""

_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error)
"""What Pillow raises for pictures that it cannot decode."""
_FETCH = "copy or fetch the file again; the manifest of a build has its SHA-256"


def load_image(path: Path, rule: ImageRule, rng: np.random.Generator | None = None) -> Pixels:
    """The picture in a file [3, crop, crop]; see ``frame`` for ``rng``. Raises ``FaultyInput``."""
    return frame(open_image(path), rule, rng)


def open_image(path: Path) -> Image.Image:
    """The picture in a file, as red, green and blue, whole. Raises ``FaultyInput`` (FG-M001…003).

    No orientation is applied: neither did the released code.
    """
    return decode_image(read_file(path), str(path))


def decode_image(content: bytes, where: str) -> Image.Image:
    """``open_image`` of bytes; ``where`` names them in a fault."""
    expected = "a whole JPEG, PNG or other picture that Pillow reads"
    try:
        with Image.open(BytesIO(content)) as picture:
            width, height = picture.size
            if width * height > MOST_PIXELS:
                found = f"{width:,} × {height:,} pixels"
                raise unusable(
                    "FG-M003", where, found, f"at most {MOST_PIXELS:,} pixels", "make it smaller"
                )
            return picture.convert("RGB")
    except UnidentifiedImageError as error:  # its text holds an address in memory
        found = "not a picture" if content else "an empty file"
        raise unusable("FG-M002", where, found, expected, _FETCH) from error
    except Image.DecompressionBombError as error:
        raise unusable("FG-M003", where, show(str(error)), expected, "make it smaller") from error
    except _UNREADABLE as error:
        raise unusable("FG-M002", where, show(str(error)), expected, _FETCH) from error


def frame(picture: Image.Image, rule: ImageRule, rng: np.random.Generator | None = None) -> Pixels:
    """The square that a network sees [3, crop, crop], bytes of red, green and blue.

    Bilinear, with antialiasing when it shrinks, as torchvision does with Pillow's pictures; the
    crop is central. ``rng``, in training only: draws where a rule that augments crops and mirrors.
    """
    room = rule.resize - rule.crop
    left = top = round(room / 2)
    mirrored = False
    if rule.augment and rng is not None:
        left, top = rng.integers(0, room + 1, 2).tolist()
        mirrored = bool(rng.integers(2))
    # Only what is kept of the resized picture is computed.
    wide, high = picture.width / rule.resize, picture.height / rule.resize
    right, bottom = left + rule.crop, top + rule.crop
    kept = (left * wide, top * high, right * wide, bottom * high)
    size = (rule.crop, rule.crop)
    pixels = np.asarray(picture.resize(size, Image.Resampling.BILINEAR, box=kept))
    if mirrored:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def normalise(pixels: Pixels) -> NDArray[np.float32]:
    """Pixels [..., 3, height, width], each colour less ImageNet's mean over its deviation.

    Four times the memory of the bytes: where there is an accelerator, normalise there.
    """
    scale, offset = 1 / (255 * STD), -MEAN / STD
    return pixels * scale[:, None, None] + offset[:, None, None]
