"""All pairs at once against all signs by hand, and against the test of one pair."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import fsum

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbench.leaderboard.pairwise import (
    adjust_pairs,
    bound,
    bound_pairs,
    flip_pairs,
    resample,
    total,
)
from fgbench.scoring.significance import holm, sign_flip
from fgbench.scoring.uncertainty import ClusterSums, bootstrap

OVER = {"x": ("x",), "y": ("y",), "mean": ("x", "y")}


def brute_p(totals):
    """All signs, one after the other, in fractions."""
    observed = abs(sum(totals))
    ways = list(product((1, -1), repeat=len(totals)))
    reached = sum(abs(sum(map(lambda s, t: s * t, w, totals))) >= observed for w in ways)
    return reached / len(ways)


def draw_sums(entries, species, seed=0, counts=None):
    """Sums of x and y; of species 0 only x is asked where ``counts`` does not say otherwise."""
    rng = np.random.default_rng(seed)
    if counts is None:
        counts = rng.integers(1, 5, size=(species, 2)).astype(float)
    return {
        f"e{n}": ClusterSums(
            ("x", "y"), np.arange(species), counts * rng.random(counts.shape), counts
        )
        for n in range(entries)
    }


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 4), min_size=5, max_size=5), min_size=2, max_size=4),
    st.sampled_from([7, 10, 64]),
)
def test_few_species_are_gone_through_exactly(rows, part):
    # Sevenths and tenths are not exact in binary: equal sums must count as equal all the same.
    counts = np.full((5, 1), 4.0)
    sums = {
        f"e{n}": ClusterSums(("x",), np.arange(5), np.array(row)[:, None] / part, counts)
        for n, row in enumerate(rows)
    }
    p = flip_pairs(total(sums, {"x": ("x",)}).values, flips=10_000, seed=0)[0]
    for i, a in enumerate(rows):
        for j, b in enumerate(rows):
            parts = [Fraction(s - t, part) for s, t in zip(a, b, strict=True)]
            assert p[i, j] == (1 if i == j else brute_p(parts))


@pytest.mark.parametrize(("species", "flips"), [(9, 10_000), (40, 1500), (200, 1500)])
def test_p_is_that_of_the_pair_alone(species, flips):
    sums = draw_sums(4, species)
    p = flip_pairs(total(sums, OVER).values, flips=flips, seed=5)
    for i, a in enumerate(sums.values()):
        for j, b in enumerate(sums.values()):
            shares = (a.sums - b.sums) / a.counts.sum(axis=0)
            columns = np.column_stack([shares, shares.mean(axis=1)])
            alone = sign_flip(columns, flips=flips, seed=5)
            assert p[:, i, j].tolist() == (alone.tolist() if i != j else [1.0] * 3)


def test_a_species_can_be_asked_by_one_task_alone():
    counts = np.array([[3.0, 0], [2, 2], [0, 4], [1, 1]])
    sums = draw_sums(2, 4, counts=counts)
    p = flip_pairs(total(sums, OVER).values, flips=100, seed=0)
    shares = (sums["e0"].sums - sums["e1"].sums) / counts.sum(axis=0)
    assert p[:, 0, 1].tolist() == [brute_p(c) for c in (*shares.T, shares.mean(axis=1))]


def as_samples(sums, keys):
    """Queries whose values are their species' mean, as ``bootstrap`` takes them."""
    found = {}
    for at, key in enumerate(keys):
        counts = sums.counts[:, at].astype(int)
        values = np.divide(sums.sums[:, at], counts, where=counts > 0, out=np.zeros(len(counts)))
        found[key] = np.repeat(values, counts), np.repeat(sums.clusters, counts)
    return found


@pytest.mark.parametrize("gap", [False, True])
def test_intervals_are_those_of_the_bootstrap(gap):
    counts = np.array([[3.0, 0], [2, 2], [0, 4], [1, 1], [4, 0]]) if gap else None
    sums = draw_sums(3, 5, counts=counts)
    drawn = resample(total(sums, OVER), draws=300, seed=2)
    for measure in OVER:
        bounds, pairs = bound(drawn[measure]), bound_pairs(drawn[measure])
        for i, a in enumerate(sums.values()):
            known = bootstrap(as_samples(a, "xy"), {"mean": ("x", "y")}, draws=300, seed=2)[measure]
            assert bounds[:, i].tolist() == pytest.approx([known.low, known.high], abs=1e-12)
            for j, b in enumerate(sums.values()):
                apart = ClusterSums(a.keys, a.clusters, a.sums - b.sums, a.counts)
                known = bootstrap(as_samples(apart, "xy"), {"mean": ("x", "y")}, draws=300, seed=2)
                wanted = known[measure].low, known[measure].high
                assert pairs[:, i, j].tolist() == pytest.approx(wanted, abs=1e-12)


def test_one_species_has_no_interval():
    counts = np.array([[3.0, 2], [0, 2]])
    drawn = resample(total(draw_sums(2, 2, counts=counts), OVER), draws=50, seed=0)
    assert drawn["x"] is None
    assert drawn["mean"] is None
    assert drawn["y"] is not None


def test_each_pair_is_a_family_of_its_own():
    p = flip_pairs(total(draw_sums(4, 8), OVER).values, flips=1000, seed=0)
    adjusted = adjust_pairs(p)
    for i, j in product(range(4), repeat=2):
        assert adjusted[:, i, j].tolist() == holm(p[:, i, j]).tolist()


def test_entries_stand_in_the_order_of_their_names():
    sums = draw_sums(4, 6)
    turned = dict(reversed(sums.items()))
    one, other = total(sums, OVER), total(turned, OVER)
    assert one.entries == other.entries == ("e0", "e1", "e2", "e3")
    assert one.values.tolist() == other.values.tolist()


def test_totals_sum_to_the_same_bits_in_any_order():
    totals = total(draw_sums(3, 200), OVER)
    orders = [np.random.default_rng(seed).permutation(200) for seed in range(20)]
    for row, found in zip(totals.values.reshape(9, 200), totals.maps.ravel(), strict=True):
        assert {fsum(row), *(sum(row[order].tolist()) for order in orders)} == {found}


@pytest.mark.parametrize("species", [6, 200])  # six sixths, rounded, are more than one
def test_a_perfect_map_is_one(species):
    counts = np.full((species, 2), 3.0)
    perfect = {"e": ClusterSums(("x", "y"), np.arange(species), counts, counts)}
    totals = total(perfect, OVER)
    assert totals.maps.max() <= 1
    assert totals.maps.min() == pytest.approx(1, abs=1e-12)
    assert bound(resample(totals, draws=100, seed=0)["mean"]).max() <= 1
