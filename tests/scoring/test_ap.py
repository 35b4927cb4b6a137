"""Expected measures against every permutation, and against the place-by-place definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import brute

from fgbench.scoring.ap import expected_ap, harmonic_numbers
from fgbench.scoring.kernel import walk
from fgbench.scoring.values import MEASURES


def measures(scores, relevant):
    scores, relevant = np.asarray(scores), np.asarray(relevant, dtype=bool)
    wanted = np.sort(scores[relevant])[::-1]
    before = (scores[None] > wanted[:, None]).sum(1)
    tied = (scores[None] == wanted[:, None]).sum(1)
    out = np.empty(len(MEASURES))
    walk(before, tied, len(wanted), harmonic_numbers(len(scores)), out)
    return out


lists = st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=7).filter(
    lambda items: any(relevant for _, relevant in items)
)


@given(lists)
@settings(deadline=None, max_examples=150)
def test_every_measure_is_the_mean_over_all_permutations(items):
    scores, relevant = zip(*items, strict=True)
    assert measures(scores, relevant) == pytest.approx(
        brute.expected_measures(scores, relevant), abs=1e-12
    )


@given(st.integers(1, 400), st.integers(1, 12), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=80)
def test_long_tie_heavy_lists_follow_the_definition(size, levels, seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(levels, size=size).astype(np.float32)
    relevant = rng.random(size) < 0.2
    relevant[rng.integers(size)] = True
    assert expected_ap(scores, relevant) == pytest.approx(
        brute.expected_ap(scores, relevant), abs=1e-12
    )


def test_long_ties_far_down_keep_their_digits():
    """The closed form of a tie group's sum cancels; the result must still be exact."""
    scores = np.concatenate((np.arange(20_000, 100, -1), np.zeros(60)))
    relevant = np.zeros(len(scores), bool)
    relevant[[3, 19_000, 19_905, 19_950]] = True
    assert expected_ap(scores, relevant) == pytest.approx(
        brute.expected_ap(scores, relevant), rel=1e-12
    )


def test_no_relevant_item_is_undefined_not_zero():
    assert np.isnan(expected_ap(np.array([0.5, 0.1]), np.array([False, False])))
