"""Inputs: rows of features, media decoded when they are taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_media import write_small_media

from fgbench.errors import FaultyInput
from fgbench.media.item import MediaItem, load
from fgbench.media.listing import read_listing
from fgbench.media.preset import PAPER
from fgbench.protocol import MEDIA, Medium
from fgbench.train.inputs import FeatureInputs, MediaInputs, Part

PRESET = PAPER.at_side(32)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[Medium, MediaInputs]:
    listing = read_listing(write_small_media(tmp_path_factory.mktemp("inputs") / "build"))
    return {m: MediaInputs(listing.train[m].items, m, PRESET) for m in MEDIA}


def test_features_are_rows() -> None:
    rows = np.arange(12, dtype=np.float32).reshape(4, 3)
    inputs = FeatureInputs(rows)
    assert (inputs.shape, len(inputs)) == ((3,), 4)
    assert inputs.take(np.array([2, 0, 2])).tolist() == rows[[2, 0, 2]].tolist()
    assert (inputs.take(np.array([1]), np.random.default_rng(0)) == rows[[1]]).all()


def test_a_part_counts_its_own_places() -> None:
    part = Part(FeatureInputs(np.arange(5, dtype=np.float32)[:, None]), np.array([4, 1, 3]))
    assert (part.shape, len(part)) == ((1,), 3)
    assert part.take(np.array([2, 0])).tolist() == [[3], [4]]


@pytest.mark.parametrize("medium", MEDIA)
def test_media_have_the_shape_that_is_said(medium: Medium, inputs) -> None:
    whole = inputs[medium].take(np.array([0, 4]))
    assert whole.shape == (2, *inputs[medium].shape)
    assert whole.dtype == (np.int64 if medium is Medium.TEXT else np.uint8)
    assert (whole[1] == inputs[medium].take(np.array([4]))[0]).all()


@pytest.mark.parametrize("medium", [Medium.IMAGE, Medium.AUDIO, Medium.TEXT])
def test_taken_media_are_what_loading_gives(medium: Medium, inputs) -> None:
    places = np.array([1, 3])
    expected = [load(inputs[medium].items[place], PRESET) for place in places]
    assert (inputs[medium].take(places) == np.stack(expected)).all()


def test_a_short_video_repeats_its_frames_evenly(inputs) -> None:
    frames = load(inputs[Medium.VIDEO].items[0], PRESET)
    assert len(frames) == 2
    (whole,) = inputs[Medium.VIDEO].take(np.array([0]))
    is_first = (whole == frames[0]).all(axis=(1, 2, 3))
    is_second = (whole == frames[1]).all(axis=(1, 2, 3))
    assert (is_first ^ is_second).all()
    assert is_first.sum() in (12, 13)
    assert is_first[: is_first.sum()].all()  # in order


def test_in_training_a_video_is_one_of_its_frames_each_as_likely(inputs) -> None:
    frames = load(inputs[Medium.VIDEO].items[2], PRESET)
    drawn = inputs[Medium.VIDEO].take(np.full(200, 2), np.random.default_rng(0))
    assert drawn.shape == (200, 3, 32, 32)
    counts = [(drawn == frame).all(axis=(1, 2, 3)).sum() for frame in frames]
    assert sum(counts) == 200
    assert min(counts) > 70  # 4 deviations below 100


def test_equal_generators_draw_equally(inputs) -> None:
    for medium in (Medium.VIDEO, Medium.TEXT):
        one, other = (
            inputs[medium].take(np.arange(6), np.random.default_rng(seed)) for seed in (5, 5)
        )
        assert (one == other).all()
        assert (one != inputs[medium].take(np.arange(6), np.random.default_rng(6))).any()


def test_all_items_that_cannot_be_taken_are_named(tmp_path: Path, inputs) -> None:
    items = [
        *inputs[Medium.IMAGE].items[:1],
        MediaItem("image/lost", Medium.IMAGE, tmp_path / "lost.jpg"),
        MediaItem("image/pointer", Medium.IMAGE),
    ]
    broken = MediaInputs(items, Medium.IMAGE, PRESET)
    assert len(broken.take(np.array([0, 0]))) == 2
    with pytest.raises(FaultyInput) as error:
        broken.take(np.array([1, 0, 2]))
    assert [fault.where.split()[0] for fault in error.value.faults] == [
        "image/lost",
        "image/pointer",
    ]


@pytest.mark.parametrize("rng", [None, np.random.default_rng(0)])
def test_a_video_that_is_a_pointer_or_lost_is_named(tmp_path: Path, rng) -> None:
    items = [
        MediaItem("video/pointer", Medium.VIDEO),
        MediaItem("video/lost", Medium.VIDEO, tmp_path / "lost.mp4"),
    ]
    with pytest.raises(FaultyInput) as error:
        MediaInputs(items, Medium.VIDEO, PRESET).take(np.array([0, 1]), rng)
    assert [fault.code for fault in error.value.faults] == ["FG-M001", "FG-M001"]
