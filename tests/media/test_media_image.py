"""Pictures: which pixels a network sees, and files that are no pictures."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fgbench.errors import FaultyInput
from fgbench.media import source
from fgbench.media.image import MEAN, MOST_PIXELS, STD, frame, load_image, normalise, open_image
from fgbench.media.item import MediaItem, attempt
from fgbench.media.preset import PAPER, RELEASED, ImageRule
from fgbench.protocol import Medium


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(pixels)


def save(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def resize_slowly(pixels: np.ndarray, size: int, axis: int) -> np.ndarray:
    """The triangle filter by its definition: as wide as a step where it shrinks, else one pixel."""
    lines = np.moveaxis(pixels.astype(float), axis, 0)
    step = len(lines) / size
    reach = max(step, 1.0)
    out = []
    for place in range(size):
        centre = (place + 0.5) * step
        weights = [max(0.0, 1 - abs(at + 0.5 - centre) / reach) for at in range(len(lines))]
        out.append(sum(w * line for w, line in zip(weights, lines, strict=True)) / sum(weights))
    return np.moveaxis(np.array(out), 0, axis)


@pytest.mark.parametrize("size", [(40, 30), (9, 60), (24, 24), (1, 1)], ids=str)
def test_resizes_by_a_triangle_and_takes_the_middle(size: tuple[int, int]) -> None:
    picture = noise(*size)
    slow = resize_slowly(resize_slowly(np.asarray(picture), 24, 1), 24, 0)[4:20, 4:20]
    fast = frame(picture, ImageRule(resize=24, crop=16))
    assert fast.shape == (3, 16, 16)
    assert np.abs(fast.transpose(1, 2, 0) - slow).max() < 1.5  # two roundings to bytes


def test_both_presets_resize_to_512_and_crop_448() -> None:
    picture = noise(500, 333)
    whole = picture.resize((512, 512), Image.Resampling.BILINEAR).crop((32, 32, 480, 480))
    for preset in (PAPER, RELEASED):
        found = frame(picture, preset.image)
        assert found.dtype == np.uint8
        assert found.flags.c_contiguous
        assert np.array_equal(found, np.asarray(whole).transpose(2, 0, 1))


@given(st.integers(2, 600))
def test_a_preset_at_another_side_keeps_its_proportions(side: int) -> None:
    for preset in (PAPER, RELEASED):
        small = preset.at_side(side)
        assert small.image.crop == small.audio.framing.crop == side
        assert abs(small.image.resize - side * 512 / 448) <= 0.5
        assert small.text == preset.text
        assert preset.at_side(448) == preset


def test_augmentation_is_some_crop_mirrored_or_not() -> None:
    rule = ImageRule(resize=20, crop=16, augment=True)
    picture = noise(30, 30)
    whole = np.asarray(picture.resize((20, 20), Image.Resampling.BILINEAR)).transpose(2, 0, 1)
    crops = {
        whole[:, top : top + 16, left : left + 16][:, :, ::step].tobytes(): (top, left, step)
        for top in range(5)
        for left in range(5)
        for step in (1, -1)
    }
    rng = np.random.default_rng(3)
    seen = {crops[frame(picture, rule, rng).tobytes()] for _ in range(1000)}
    assert seen == set(crops.values())
    assert crops[frame(picture, rule).tobytes()] == (2, 2, 1)


def test_without_a_rule_that_augments_nothing_is_drawn() -> None:
    rng = np.random.default_rng(0)
    assert np.array_equal(frame(noise(9, 9), PAPER.image, rng), frame(noise(9, 9), PAPER.image))
    assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state


def test_normalised_by_its_formula() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (2, 3, 4, 5), np.uint8)
    found = normalise(pixels)
    assert found.dtype == np.float32
    for place in np.ndindex(pixels.shape):
        colour = place[1]
        expected = (pixels[place] / 255 - float(MEAN[colour])) / float(STD[colour])
        assert found[place] == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "LA", "CMYK", "I;16"])
def test_any_mode_becomes_three_colours(mode: str, tmp_path: Path) -> None:
    grey = noise(20, 10).convert("L")
    picture = Image.new("I;16", (20, 10), 9) if mode == "I;16" else grey.convert(mode)
    path = tmp_path / "picture"
    path.write_bytes(save(picture, "TIFF"))
    assert load_image(path, ImageRule(resize=8, crop=6)).shape == (3, 6, 6)


class TestFaults:
    def code(self, path: Path) -> str:
        with pytest.raises(FaultyInput) as caught:
            open_image(path)
        (fault,) = caught.value.faults
        assert str(path) in fault.where
        assert fault.fix
        assert "0x" not in fault.found
        return fault.code

    @pytest.mark.parametrize(
        "content",
        [b"", b"<html>not found</html>", save(noise(90, 90))[:2000], save(noise(9, 9), "PNG")[:90],
         b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"],
        ids=["empty", "html", "half a JPEG", "half a PNG", "a PNG's head", "a JPEG's head"],
    )  # fmt: skip
    def test_no_whole_picture(self, content: bytes, tmp_path: Path) -> None:
        path = tmp_path / "a.jpg"
        path.write_bytes(content)
        assert self.code(path) == "FG-M002"

    @pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
    @pytest.mark.parametrize("side", [int(MOST_PIXELS**0.5) + 1, 2**31 - 1])
    def test_a_picture_that_claims_too_much(self, side: int, tmp_path: Path) -> None:
        head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        chunk = b"IHDR" + head
        content = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk
        path = tmp_path / "a.png"
        path.write_bytes(
            content + struct.pack(">I", zlib.crc32(chunk)) + save(noise(2, 2), "PNG")[33:]
        )
        assert self.code(path) == "FG-M003"

    def test_no_file(self, tmp_path: Path) -> None:
        assert self.code(tmp_path / "a.jpg") == "FG-M001"
        assert self.code(tmp_path) == "FG-M001"
        assert self.code(Path("/dev/zero")) == "FG-M001"
        assert self.code(tmp_path / "a\0b") == "FG-M001"
        assert self.code(tmp_path / ("a" * 300)) == "FG-M001"

    def test_a_file_that_is_too_large(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(source, "MOST_BYTES", 10)
        path = tmp_path / "a.jpg"
        path.write_bytes(save(noise(9, 9)))
        assert self.code(path) == "FG-M001"

    def test_random_damage_is_a_fault_or_a_picture(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(5)
        whole = save(noise(60, 40))
        path = tmp_path / "a.jpg"
        for _ in range(200):
            content = np.frombuffer(whole, np.uint8).copy()
            places = rng.integers(0, len(content), 12)
            content[places] = rng.integers(0, 256, 12)
            path.write_bytes(content[: rng.integers(1, len(content) + 1)].tobytes())
            outcome = attempt(self.mode, MediaItem("image/1", Medium.IMAGE, path))
            assert outcome == "RGB" or outcome.code in {"FG-M002", "FG-M003"}

    def mode(self, item: MediaItem) -> str:
        return open_image(item.path).mode


def test_real_photographs(real_data: Path) -> None:
    paths = sorted((real_data / "images" / "cub_10classes").rglob("*.jpg"))[::15]
    assert len(paths) > 30
    for path in paths:
        found = normalise(load_image(path, PAPER.image))
        assert found.shape == (3, 448, 448)
        assert np.isfinite(found).all()
        assert found.min() >= -2.2
        assert found.max() <= 2.7
        assert found.std() > 0.1
