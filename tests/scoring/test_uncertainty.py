"""Intervals: against a loop that resamples the rows themselves, and against repeated sampling."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest

from fgbench.scoring import uncertainty
from fgbench.scoring.uncertainty import bootstrap


def clustered(rng, clusters, effect=0.2, noise=0.05, most=9):
    """Values around a level of their own cluster; clusters of unequal size."""
    sizes = rng.integers(1, most, size=clusters)
    labels = np.repeat(np.arange(clusters), sizes)
    levels = rng.normal(0.5, effect, size=clusters)
    return levels[labels] + rng.normal(0, noise, size=len(labels)), labels


def slow_bootstrap(samples, means, draws, seed, level):
    """Draws species one by one, gathers their rows, averages: no sums, no matrices."""
    clusters = sorted({int(c) for _, labels in samples.values() for c in labels})
    rng = np.random.default_rng(seed)
    found = {name: [] for name in (*samples, *means)}
    for picks in rng.integers(len(clusters), size=(draws, len(clusters))):
        now = {}
        for key, (values, labels) in samples.items():
            rows = [
                float(v)
                for pick in picks
                for v, c in zip(values, labels, strict=True)
                if c == clusters[pick]
            ]
            now[key] = sum(rows) / len(rows) if rows else None
        for name, keys in means.items():
            gaps = any(now[key] is None for key in keys)
            now[name] = None if gaps else sum(now[key] for key in keys) / len(keys)
        for name, value in now.items():
            if value is not None:
                found[name].append(value)
    return {
        name: [quantile(v, (1 - level) / 2), quantile(v, (1 + level) / 2)]
        for name, v in found.items()
    }


def quantile(values, q):
    """Linear between order statistics."""
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def test_agrees_with_a_slow_loop_over_rows():
    rng = np.random.default_rng(1)
    values, labels = clustered(rng, 7)
    few = labels < 2  # a task whose queries come from two of the seven species only
    samples = {
        "i2t": (values.astype(np.float32), labels),
        "t2i": clustered(rng, 5),
        "a2v": (values[few], labels[few]),
    }
    means = {"bimodal": ("i2t", "t2i"), "all": tuple(samples)}
    fast = bootstrap(samples, means, draws=150, seed=4, level=0.9)
    slow = slow_bootstrap(samples, means, 150, 4, 0.9)
    assert fast.keys() == slow.keys()
    for name, ends in slow.items():
        assert [fast[name].low, fast[name].high] == pytest.approx(ends, abs=1e-12)


def coverage(resampled_by, trials=300, clusters=60):
    """How often the interval holds the true mean, 0.5, when rows come in clusters."""
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(trials):
        values, labels = clustered(rng, clusters)
        groups = labels if resampled_by == "species" else np.arange(len(labels))
        interval = bootstrap({"x": (values, groups)}, {}, draws=300)["x"]
        hits += interval.low <= 0.5 <= interval.high
    return hits / trials


def test_covers_the_truth_about_as_often_as_it_says():
    # 300 trials at .95: standard error .013.
    assert 0.90 <= coverage("species") <= 0.98


def test_resampling_queries_would_not():
    assert coverage("queries") < 0.75


def test_all_samples_share_one_resample():
    values, labels = clustered(np.random.default_rng(2), 20)
    samples = {"up": (values, labels), "down": (-values, labels), "same": (values, labels)}
    found = bootstrap(samples, {"sum": ("up", "down"), "both": ("up", "same")}, draws=100)
    assert [found["sum"].low, found["sum"].high] == pytest.approx([0, 0], abs=1e-12)
    assert found["both"] == found["up"] == found["same"]
    assert found["down"].low == pytest.approx(-found["up"].high)


def test_row_order_and_label_numbers_do_not_matter():
    rng = np.random.default_rng(3)
    values, labels = clustered(rng, 12)
    order = rng.permutation(len(values))
    plain = bootstrap({"x": (values, labels)}, {})["x"]
    shuffled = bootstrap({"x": (values[order], labels[order])}, {})["x"]
    renumbered = bootstrap({"x": (values, labels * 1000 - 5000)}, {})["x"]
    assert shuffled.low == pytest.approx(plain.low, abs=1e-12)
    assert shuffled.high == pytest.approx(plain.high, abs=1e-12)
    assert renumbered == plain


def test_says_its_seed_and_draws_and_repeats_by_them():
    samples = {"x": clustered(np.random.default_rng(5), 15)}
    first = bootstrap(samples, {}, draws=64, seed=9)["x"]
    assert (first.draws, first.seed, first.level) == (64, 9, 0.95)
    assert bootstrap(samples, {}, draws=first.draws, seed=first.seed)["x"] == first
    assert bootstrap(samples, {}, draws=64, seed=10)["x"] != first


def test_higher_level_is_wider():
    samples = {"x": clustered(np.random.default_rng(5), 15)}
    narrow, wide = (bootstrap(samples, {}, level=level)["x"] for level in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_undefined_with_fewer_than_two_species_and_so_are_means_over_it():
    many = clustered(np.random.default_rng(6), 10)
    samples = {"many": many, "one": ([0.2, 0.4], [3, 3]), "none": ([], [])}
    means = {"good": ("many", "many"), "bad": ("many", "one"), "worse": ("none", "many")}
    found = bootstrap(samples, means, draws=50)
    assert [name for name, interval in found.items() if interval is None] == [
        "one",
        "none",
        "bad",
        "worse",
    ]
    assert found["good"] == found["many"]


def test_draws_that_miss_a_sample_do_not_count_for_it():
    rare = ([0.0, 1.0], [0, 1])  # two of forty species: most draws hit one of them or neither
    interval = bootstrap({"rare": rare, "all": clustered(np.random.default_rng(8), 40)}, {})["rare"]
    assert (interval.low, interval.high) == (0.0, 1.0)


def test_examples_in_docstrings():
    assert doctest.testmod(uncertainty).failed == 0
