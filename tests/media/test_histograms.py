"""Histograms of pictures against a slow and obvious form."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fgbench.errors import Fault
from fgbench.media.histograms import WIDTH, Histograms, describe
from fgbench.media.item import MediaItem
from fgbench.protocol import Medium


def slow_colours(pixels: np.ndarray) -> list[float]:
    counts = [0.0] * 64
    for red, green, blue in pixels.reshape(3, -1).T.tolist():
        counts[(red // 64) * 16 + (green // 64) * 4 + blue // 64] += 1
    return [math.sqrt(count / sum(counts)) for count in counts]


def slow_edges(pixels: np.ndarray) -> list[float]:
    """Inner pixels only: the tests' pictures are flat at their rims."""
    grey = (0.299 * pixels[0] + 0.587 * pixels[1] + 0.114 * pixels[2]).tolist()
    side, counts = len(grey), [0.0] * 128
    for y in range(1, side - 1):
        for x in range(1, side - 1):
            down = (grey[y + 1][x] - grey[y - 1][x]) / 2
            right = (grey[y][x + 1] - grey[y][x - 1]) / 2
            degrees = math.degrees(math.atan2(down, right)) % 180
            sector = round(degrees / 22.5) % 8
            counts[(y * 4 // side * 4 + x * 4 // side) * 8 + sector] += math.hypot(down, right)
    return [math.sqrt(count / sum(counts)) for count in counts]


def test_a_picture_equals_the_slow_form() -> None:
    pixels = np.full((3, 32, 32), 200, np.uint8)
    pixels[:, 3:-3, 3:-3] = np.random.default_rng(0).integers(0, 256, (3, 26, 26))
    found = describe(pixels)
    assert found.shape == (WIDTH,) == (256,)
    assert found.dtype == np.float32
    assert found[:64] == pytest.approx(slow_colours(pixels), abs=1e-6)
    assert found[64:128] == pytest.approx(slow_colours(pixels[:, 8:24, 8:24]), abs=1e-6)
    assert found[128:] == pytest.approx(slow_edges(pixels), abs=1e-5)


def test_one_colour_has_no_edge() -> None:
    found = describe(np.full((3, 32, 32), 77, np.uint8))
    assert np.flatnonzero(found).tolist() == [21, 64 + 21]  # 1 * 16 + 1 * 4 + 1


def test_a_video_is_the_mean_of_its_frames(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "clip").mkdir()
    for name in ("1.png", "2.png"):
        pixels = rng.integers(0, 256, (60, 80, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "clip" / name)
    one, other = Histograms()(
        [MediaItem(n, Medium.IMAGE, tmp_path / "clip" / n) for n in ("1.png", "2.png")]
    )
    (video,) = Histograms()([MediaItem("v", Medium.VIDEO, tmp_path / "clip")])
    assert video.vector == pytest.approx((one.vector + other.vector) / 2, abs=1e-7)


def test_a_broken_picture_is_a_fault_beside_the_others(tmp_path: Path) -> None:
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:40])
    items = [MediaItem(n, Medium.IMAGE, tmp_path / n) for n in ("a.png", "b.png")]
    whole, broken = Histograms()(items)
    assert not isinstance(whole, Fault)
    assert isinstance(broken, Fault)
    assert broken.code == "FG-M002"
    assert broken.where.startswith("b.png (")
