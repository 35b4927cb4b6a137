"""Tests of the tests: against brute force, against SciPy, and under a true null hypothesis."""

from __future__ import annotations

import doctest
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fgbench.scoring import significance
from fgbench.scoring.significance import Verdict, holm, judge, paired_test, sign_flip


def brute_p(totals):
    """All signs, one after the other, in whole numbers."""
    observed = abs(sum(totals))
    ways = list(product((1, -1), repeat=len(totals)))
    return sum(
        abs(sum(s * t for s, t in zip(signs, totals, strict=True))) >= observed for signs in ways
    ) / len(ways)


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_few_clusters_are_gone_through_exactly(totals):
    assert sign_flip(np.array(totals)[:, None])[0] == brute_p(totals)


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_equal_sums_count_whatever_their_last_bits(totals):
    # Tenths and sevenths are not exact in binary: sums of another order differ in the last bits.
    for part in (10, 7):
        assert sign_flip(np.array(totals)[:, None] / part)[0] == brute_p(totals)


def test_agrees_with_scipy():
    totals = np.random.default_rng(0).normal(0.3, 1, size=10)
    other = stats.permutation_test(
        (totals, np.zeros(10)),
        lambda x, y: np.sum(x - y),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    assert sign_flip(totals[:, None])[0] == pytest.approx(other.pvalue, abs=1e-12)


def test_random_flips_come_near_the_exact_p():
    totals = np.random.default_rng(1).integers(-5, 8, size=14)
    exact = brute_p(totals.tolist())
    drawn = sign_flip(totals[:, None], flips=10_000)[0]  # 2^14 is more: signs are drawn
    assert drawn != exact
    assert abs(drawn - exact) < 4 * np.sqrt(exact * (1 - exact) / 10_000)


def test_random_p_counts_the_signs_as_they_are():
    assert sign_flip(np.ones((100, 1)), flips=99)[0] == 1 / 100


def test_repeats_by_seed_and_does_not_hang_on_the_other_columns():
    totals = np.random.default_rng(2).normal(0.1, 1, size=(40, 5))
    together = sign_flip(totals, flips=2000, seed=3)
    alone = [sign_flip(totals[:, [k]], flips=2000, seed=3)[0] for k in range(5)]
    assert together.tolist() == alone
    assert sign_flip(totals, flips=2000, seed=4).tolist() != alone


def test_no_difference_gives_p_one():
    assert sign_flip(np.zeros((30, 2))).tolist() == [1.0, 1.0]


def test_p_is_uniform_where_nothing_differs():
    p = sign_flip(np.random.default_rng(4).normal(size=(30, 2000)), flips=999)
    for level in (0.05, 0.2, 0.5, 0.8):
        # 2,000 columns share one draw of 999 flips: both sampling errors, four times over.
        error = np.sqrt(level * (1 - level) * (1 / 2000 + 1 / 999))
        assert abs((p <= level).mean() - level) < 4 * error


def null_rejections(grouped):
    """How often p ≤ .05 where runs do not differ but queries of one species fall alike."""
    rng = np.random.default_rng(5)
    labels = np.repeat(np.arange(25), 6)
    rejected = 0
    for _ in range(200):
        differences = rng.normal(size=25)[labels] + 0.3 * rng.normal(size=150)
        groups = labels if grouped else np.arange(150)
        test = paired_test({"x": (differences, groups)}, {}, flips=199, draws=2)["x"]
        rejected += test.p <= 0.05
    return rejected / 200


def test_keeps_its_level_where_queries_of_a_species_are_alike():
    assert null_rejections(grouped=True) < 0.11


def test_flipping_single_queries_would_not():
    assert null_rejections(grouped=False) > 0.25


def paired_sample(seed, shift=0.0, clusters=20):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, clusters, size=150)
    return rng.normal(shift, 0.1, size=150), labels


def test_paired_test_is_over_queries_and_its_mean_over_tasks():
    x, y = paired_sample(0, 0.02), paired_sample(1, 0.05)
    y = (y[0][:90], y[1][:90])
    found = paired_test({"x": x, "y": y}, {"mean": ("x", "y")}, flips=500)
    assert found["x"].difference == pytest.approx(x[0].mean())
    assert found["mean"].difference == pytest.approx((x[0].mean() + y[0].mean()) / 2)
    assert [found[k].queries for k in ("x", "y", "mean")] == [150, 90, 240]
    assert all(t.interval.low <= t.difference <= t.interval.high for t in found.values())


def test_a_mean_is_tested_on_sums_that_weigh_tasks_alike():
    x, y = paired_sample(0, 0.02, clusters=8), paired_sample(1, 0.03, clusters=8)
    y = (y[0][:90], y[1][:90])
    totals = [x[0][x[1] == c].sum() / 150 + y[0][y[1] == c].sum() / 90 for c in range(8)]
    found = paired_test({"x": x, "y": y}, {"mean": ("x", "y")})["mean"]
    assert found.p == brute_p(totals)


def test_turning_the_sign_mirrors_all_but_p():
    values, labels = paired_sample(2, 0.01)
    one = paired_test({"x": (values, labels)}, {}, flips=500)["x"]
    other = paired_test({"x": (-values, labels)}, {}, flips=500)["x"]
    assert other.p == one.p
    assert other.difference == pytest.approx(-one.difference)
    assert other.interval.low == pytest.approx(-one.interval.high)


def test_row_order_does_not_matter():
    values, labels = paired_sample(3, 0.01)
    order = np.random.default_rng(9).permutation(len(values))
    one = paired_test({"x": (values, labels)}, {}, flips=500)["x"]
    other = paired_test({"x": (values[order], labels[order])}, {}, flips=500)["x"]
    assert other.p == one.p
    assert other.difference == pytest.approx(one.difference, abs=1e-12)


def test_holm_by_hand():
    # Sorted .01 .02 .03 .04 times 4 3 2 1 is .04 .06 .06 .04; no later one below an earlier.
    assert holm([0.03, 0.01, 0.04, 0.02]).tolist() == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.9]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []


def step_down(p, level):
    """Holm's procedure as he states it: which hypotheses fall at this level?"""
    fallen, standing = set(), sorted(range(len(p)), key=lambda i: p[i])
    while standing and p[standing[0]] * len(standing) <= level:
        fallen.add(standing.pop(0))
    return fallen


@given(st.lists(st.integers(0, 64).map(lambda n: n / 64), min_size=1, max_size=8))
def test_holm_is_the_least_level_at_which_the_procedure_rejects(p):
    levels = sorted({min(1.0, q * k) for q in p for k in range(1, len(p) + 1)} | {1.0})
    least = [next((a for a in levels if i in step_down(p, a)), 1.0) for i in range(len(p))]
    assert holm(p).tolist() == least


def test_verdicts():
    assert judge(0.1, 0.05) is Verdict.A
    assert judge(-0.1, 0.01) is Verdict.B
    assert judge(0.1, 0.051) is Verdict.NEITHER


def test_examples_in_docstrings():
    assert doctest.testmod(significance).failed == 0
