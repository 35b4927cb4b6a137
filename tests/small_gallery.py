"""A small build of four media, made by hand, and a submission whose order can be told by eye.

Three species; item ``n`` of a medium is of species ``n % 3``. Its embedding lies at an angle: the
nearer two angles, the nearer the items. Pages, names and texts are hostile.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image, ImageDraw
from small_build import text_row

from fgbench.dataset.io import write_benchmark, write_bytes, write_table
from fgbench.dataset.schema import MANIFESTS, Row
from fgbench.protocol import MEDIA, Medium
from fgbench.submission import write_submission

COUNT = 6
"""Test items of each medium; one more of each species is for training."""
WORDS = "\x1b[31m</p><script>alert(1)</script> \u202eA large, dark seabird; [bold]wings long[/]."
_FILES = {Medium.IMAGE: "jpg", Medium.VIDEO: "mp4", Medium.AUDIO: "flac"}


def item_id(medium: Medium, number: int) -> str:
    return f"{medium}/{number}" if medium is Medium.TEXT else f"{medium}/bird_{number}"


def angle(medium: Medium, number: int) -> float:
    """0, 40 or 80 degrees by species, and some more by medium and number: no two are equal."""
    return 40 * (number % 3) + 5 * (number // 3) + MEDIA.index(medium)


def row(medium: Medium, number: int, side: str) -> Row:
    made = text_row(number, number % 3, "wikipedia" if number % 2 else "audubon", side)
    made |= {"medium": medium.value, "item_id": item_id(medium, number)}
    if medium is Medium.TEXT:
        made["text"] = f"{number}. {WORDS}"
    else:
        made["path"] = f"media/{medium}/bird_{number}.{_FILES[medium]}"
    names = {column.name for column in MANIFESTS[medium]}
    return {name: value for name, value in made.items() if name in names}


def write_gallery(folder: Path) -> Path:
    """Write manifests and media; returns the build's folder."""
    manifests = folder / "manifests"
    for medium in MEDIA:
        rows = [row(medium, n, "test") for n in range(COUNT)]
        rows += [row(medium, n, "train") for n in range(COUNT, COUNT + 3)]
        write_table(manifests / f"{medium}.parquet", rows, MANIFESTS[medium])
    write_benchmark(manifests, "gallery", "A gallery & <b>more</b>")
    for number in range(COUNT + 3):
        write_bytes(folder / f"media/image/bird_{number}.jpg", drawing(number, "JPEG"))
        for frame in range(1, 6):
            data = drawing(10 * number + frame, "JPEG")
            write_bytes(folder / f"media/video/bird_{number}/{frame:02}.jpg", data)
        write_bytes(folder / f"media/audio/bird_{number}.flac", whistle(number))
    return folder


def drawing(number: int, kind: str, size: tuple[int, int] = (240, 160)) -> bytes:
    """A bird, more or less, in colours of its own."""
    rng = np.random.default_rng(number)
    sky, body, wing = (tuple(rng.integers(40, 230, 3).tolist()) for _ in range(3))
    picture = Image.new("RGB", size, sky)
    pen = ImageDraw.Draw(picture)
    pen.ellipse((60, 50, 180, 120), body)
    pen.polygon([(90, 60), (150, 60), (100, 10 + number % 20)], wing)
    pen.ellipse((160, 40, 200, 75), body)
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


def whistle(number: int, rate: int = 22_050) -> bytes:
    time = np.arange(rate) / rate
    pitch = 2000 + 500 * number + 800 * np.sin(2 * np.pi * (2 + number % 3) * time)
    sound = 0.4 * np.sin(2 * np.pi * np.cumsum(pitch) / rate) * np.hanning(rate)
    file = io.BytesIO()
    soundfile.write(file, sound, rate, format="FLAC")
    return file.getvalue()


def ids() -> dict[Medium, np.ndarray]:
    return {m: np.array([item_id(m, n) for n in range(COUNT)]) for m in MEDIA}


def embeddings() -> dict[Medium, np.ndarray]:
    found = {}
    for medium in MEDIA:
        angles = np.radians([angle(medium, n) for n in range(COUNT)])
        found[medium] = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    return found


def write_run(folder: Path, **content: object) -> Path:
    """A run's folder with a submission alone, of one space unless ``content`` says otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    given = content or {"embeddings": embeddings()}
    meta = {"method": "Angles <i>"}
    write_submission(folder / "submission.npz", ids=ids(), meta=meta, **given)
    return folder
