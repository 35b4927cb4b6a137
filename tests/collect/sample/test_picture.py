"""The drawn photographs: as large as asked, the same again, and marked for what they are."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from fgbench.collect.sample.figure import plumages
from fgbench.collect.sample.picture import draw_picture

GULL, WARBLER = plumages()[64], plumages()[171]


def picture(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


@pytest.mark.parametrize("size", [(500, 375), (180, 136), (120, 500), (500, 100)])
@pytest.mark.parametrize("bird", [GULL, WARBLER], ids=["gull", "warbler"])
def test_a_picture_has_the_size_that_was_asked_for(bird, size: tuple[int, int]) -> None:
    for seed in range(6):
        drawn = picture(draw_picture(bird, size, np.random.default_rng(seed)))
        assert (drawn.format, drawn.mode, drawn.size) == ("JPEG", "RGB", size)


def test_equal_draws_give_equal_bytes_and_others_do_not() -> None:
    first, again, other = (
        draw_picture(GULL, (200, 150), np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_every_picture_says_that_it_is_synthetic() -> None:
    drawn = [
        picture(draw_picture(bird, (300, 200), np.random.default_rng(seed)))
        for bird in (GULL, WARBLER)
        for seed in range(3)
    ]
    assert all(image.info["comment"].startswith(b"synthetic") for image in drawn)
    words = [np.asarray(image.crop((0, 188, 40, 200)).convert("L"), float) for image in drawn]
    for word in words:
        assert np.abs(word - words[0]).mean() < 12
        assert word.min() < 60
        assert word.max() > 200
