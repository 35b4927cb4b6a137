"""An item of any medium, and the array that a network takes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from fgbench.errors import Fault, FaultyInput
from fgbench.media.faults import unusable
from fgbench.media.preset import Preset
from fgbench.media.source import read_file
from fgbench.protocol import Medium

R = TypeVar("R")
Loaded: TypeAlias = NDArray[np.uint8] | NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class MediaItem:
    """An item with what it is made of: ``text`` or, for the other media and a text file, ``path``.

    None of both where a manifest has only a pointer; loading it is a fault.
    """

    item_id: str
    medium: Medium
    path: Path | None = None
    text: str | None = None


def load(item: MediaItem, preset: Preset, rng: np.random.Generator | None = None) -> Loaded:
    """The array of an item, by its medium.

    Image and audio: bytes [3, side, side]; video: bytes [frames, 3, side, side], 1 to 25 frames;
    text: indices [448]. ``image.normalise`` makes floats of bytes. ``rng``, given in training
    alone, draws augmentation and position shift. Raises ``FaultyInput`` (FG-M…) with one fault.
    """
    # Each medium's libraries are loaded when the first item of it is.
    if item.medium is Medium.TEXT:
        from fgbench.media.text import encode

        return encode(text_of(item), preset.text, rng)
    path = content_of(item.path)
    if item.medium is Medium.AUDIO:
        from fgbench.media.audio import load_audio

        return load_audio(path, preset.audio)
    if item.medium is Medium.VIDEO:
        from fgbench.media.video import load_video

        return load_video(path, preset.image, rng)
    from fgbench.media.image import load_image

    return load_image(path, preset.image, rng)


def attempt(function: Callable[[MediaItem], R], item: MediaItem) -> R | Fault:
    """``function(item)``, or its fault as a value that names the item.

    A value, since no data loader's worker can hand on an exception of this family; ``gather``
    makes one error of all.
    """
    try:
        return function(item)
    except FaultyInput as error:
        fault = error.faults[0]
        return replace(fault, where=f"{item.item_id} ({fault.where})")


def text_of(item: MediaItem) -> str:
    """The text of an item, from its file where it has one.

    Raises ``FaultyInput`` (FG-M001; FG-M004 for a file that is not UTF-8).
    """
    if item.text is not None or item.path is None:
        return content_of(item.text)
    try:
        return read_file(item.path).decode("utf-8")
    except UnicodeDecodeError as error:
        found = f"bytes that are not UTF-8: {error.reason} at {error.start:,}"
        fix = "write it again as UTF-8"
        raise unusable("FG-M004", str(item.path), found, "a text file", fix) from error


def content_of(content: R | None) -> R:
    """The path or text of an item. Raises ``FaultyInput`` (FG-M001) where it has none."""
    if content is None:
        raise unusable(
            "FG-M001",
            "the manifest",
            "neither a path nor a text: a pointer only",
            "an item with its content",
            "build or fetch the content, or leave the item out",
        )
    return content
