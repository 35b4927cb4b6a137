"""The drawn clips: so many frames, moving, the same again, and marked for what they are."""

from __future__ import annotations

from io import BytesIO

import av
import numpy as np
import pytest

from fgbench.collect.sample.clip import SIZE, draw_clip
from fgbench.collect.sample.figure import plumages

TERN, WARBLER = plumages()[141], plumages()[171]


def decode(content: bytes) -> tuple[list[np.ndarray], dict[str, str]]:
    with av.open(BytesIO(content)) as movie:
        frames = [frame.to_ndarray(format="rgb24") for frame in movie.decode(video=0)]
        return frames, dict(movie.metadata)


@pytest.mark.parametrize("frames", [1, 9, 26, 48])
def test_a_clip_has_the_frames_that_were_asked_for(frames: int) -> None:
    found, _ = decode(draw_clip(TERN, frames, np.random.default_rng(0)))
    assert len(found) == frames
    assert {frame.shape for frame in found} == {(SIZE[1], SIZE[0], 3)}


@pytest.mark.parametrize("bird", [TERN, WARBLER], ids=["tern", "warbler"])
def test_the_bird_moves_and_what_is_behind_it_does_not(bird) -> None:
    for seed in range(4):
        frames, _ = decode(draw_clip(bird, 24, np.random.default_rng(seed)))
        change = np.abs(np.diff(np.array(frames, float), axis=0)).mean(axis=-1)
        assert (change.max(axis=(1, 2)) > 60).all()
        assert np.median(change) < 3


def test_equal_draws_give_equal_bytes_and_others_do_not() -> None:
    first, again, other = (draw_clip(TERN, 12, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_every_clip_says_that_it_is_synthetic() -> None:
    words = []
    for bird in (TERN, WARBLER):
        frames, metadata = decode(draw_clip(bird, 5, np.random.default_rng(3)))
        assert metadata["comment"].startswith("synthetic")
        words += [frame[108:, :40].astype(float) for frame in frames]
    for word in words:
        assert np.abs(word - words[0]).mean() < 12
        assert word.min() < 60
        assert word.max() > 200
