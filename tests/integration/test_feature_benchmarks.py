"""The two sets of real features as benchmarks: what is trained on is what was published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from integration.feature_benchmarks import read_digits, read_wikipedia, write_benchmark

from fgbench.protocol import Medium
from fgbench.train.dataset import Dataset
from fgbench.train.source import dataset, hold_out

SIZES = {"wikipedia": (2173, 693), "digits": (1500, 500)}
WIDTHS = {
    "wikipedia": {Medium.IMAGE: 128, Medium.TEXT: 10},
    "digits": {Medium.IMAGE: 76, Medium.TEXT: 64, Medium.VIDEO: 240},
}


@pytest.fixture(scope="module", params=SIZES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def data(name: str, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    written = write_benchmark(name, real_data, tmp_path_factory.mktemp(name))
    return dataset(written.benchmark, written.features)


def test_sizes_and_widths(name: str, data: Dataset) -> None:
    assert data.classes == 10
    assert {m: items.inputs.shape for m, items in data.train.items()} == {
        medium: (width,) for medium, width in WIDTHS[name].items()
    }
    for medium in data.media:
        assert (len(data.train[medium]), len(data.test[medium])) == SIZES[name]


def test_rows_and_classes_are_those_of_the_source(
    name: str, data: Dataset, real_data: Path
) -> None:
    source = {"wikipedia": read_wikipedia, "digits": read_digits}[name](real_data)
    for side, items_of in (("train", data.train), ("test", data.test)):
        for medium, rows in source[side].rows.items():
            taken = items_of[medium].inputs.take(np.arange(len(rows)))
            assert (taken == rows.astype(np.float32)).all()
            assert (items_of[medium].labels == source[side].labels - 1).all()


def test_two_views_of_a_digit_stand_at_one_position(real_data: Path, tmp_path: Path) -> None:
    """Karhunen-Loève coefficients are linear in the pixels: their correlation is nearly 1."""
    written = write_benchmark("digits", real_data, tmp_path)
    test = dataset(written.benchmark, written.features).test
    text, video = (test[m].inputs.take(np.arange(500)) for m in (Medium.TEXT, Medium.VIDEO))
    pixels = np.c_[video, np.ones(500)].astype(float)
    weights = np.linalg.lstsq(pixels, text[:, 0], rcond=None)[0]
    assert np.corrcoef(pixels @ weights, text[:, 0])[0, 1] > 0.99


def test_held_out_items_are_of_training(data: Dataset) -> None:
    held = hold_out(data, 0.2)
    for medium in data.media:
        train = set(data.train[medium].ids.tolist())
        kept, out = (set(side[medium].ids.tolist()) for side in (held.train, held.test))
        assert kept | out == train
        assert not kept & out
        assert len(out) / len(train) == pytest.approx(0.2, abs=0.002)
