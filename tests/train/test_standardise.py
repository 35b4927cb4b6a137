"""Moments that are measured once: against NumPy's, in blocks of any size, far from zero too."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbench.train.inputs import FeatureInputs
from fgbench.train.standardise import Standardise


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 20), st.integers(1, 7), st.floats(-1e4, 1e4))
def test_rows_in_blocks_become_z_scores(seed, n, block, offset):
    rows = np.random.default_rng(seed).normal(offset, 2, (n, 3)).astype(np.float32)
    rows[:, 1] = offset
    made = Standardise(3)
    made.measure(torch.from_numpy(rows[at : at + block]) for at in range(0, n, block))
    wide = rows.astype(np.float64)
    deviation = wide.std(axis=0)
    expected = (wide - wide.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
    found = made(torch.from_numpy(rows)).numpy()
    np.testing.assert_allclose(found, expected, atol=5e-3 if abs(offset) > 100 else 1e-4)
    assert not found[:, 1].any()


def test_they_are_those_of_the_inputs_and_lie_in_the_state():
    rows = np.random.default_rng(0).normal(5, 2, (9, 2)).astype(np.float32)
    made = Standardise.of(FeatureInputs(rows))
    np.testing.assert_allclose(made.mean, rows.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(made.deviation, rows.std(axis=0), rtol=1e-5)
    assert set(made.state_dict()) == {"mean", "deviation"}
    assert not list(made.parameters())


def test_until_then_rows_stay_and_nothing_is_nothing_to_measure():
    rows = torch.randn(4, 2)
    assert torch.equal(Standardise(2)(rows), rows)
    with pytest.raises(ValueError, match="no rows"):
        Standardise(2).measure([])
