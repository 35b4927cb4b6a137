"""A benchmark of a few classes in four media, drawn here, with its files: a few kilobytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
from PIL import Image

from fgbench.protocol import MEDIA, Medium

LABELS = (3, 7)
TRAIN, TEST = 3, 2
"""Items of a class and medium on each side of the split."""
TEXTS = {3: "the owl hoots at night", 7: "a gull cries by the sea", 11: "wrens sing in a hedge"}


def write_small_media(
    folder: Path, media: tuple[Medium, ...] = MEDIA, labels: tuple[int, ...] = LABELS
) -> Path:
    """Write ``folder/manifests`` and ``folder/media``; returns ``folder``."""
    manifests = folder / "manifests"
    manifests.mkdir(parents=True)
    (manifests / "benchmark.json").write_text('{"id": "small"}')
    for medium in media:
        rows = [
            _row(folder, medium, label, number)
            for label in labels
            for number in range(TRAIN + TEST)
        ]
        pq.write_table(pa.Table.from_pylist(rows), manifests / f"{medium}.parquet")
    return folder


def _row(folder: Path, medium: Medium, label: int, number: int) -> dict[str, object]:
    row: dict[str, object] = {
        "item_id": f"{medium}/{label}/{number}",
        "medium": str(medium),
        "label": label,
        "split": "train" if number < TRAIN else "test",
    }
    if medium is Medium.TEXT:
        return row | {"text": f"{TEXTS[label]} word{'abcde'[number]}"}
    path = Path("media") / medium / f"{label}-{number}"
    rng = np.random.default_rng([label, number, MEDIA.index(medium)])
    match medium:
        case Medium.AUDIO:
            path = path.with_suffix(".wav")
            whistle = np.sin(2 * np.pi * 300 * label * np.arange(4000) / 22_050)
            _parent(folder / path)
            soundfile.write(folder / path, whistle / 2 + rng.normal(size=4000) / 50, 22_050)
        case Medium.IMAGE:
            path = path.with_suffix(".png")
            _draw(folder / path, label, rng)
        case _:  # a folder of two frames
            for frame in (1, 2):
                _draw(folder / path / f"{frame:02}.png", label, rng)
    return row | {"path": path.as_posix()}


def _draw(path: Path, label: int, rng: np.random.Generator) -> None:
    _parent(path)
    pixels = rng.integers(0, 60, (40, 50, 3)) + np.array([20 * label, 0, 0])
    Image.fromarray(pixels.astype(np.uint8)).save(path)


def _parent(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
