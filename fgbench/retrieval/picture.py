"""What an item looks like: pictures of it, small and whole, as addresses that hold their data."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from fgbench.collect.local.frames import Unusable, places, read_clip
from fgbench.errors import InputError, MissingExtra
from fgbench.media.faults import unusable
from fgbench.media.image import decode_image, open_image
from fgbench.media.item import MediaItem
from fgbench.media.picture import draw
from fgbench.media.video import frame_files
from fgbench.protocol import Medium

try:
    from PIL import Image
except ImportError as error:
    raise MissingExtra("pillow", "build") from error

SIDE = 360
"""Pixels, at most, of a picture's longer side: a card is half as wide, and screens are dense."""
FRAME_SIDE = 200
FRAMES = 4
"""Of a video, evenly spaced."""
SPECTROGRAM = (720, 160)


@dataclass(frozen=True, slots=True)
class Picture:
    """``data``: an address ``data:image/…``; ``alt``: what it shows, for who does not see it."""

    data: str
    alt: str


def picture_item(item: MediaItem, root: Path | None = None) -> tuple[Picture, ...]:
    """Of an image itself, of a video some frames, of a sound its spectrogram; of a text nothing.

    What is in the file is decoded and encoded anew: nothing of it but pixels is passed on. ``root``
    is the folder that the file must lie in. Raises ``InputError``: FG-Q008 where it does not, FG-M…
    and FG-V… where it cannot be decoded.
    """
    if item.path is None:
        return ()
    path = _within(item.path, root)
    if item.medium is Medium.IMAGE:
        return (Picture(_jpeg(open_image(path), SIDE), "The picture"),)
    if item.medium is Medium.AUDIO:
        return (Picture(_spectrogram(path), "Spectrogram: time to the right, pitch upwards"),)
    if item.medium is Medium.VIDEO:
        shown = _frames(path, root)
        return tuple(Picture(_jpeg(f, FRAME_SIDE), f"Frame {n}") for n, f in enumerate(shown, 1))
    return ()


def _within(path: Path, root: Path | None) -> Path:
    """The file, every link followed. A manifest may name any file there is."""
    file = path.resolve()
    if root is not None and not file.is_relative_to(root.resolve()):
        raise InputError(
            "FG-Q008",
            f"{path} lies outside the media root {root}",
            why="A page shows no file from elsewhere, whatever a manifest names.",
            fix="Name the folder that holds it: --media-root.",
        )
    return file


def _frames(path: Path, root: Path | None) -> list[Image.Image]:
    if files := frame_files(path):
        chosen = places(len(files), FRAMES)
        return [open_image(_within(files[at], root)) for at in chosen]
    try:
        _, jpegs = read_clip(path)
    except Unusable as error:
        found = f"{error.reason}: {error.detail}"
        expected = "a video that decodes"
        raise unusable("FG-M008", str(path), found, expected, "fetch it again") from error
    return [decode_image(jpegs[at], str(path)) for at in places(len(jpegs), FRAMES)]


def _spectrogram(path: Path) -> str:
    with Image.open(BytesIO(draw(path).spectrogram)) as drawn:
        return _data(drawn.resize(SPECTROGRAM, Image.Resampling.BOX), "PNG")


def _jpeg(picture: Image.Image, side: int) -> str:
    picture.thumbnail((side, side))
    return _data(picture, "JPEG")


def _data(picture: Image.Image, kind: str) -> str:
    file = BytesIO()
    picture.save(file, kind, quality=80, optimize=True)
    return f"data:image/{kind.lower()};base64,{b64encode(file.getvalue()).decode()}"
