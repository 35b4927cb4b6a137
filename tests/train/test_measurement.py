"""Means over seeds: of one run its record's numbers, of two what they should be."""

from __future__ import annotations

import numpy as np
import pytest

from fgbench import benchmark as benchmarks
from fgbench import score
from fgbench.protocol import MEDIA, bimodal_tasks, multimodal_tasks
from fgbench.submission.writer import write_submission
from fgbench.train.measurement import measure

MEANS = {
    "twelve": tuple(task.code for task in bimodal_tasks()),
    "all": tuple(task.code for task in multimodal_tasks()),
}


@pytest.fixture(scope="module")
def ground():
    labels = np.repeat(np.arange(4), 3)
    ids = {m: np.array([f"{m}/{n}" for n in range(len(labels))]) for m in MEDIA}
    items = {m: benchmarks.Items(ids[m], labels) for m in MEDIA}
    return benchmarks.Benchmark("toy", "Toy", items, "split")


@pytest.fixture(scope="module")
def results(ground, tmp_path_factory):
    found = []
    for seed in range(2):
        rng, path = np.random.default_rng(seed), tmp_path_factory.mktemp("runs") / "s.npz"
        rows = {m: rng.normal(size=(12, 5)).astype(np.float32) for m in MEDIA}
        write_submission(path, ids={m: ground.items[m].ids for m in MEDIA}, embeddings=rows)
        found.append(score(path, ground))
    return found


def test_one_run_has_its_records_numbers(ground, results):
    measures, record = measure(results[:1], ground, MEANS), results[0].record
    for task, found in record.scores.items():
        included = found.map_self_included is not None
        assert measures[task].map == (found.map_self_included if included else found.map)
        assert measures[task].ci95 == (found.ci95_self_included if included else found.ci95)
        assert measures[task].spread is None
    bimodal, multimodal = record.means["bimodal"], record.means["multimodal"]
    assert measures["twelve"].map == pytest.approx(bimodal.map, abs=1e-12)
    assert measures["twelve"].ci95 == pytest.approx(bimodal.ci95, abs=1e-12)
    assert measures["all"].map == pytest.approx(multimodal.map_self_included, abs=1e-12)
    assert measures["all"].ci95 == pytest.approx(multimodal.ci95_self_included, abs=1e-12)


def test_two_runs_are_averaged_and_their_spread_is_said(ground, results):
    measures = measure(results, ground, MEANS)
    single = [result.record.scores["i2t"].map for result in results]
    assert measures["i2t"].seeds == pytest.approx(single, abs=1e-12)
    assert measures["i2t"].map == pytest.approx(sum(single) / 2, abs=1e-12)
    assert measures["i2t"].spread == pytest.approx(abs(single[0] - single[1]) / 2**0.5, abs=1e-12)
    low, high = measures["i2t"].ci95
    assert low < measures["i2t"].map < high


def test_a_mean_is_given_only_where_every_task_is(ground, results):
    means = {"kept": ("i2t", "t2i"), "lost": ("i2t", "x2y"), "empty": ()}
    measures = measure(results, ground, means)
    assert "lost" not in measures
    assert "empty" not in measures
    assert measures["kept"].map == pytest.approx(
        (measures["i2t"].map + measures["t2i"].map) / 2, abs=1e-12
    )
