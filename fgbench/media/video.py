"""Videos to pixels: 25 uniformly spaced frames (paper, section 3.2), each prepared as an image.

A built clip lies beside the folder of its frames: ``<id>.mp4`` and ``<id>/01.jpg``…; that folder is
read where there is one. Without it the video is decoded: right, but slow if done again and again.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from fgbench.collect.local.frames import COUNT, Unusable, places, read_clip
from fgbench.errors import FaultyInput
from fgbench.media.faults import unusable
from fgbench.media.image import Pixels, decode_image, frame
from fgbench.media.preset import ImageRule
from fgbench.media.source import read_file

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
"""What a frame's file is called."""


def load_video(path: Path, rule: ImageRule, rng: np.random.Generator | None = None) -> Pixels:
    """The frames of a video [frames, 3, crop, crop], at most 25; fewer where it has fewer.

    ``path``: a video with or without a folder of frames beside it, or such a folder. ``rng``: as
    in ``image.frame``, drawn for each frame. Raises ``FaultyInput`` (FG-M001…003, FG-M008).
    """
    pictures = (decode_image(content, where) for where, content in _contents(path))
    return np.stack([frame(picture, rule, rng) for picture in pictures])


def frame_files(path: Path) -> tuple[Path, ...]:
    """The files of a video's frames, at most 25, in order; empty for a video without a folder.

    Of a folder with more pictures, 25 uniformly spaced ones, by the numbers in their names. Raises
    ``FaultyInput`` (FG-M008) for a folder without a picture.
    """
    folder = path if path.is_dir() else path.with_suffix("")
    if not folder.is_dir():
        return ()
    files = sorted(
        (file for file in folder.iterdir() if file.suffix.lower() in PICTURES), key=_by_numbers
    )
    if not files:
        raise _no_frame(folder, "a folder without a picture")
    return tuple(files[place] for place in places(len(files)))


def _contents(path: Path) -> list[tuple[str, bytes]]:
    """Of each frame what names it and the picture's bytes."""
    if files := frame_files(path):
        return [(str(file), read_file(file)) for file in files]
    if not path.is_file():
        read_file(path)  # says what is there instead
    try:
        _, jpegs = read_clip(path)
    except Unusable as error:
        raise _no_frame(path, f"{error.reason}: {error.detail}") from error
    return [(f"{path}, frame {number}", jpeg) for number, jpeg in enumerate(jpegs, 1)]


def _no_frame(path: Path, found: str) -> FaultyInput:
    expected = f"a video that decodes, or a folder with its frames, {COUNT} of them or fewer"
    return unusable(
        "FG-M008", str(path), found, expected, "fetch or build it again, or leave it out"
    )


def _by_numbers(file: Path) -> tuple[str | int, ...]:
    """So that frame10 comes after frame9."""
    parts = re.split(r"(\d+)", file.name)
    return tuple(int(part) if odd % 2 else part for odd, part in enumerate(parts))
