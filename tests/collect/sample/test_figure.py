"""The drawn birds: whose marks they are, and what a pose changes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from fgbench.collect.sample import CUB_IDS
from fgbench.collect.sample.figure import Plumage, Pose, draw_figure, plumages
from fgbench.collect.sample.picture import BACKDROPS
from fgbench.collect.sample.prose import birds

BIRDS = [pytest.param(plumages()[bird.cub_id], id=bird.code) for bird in birds()]


def colour(figure: Image.Image) -> np.ndarray:
    """The mean of what is drawn."""
    pixels = np.asarray(figure, dtype=float)
    return pixels[pixels[..., 3] == 255][:, :3].mean(axis=0)


def test_every_bird_of_the_world_has_a_plumage() -> None:
    assert tuple(plumages()) == CUB_IDS
    for bird in plumages().values():
        assert bird.backdrops
        assert set(bird.backdrops) <= set(BACKDROPS)


def test_look_alikes_are_of_one_shape() -> None:
    by_name = {bird.name: plumages()[bird.cub_id] for bird in birds()}

    def shape(bird: Plumage) -> np.ndarray:
        lengths = (bird.depth, bird.head_size, bird.bill_length, bird.leg, bird.tail_length)
        return np.array([*lengths, bird.fork, bird.wing_length])

    for bird in birds():
        mine = by_name.pop(bird.name)
        nearest = min(by_name, key=lambda n: np.abs(shape(by_name[n]) - shape(mine)).sum())
        assert nearest == bird.kin
        by_name[bird.name] = mine


def test_no_two_species_look_the_same() -> None:
    figures = {draw_figure(bird, Pose(), 100).tobytes() for bird in plumages().values()}
    assert len(figures) == len(CUB_IDS)


@pytest.mark.parametrize("bird", BIRDS)
@pytest.mark.parametrize("pose", [Pose(), Pose(lift=20, stands=False), Pose(tilt=20, nod=8)])
def test_a_figure_is_whole_and_turns_round(bird: Plumage, pose: Pose) -> None:
    right = draw_figure(bird, pose, 100)
    left = draw_figure(bird, Pose(pose.lift, pose.stands, pose.tilt, pose.nod, left=True), 100)
    assert 100 < right.width < 240
    assert abs(left.width - right.width) <= 1
    assert abs(left.height - right.height) <= 1

    def apart(figure: Image.Image) -> float:
        difference = np.asarray(figure.resize(right.size), float) - np.asarray(right, float)
        return float(np.abs(difference).mean())

    assert apart(ImageOps.mirror(left)) < apart(left) / 3


@pytest.mark.parametrize("bird", BIRDS)
def test_no_pose_is_cut_off(bird: Plumage) -> None:
    for lift in range(0, 121, 20):
        for tilt in (-14, 30):
            pose = Pose(lift=lift, tilt=tilt)
            small, large = draw_figure(bird, pose, 50), draw_figure(bird, pose, 100)
            assert max(large.size) < 335
            assert large.width / small.width == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize("bird", BIRDS)
def test_legs_are_there_where_it_stands(bird: Plumage) -> None:
    standing, floating = (draw_figure(bird, Pose(stands=s), 100) for s in (True, False))
    assert standing.height - floating.height == pytest.approx(bird.leg, abs=3)


@pytest.mark.parametrize("bird", BIRDS)
def test_the_young_are_browner(bird: Plumage) -> None:
    ages = [colour(draw_figure(bird, Pose(young=young), 100)) for young in (0, 0.4, 0.8)]
    apart = [np.abs(age - (0x8A, 0x74, 0x5C)).sum() for age in ages]
    assert apart == sorted(apart, reverse=True)
