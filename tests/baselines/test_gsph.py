"""GSPH: both stages against slow forms, and what its options do."""

import subprocess
import sys
from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from tiny_runs import run_twice
from two_media import draw_dataset

from fgbench.baselines.gsph import (
    Anchors,
    Gsph,
    GsphConfig,
    Updates,
    factorise,
    fit_logistic,
    misfit,
    signs,
)
from fgbench.media.preset import Form
from fgbench.protocol import Medium
from fgbench.submission import Space, read_submission
from fgbench.train.forms import load_form
from fgbench.train.method import Budget
from fgbench.train.recipe import Recipe

I, T = Medium.IMAGE, Medium.TEXT  # noqa: E741
SMALL = GsphConfig(bits=8, anchors=12)


def fit(data, config, seed=0):
    return Gsph().fit(data, config, np.random.default_rng(seed), lambda **figures: None)


def factor(a, b, config, seed=0):
    """The codes of both media, and the misfit after each sweep."""
    figures = []
    rng = np.random.default_rng(seed)
    codes = factorise(a, b, config, rng, lambda **f: figures.append(f["misfit"]))
    return codes, figures


def draw_classes(seed, m=9, n=7, classes=3):
    """One-hot classes of two media's items."""
    rng = np.random.default_rng(seed)
    return tuple(np.eye(classes)[rng.integers(classes, size=count)] for count in (m, n))


def slow_columns(own, other, target):
    """Each column of ``own`` at its minimum of ‖target − own otherᵀ‖, entry by entry, clipped."""
    own = own.copy()
    for bit in range(own.shape[1]):
        rest = [b for b in range(own.shape[1]) if b != bit]
        for row in range(len(own)):
            left = target[row] - own[row, rest] @ other[:, rest].T
            length = other[:, bit] @ other[:, bit]
            if length > 0:
                own[row, bit] = min(1.0, max(-1.0, left @ other[:, bit] / length))
    return own


def slow_matrix(own, other, target):
    """One step down the gradient of ‖target − own otherᵀ‖², clipped."""
    steepest = 2 * max(np.linalg.svd(other)[1]) ** 2 + np.finfo(float).eps
    slope = 2 * own @ (other.T @ other) - 2 * target @ other
    return np.clip(own - slope / steepest, -1, 1)


@pytest.mark.parametrize("updates", Updates)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), bits=st.integers(1, 9), sweeps=st.integers(1, 4))
def test_the_codes_are_those_of_affinities_written_out(updates, seed, bits, sweeps):
    a, b = draw_classes(seed)
    config = GsphConfig(bits=bits, updates=updates, sweeps=sweeps, least_sweeps=sweeps)
    (left, right), figures = factor(a, b, config, seed)
    rng = np.random.default_rng(seed)
    slow_left, slow_right = (rng.choice([-1.0, 1.0], (len(of), bits)) for of in (a, b))
    slow = slow_columns if updates is Updates.COLUMNS else slow_matrix
    target, expected = bits * np.array([[float(x @ y) for y in b] for x in a]), []
    for _ in range(sweeps):
        slow_left = slow(slow_left, slow_right, target)
        slow_right = slow(slow_right, slow_left, target.T)
        expected.append(np.linalg.norm(target - slow_left @ slow_right.T))
    np.testing.assert_allclose(figures, expected, rtol=1e-6, atol=1e-5)
    for found, relaxed in ((left, slow_left), (right, slow_right)):
        clear = np.abs(relaxed) > 1e-6  # the sign of what is nearly 0 is anyone's
        np.testing.assert_array_equal(found[clear], np.sign(relaxed)[clear])
        assert set(np.unique(found)) <= {-1.0, 1.0}


@given(seed=st.integers(0, 99), bits=st.integers(1, 6))
def test_the_misfit_is_that_of_the_matrix_written_out(seed, bits):
    a, b = draw_classes(seed)
    rng = np.random.default_rng(seed)
    left, right = (rng.uniform(-1, 1, (len(of), bits)) for of in (a, b))
    expected = np.linalg.norm(bits * a @ b.T - left @ right.T)
    assert misfit(a, b, left, right) == pytest.approx(expected)


@pytest.mark.parametrize("updates", Updates)
def test_the_misfit_falls_with_every_sweep(updates):
    _, figures = factor(*draw_classes(0, 60, 50, 5), GsphConfig(bits=16, updates=updates))
    assert all(after <= before for before, after in pairwise(figures))
    assert figures[-1] < figures[0] / 2


@pytest.mark.parametrize("updates", Updates)
def test_each_class_gets_a_code_of_its_own_in_both_media(updates):
    a, b = draw_classes(1, 80, 60, 10)
    (left, right), _ = factor(a, b, GsphConfig(bits=32, updates=updates))
    codes = {
        int(label): {
            tuple(row) for side, of in ((left, a), (right, b)) for row in side[of[:, label] > 0]
        }
        for label in range(10)
    }
    assert all(len(found) == 1 for found in codes.values())
    assert len(set.union(*codes.values())) == 10


def test_it_stops_where_no_sign_changes_but_not_before_the_least_sweeps():
    a, b = draw_classes(0, 40, 40, 3)
    config = GsphConfig(bits=8, updates=Updates.MATRIX, by_signs=True)
    lengths = []
    for least in (0, 30):
        _, figures = factor(a, b, replace(config, least_sweeps=least))
        lengths.append(len(figures))
        assert figures[-1] >= figures[-2]
    assert lengths[0] < 30
    assert lengths[1] == 31


def test_media_without_a_class_in_common_have_no_affinity():
    a, b = np.eye(4)[[0, 1, 0]], np.eye(4)[[2, 3]]
    (left, right), _ = factor(a, b, GsphConfig(bits=4))
    assert np.isfinite(left).all()
    assert np.isfinite(right).all()


def draw_regression(seed, n=14, anchors=6, bits=3):
    """A kernel of items with anchors, of these with each other, and codes."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, 2))

    def kernel(x, y):
        return np.exp(-((x[:, None] - y[None]) ** 2).sum(axis=2))

    chosen = rows[:anchors]
    return kernel(rows, chosen), kernel(chosen, chosen), rng.choice([-1.0, 1.0], (n, bits))


def slow_objective(weights, kernel, among, codes, penalty):
    """Of one bit, term by term."""
    loss = sum(
        np.log(1 + np.exp(-code * (row @ weights))) for row, code in zip(kernel, codes, strict=True)
    )
    return loss + penalty * weights @ among @ weights


def newton(kernel, among, codes, penalty):
    """The minimum of one bit's objective, by Newton's method."""
    weights = np.zeros(kernel.shape[1])
    for _ in range(60):
        p = 1 / (1 + np.exp(codes * (kernel @ weights)))
        slope = -kernel.T @ (codes * p) + 2 * penalty * among @ weights
        bend = kernel.T @ ((p * (1 - p))[:, None] * kernel) + 2 * penalty * among
        weights = weights - np.linalg.solve(bend, slope)
    return weights


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 99), penalty=st.floats(0.01, 10))
def test_every_bit_s_regression_is_at_its_minimum(seed, penalty):
    kernel, among, codes = draw_regression(seed)
    weights, _ = fit_logistic(kernel, among, codes, replace(SMALL, penalty=penalty))
    for bit in range(codes.shape[1]):
        problem = kernel, among, codes[:, bit], penalty
        best = newton(*problem)
        np.testing.assert_allclose(kernel @ weights[:, bit], kernel @ best, rtol=1e-3, atol=1e-3)
        slope = approx_fprime(weights[:, bit], slow_objective, 1e-7, *problem)
        assert np.abs(slope).max() < 1e-3


def test_bits_do_not_depend_on_each_other():
    kernel, among, codes = draw_regression(0)
    together, _ = fit_logistic(kernel, among, codes, SMALL)
    for bit in range(codes.shape[1]):
        alone, _ = fit_logistic(kernel, among, codes[:, [bit]], SMALL)
        np.testing.assert_allclose(kernel @ together[:, [bit]], kernel @ alone, atol=1e-3)


def test_anchors_that_agree_change_nothing():
    kernel, among, codes = draw_regression(0)
    twice = np.r_[0:6, 0:6]
    weights, _ = fit_logistic(kernel, among, codes, SMALL)
    doubled, _ = fit_logistic(kernel[:, twice], among[np.ix_(twice, twice)], codes, SMALL)
    np.testing.assert_allclose(kernel[:, twice] @ doubled, kernel @ weights, atol=1e-3)


@pytest.mark.parametrize("standardise", [False, True])
def test_a_code_is_the_sign_of_the_kernel_with_the_anchors(standardise):
    data = draw_dataset()
    found = fit(data, replace(SMALL, standardise=standardise))
    train, test = (side[I].inputs.rows.astype(float) for side in (data.train, data.test))
    scale = train.std(0) if standardise else 1.0
    x, y = (train - train.mean(0)) / scale, (test - train.mean(0)) / scale
    pairs = [((one - other) ** 2).sum() for one in x for other in x]
    functions = found.functions[I]
    assert functions.spread == pytest.approx(np.mean(pairs))
    assert {tuple(row) for row in functions.anchors} <= {tuple(row) for row in x}
    kernel = [
        [np.exp(-((one - z) ** 2).sum() / np.mean(pairs)) for z in functions.anchors] for one in y
    ]
    expected = np.where(np.array(kernel) @ functions.weights >= 0, 1, -1)
    codes = found.embed(I, data.test[I].inputs)
    assert codes.dtype == np.float32
    np.testing.assert_array_equal(codes, expected)


def test_centres_by_k_means_are_means_of_the_items_nearest_to_them():
    data = draw_dataset(train=(30, 20))
    anchors = fit(data, replace(SMALL, anchors=4, drawn=Anchors.KMEANS)).functions[I].anchors
    rows = data.train[I].inputs.rows.astype(float)
    rows -= rows.mean(0)
    nearest = ((rows[:, None] - anchors[None]) ** 2).sum(axis=2).argmin(axis=1)
    for at, anchor in enumerate(anchors):
        np.testing.assert_allclose(anchor, rows[nearest == at].mean(axis=0), atol=1e-9)


def test_there_are_no_more_anchors_than_items():
    assert len(fit(draw_dataset(), replace(SMALL, anchors=500)).functions[T].anchors) == 15


@pytest.mark.parametrize("config", [SMALL, replace(SMALL, standardise=True)])
def test_features_that_do_not_vary_are_no_obstacle(config):
    data = draw_dataset()
    for side in (data.train, data.test):
        side[I].inputs.rows[:, 2] = 7.0
        side[T].inputs.rows[:] = 7.0  # none at all varies
    found = fit(data, config)
    for medium in (I, T):
        assert set(np.unique(found.embed(medium, data.test[medium].inputs))) <= {-1.0, 1.0}


def test_the_sign_of_nothing_is_plus():
    np.testing.assert_array_equal(signs(np.array([-0.5, -0.0, 0.0, 2.0])), [-1, 1, 1, 1])


def test_equal_seeds_give_equal_codes_and_others_others():
    data = draw_dataset(spread=4.0)
    one, same, other = (fit(data, SMALL, s).embed(I, data.test[I].inputs) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


@pytest.mark.parametrize("form", Form)
def test_both_forms_find_classes(form):
    data = draw_dataset(train=(40, 40), test=(20, 20))
    found = fit(data, replace(load_form("gsph", form), bits=32))
    codes = {m: found.embed(m, data.test[m].inputs) for m in (I, T)}
    first = data.test[T].labels[(codes[I] @ codes[T].T).argmax(axis=1)]
    assert (first == data.test[I].labels).mean() > 0.8


@pytest.mark.parametrize(
    "wrong", [{"bits": 0}, {"anchors": 0}, {"penalty": 0.0}, {"tolerance": -1.0}]
)
def test_what_has_no_solution_is_refused(wrong):
    with pytest.raises(ValueError, match="below"):
        GsphConfig(**wrong)


def test_the_forms_differ_in_what_the_two_releases_do():
    paper, released = (load_form("gsph", form, Budget.TINY) for form in Form)
    assert paper == GsphConfig()
    assert {
        f.name for f in fields(paper) if getattr(paper, f.name) != getattr(released, f.name)
    } == {
        "updates",
        "least_sweeps",
        "by_signs",
        "anchors",
    }


def test_it_needs_no_torch():
    code = "import sys, fgbench.baselines.gsph; raise SystemExit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("form", Form)
def test_a_run_of_either_form_leaves_codes(form, tmp_path):
    recipe = Recipe.choose("gsph", form, Budget.TINY)
    with read_submission(run_twice(recipe, draw_dataset(), tmp_path)) as submission:
        assert submission.space is Space.PAIRWISE
        assert submission.media == (I, T)
        assert submission.binary
