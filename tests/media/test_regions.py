"""Regions of images: what may be said, the cells of a grid, and histograms of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fgbench.errors import InputError
from fgbench.media.histograms import CELL_SIDE, Histograms, describe
from fgbench.media.item import MediaItem
from fgbench.media.preset import PAPER
from fgbench.media.regions import Detections, Grid, load_small, parse_regions
from fgbench.protocol import Medium


@pytest.fixture
def image(tmp_path: Path) -> MediaItem:
    pixels = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "1.png")
    return MediaItem("image/1", Medium.IMAGE, tmp_path / "1.png")


def test_regions_are_said_in_words() -> None:
    assert parse_regions("grid:6x6", None, 36) == Grid(6)
    assert str(Grid(6)) == "grid:6x6"
    name = "fasterrcnn_resnet50_fpn_v2"
    assert parse_regions(f"detector:{name}", "coco", 20) == Detections(name, "coco", 20)


@pytest.mark.parametrize(
    "text", ["grid", "grid:0x0", "grid:3x4", "grid:29x29", "grid:66", "detector:", "detector:a b"]
)
def test_others_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="FG-F076"):
        parse_regions(text, "none", 36)


def test_a_detector_wants_weights() -> None:
    with pytest.raises(InputError, match=r"FG-F076.*detector-weights"):
        parse_regions("detector:fasterrcnn_resnet50_fpn_v2", None, 36)


def test_cells_cover_the_picture_row_by_row() -> None:
    assert Grid(2).boxes.tolist() == [
        [0, 0, 0.5, 0.5],
        [0.5, 0, 0.5, 0.5],
        [0, 0.5, 0.5, 0.5],
        [0.5, 0.5, 0.5, 0.5],
    ]
    assert Grid(7).boxes[:, 2:].prod(axis=1).sum() == pytest.approx(1)


def test_histograms_of_cells_are_those_of_the_pictures_cut_out(image: MediaItem) -> None:
    (plain,), (found,) = Histograms()([image]), Histograms(Grid(3))([image])
    assert (found.vector == plain.vector).all()
    assert plain.parts is None
    pixels = np.asarray(Image.open(image.path)).transpose(2, 0, 1)  # 96 = 3 × CELL_SIDE
    for cell, box in zip(found.parts, found.boxes, strict=True):
        left, top = np.rint(box[:2] * 96).astype(int)
        cut = pixels[:, top : top + CELL_SIDE, left : left + CELL_SIDE]
        assert cell == pytest.approx(describe(cut), abs=1e-6)


def test_frames_are_the_parts_of_a_video(image: MediaItem) -> None:
    folder = image.path.parent
    Image.new("RGB", (9, 9), (200, 30, 30)).save(folder / "2.png")
    items = [MediaItem(n, Medium.IMAGE, folder / n) for n in ("1.png", "2.png")]
    frames = [one.vector for one in Histograms()(items)]
    (video,) = Histograms(Grid(3))([MediaItem("video/1", Medium.VIDEO, folder)])
    assert video.parts == pytest.approx(np.stack(frames))
    assert video.boxes is None
    assert video.picture is None


def test_the_small_picture_is_framed_as_the_papers(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8)[:, None], (1, 256))  # light falls downwards
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    found = load_small(MediaItem("image/1", Medium.IMAGE, tmp_path / "ramp.png"))
    assert (found.shape, found.dtype) == ((3, 64, 64), np.uint8)
    edge = (PAPER.image.resize - PAPER.image.crop) / 2 / PAPER.image.resize
    expected = 256 * (edge + (1 - 2 * edge) * (np.arange(64) + 0.5) / 64)
    assert found[0, :, 10].astype(float) == pytest.approx(expected, abs=4)


def test_the_fingerprint_tells_grids_apart() -> None:
    prints = {Histograms(grid).fingerprint for grid in (None, Grid(3), Grid(6))}
    assert len(prints) == 3
