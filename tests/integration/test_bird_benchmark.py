"""The ten real classes as a benchmark: published counts and splits, and no group on both sides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("openpyxl", reason="openpyxl reads the real sentences")

from integration.bird_benchmark import Texts, count_recordings, write_birds

from fgbench.dataset.schema import Split
from fgbench.media.preset import PAPER
from fgbench.protocol import Medium
from fgbench.train.source import dataset

IMAGES = {Split.TRAIN: 300, Split.TEST: 243}
"""Of classes 1-10, by the split that CUB-200-2011 publishes."""


@pytest.mark.parametrize("texts", Texts)
@pytest.mark.parametrize("held_out", [False, True])
def test_sides_share_no_group_and_no_sentence(
    real_data: Path, tmp_path: Path, texts: Texts, held_out: bool
) -> None:
    birds = write_birds(real_data, tmp_path / "birds", texts, held_out=held_out)
    for items in birds.items.values():
        groups, classes = (
            {side: {of(i) for i in items if i.split is side} for side in Split}
            for of in (lambda item: item.group, lambda item: item.label)
        )
        assert not groups[Split.TRAIN] & groups[Split.TEST]
        assert classes[Split.TRAIN] == classes[Split.TEST] == set(range(1, 11))
    if texts is Texts.WIKIPEDIA:
        contents = [item.content for item in birds.items[Medium.TEXT]]
        assert len(set(contents)) == len(contents)


def test_images_have_the_published_split(real_data: Path, tmp_path: Path) -> None:
    birds = write_birds(real_data, tmp_path / "birds")
    counts = birds.counts()
    assert {side: counts[Medium.IMAGE, side] for side in Split} == IMAGES


def test_held_out_items_are_training_items(real_data: Path, tmp_path: Path) -> None:
    whole = write_birds(real_data, tmp_path / "whole")
    held = write_birds(real_data, tmp_path / "held", held_out=True)
    for medium, items in held.items.items():
        training = {i.item_id for i in whole.items[medium] if i.split is Split.TRAIN}
        assert {i.item_id for i in items} == training


def test_the_trainer_takes_it(real_data: Path, tmp_path: Path) -> None:
    birds = write_birds(real_data, tmp_path / "birds")
    data = dataset(birds.benchmark, None, birds.media_root, preset=PAPER.at_side(64))
    image, text = (data.train[medium].inputs.take(np.arange(2)) for medium in data.media)
    assert image.shape == (2, 3, 64, 64)
    assert text.shape == (2, 448)


def test_no_recording_is_of_a_class_with_images(real_data: Path) -> None:
    assert count_recordings(real_data) == (0, 18)
