"""What videos and pictures are made of: numbered frames, a real ffmpeg, images of CUB's sizes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pyarrow.parquet as pq
from PIL import Image

BITS, SIDE = 12, 16
WIDTH, HEIGHT = BITS * SIDE, 2 * SIDE
MANIFESTS = Path(__file__).parents[3] / "manifests"

Movie = Callable[..., Path]


def ffmpeg(*arguments: str, data: bytes | None = None) -> None:
    """Runs ffmpeg; ``data`` goes to its standard input."""
    quiet = ("-y", "-loglevel", "error", *(() if data is not None else ("-nostdin",)))
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *quiet, *arguments], input=data, check=True)


def numbered(number: int) -> bytes:
    """A grey picture of a row of squares: the bits of the number, white and black."""
    bits = [(number >> bit) & 1 for bit in range(BITS)]
    row = np.repeat(np.array(bits, dtype=np.uint8) * 255, SIDE)
    return np.tile(row, (HEIGHT, 1)).tobytes()


def number_of(jpeg: bytes) -> int:
    """Which frame a picture shows."""
    grey = np.asarray(Image.open(BytesIO(jpeg)).convert("L"))
    middles = grey[HEIGHT // 2, SIDE // 2 :: SIDE]
    return sum(1 << bit for bit, value in enumerate(middles) if value > 127)


def cub_list(label: int) -> list[dict]:
    """The official images of a class, read here without fgbench."""
    table = pq.read_table(MANIFESTS / "fgxmedia-2019" / "image.parquet").to_pylist()
    return [item for item in table if item["label"] == label]


def draw(width: int, height: int, seed: int) -> bytes:
    """A JPEG of noise and slopes."""
    noise = np.random.default_rng(seed).integers(0, 80, (height, width, 3), dtype=np.uint8)
    slope = np.linspace(0, 170, width, dtype=np.uint8)[None, :, None]
    buffer = BytesIO()
    Image.fromarray(noise + slope).save(buffer, "JPEG", quality=60)
    return buffer.getvalue()


def fill(folder: Path, labels: Iterable[int]) -> Path:
    """Class folders with a drawn picture of the right size for every listed image."""
    for label in labels:
        for item in cub_list(label):
            path = folder / item["item_id"].removeprefix("image/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(draw(item["width"], item["height"], item["cub_image_id"]))
    return folder
