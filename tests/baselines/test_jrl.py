"""JRL against its textbook form, and what its similarity, its stop and its options do."""

import math
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_runs import run_twice
from two_media import draw_dataset

from fgbench.baselines.jrl import Jrl, JrlConfig, Posteriors, Score
from fgbench.media.preset import Form
from fgbench.protocol import Medium
from fgbench.submission import Space, read_submission
from fgbench.train.dataset import Dataset, Items
from fgbench.train.forms import load_form
from fgbench.train.inputs import FeatureInputs
from fgbench.train.method import Budget
from fgbench.train.neighbours import Laplacian
from fgbench.train.pairing import pair_classes
from fgbench.train.recipe import Recipe

I, T = Medium.IMAGE, Medium.TEXT  # noqa: E741
MILD = JrlConfig(
    sparsity=5.0, smoothness=0.5, closeness=0.1, tolerance=0.0, neighbours=4, references=6
)
"""Weights at which the objective's minimum is not all zeros."""


def fit(data, config, seed=0):
    """The fit, and the figures that it logged."""
    figures = []
    found = Jrl().fit(data, config, np.random.default_rng(seed), lambda **f: figures.append(f))
    return found, figures


def textbook(data, config, seed):
    """The projections and the objective after each update, every matrix written out."""
    rng = np.random.default_rng(seed)
    pairs = pair_classes({m: data.train[m].labels for m in data.media}, rng)
    start = rng.integers(2**63)
    x, xl, xp, y, lap, p = {}, {}, {}, {}, {}, {}
    for m in data.media:
        raw = data.train[m].inputs.rows.astype(float)
        both = np.vstack([raw, data.test[m].inputs.rows.astype(float)])
        x[m] = (both - raw.mean(0)) / raw.std(0)
        xl[m], n = x[m][: len(raw)], len(both)
        xp[m] = xl[m][pairs[m]]
        y[m] = np.array(
            [[float(c == k) for k in range(data.classes)] for c in data.train[m].labels]
        )
        gaps = np.linalg.norm(x[m][:, None] - x[m][None], axis=2)
        near = np.argsort(gaps + np.diag(np.full(n, np.inf)))[:, : config.neighbours]
        linked = np.zeros((n, n))
        for i in range(n):
            linked[i, near[i]] = linked[near[i], i] = 1
        root = np.diag(linked.sum(1) ** -0.5)
        weights = linked if config.laplacian is Laplacian.KNN else 1 / (1 + np.exp(gaps))
        lap[m] = np.eye(n) - root @ weights @ root
        p[m] = np.random.default_rng(start).random((raw.shape[1], data.classes))
    objectives = []
    for _ in range(config.iterations):
        new = {}
        for m, other in ((I, T), (T, I)):
            d = np.diag([1 / (2 * math.sqrt(sum(v * v for v in row))) for row in p[m]])
            left = config.sparsity * d + config.smoothness * x[m].T @ lap[m] @ x[m]
            left += config.closeness * xp[m].T @ xp[m] + config.fidelity * xl[m].T @ xl[m]
            right = config.closeness * xp[m].T @ xp[other] @ p[other]
            right += config.fidelity * xl[m].T @ y[m]
            new[m] = np.linalg.inv(left) @ right
        p = new
        value = config.closeness * np.linalg.norm(xp[I] @ p[I] - xp[T] @ p[T]) ** 2
        for m in (I, T):
            value += config.fidelity * np.linalg.norm(xl[m] @ p[m] - y[m]) ** 2
            value += config.smoothness * np.trace(p[m].T @ x[m].T @ lap[m] @ x[m] @ p[m])
            value += config.sparsity * sum(np.linalg.norm(row) for row in p[m])
        objectives.append(value)
    return p, objectives


@pytest.mark.parametrize("laplacian", Laplacian)
@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 99),
    sparsity=st.floats(0.1, 1000),
    smoothness=st.floats(0, 1000),
    closeness=st.floats(0, 1),
    fidelity=st.floats(0.1, 2),
    neighbours=st.integers(1, 9),
)
def test_the_updates_are_the_textbook_s(laplacian, seed, **weights):
    config = JrlConfig(**weights, laplacian=laplacian, iterations=3, tolerance=0.0)
    data = draw_dataset(seed)
    found, figures = fit(data, config, seed)
    if len(figures) < config.iterations:  # the objective rose: it stops there
        config = replace(config, iterations=len(figures))
    expected, objectives = textbook(data, config, seed)
    assert [f["objective"] for f in figures] == pytest.approx(objectives, rel=1e-6)
    for medium in (I, T):
        np.testing.assert_allclose(
            found.projections[medium], expected[medium], rtol=1e-5, atol=1e-9
        )


def test_the_objective_falls_and_comes_to_rest():
    _, figures = fit(draw_dataset(), replace(MILD, iterations=60))
    values = [f["objective"] for f in figures]
    assert all(after <= before for before, after in pairwise(values))
    assert values[-2] - values[-1] < 1e-3 * (values[0] - values[-1])


@pytest.mark.parametrize("tolerance", [0.001, 0.02, 0.2])
def test_it_stops_where_the_objective_falls_by_less_than_the_tolerance(tolerance):
    _, figures = fit(draw_dataset(), replace(MILD, iterations=60, tolerance=tolerance))
    _, all_of_them = fit(draw_dataset(), replace(MILD, iterations=60))
    values = [f["objective"] for f in all_of_them]
    falls = [1 - after / before for before, after in pairwise(values)]
    first = next(at for at, fall in enumerate(falls) if fall < tolerance)
    assert len(figures) == first + 2
    assert len(figures) < 60


def test_at_the_release_s_weights_the_minimum_is_a_projection_of_zeros():
    data = draw_dataset(train=(60, 60), spread=4.0)
    stopped, _ = fit(data, JrlConfig())
    run_on, _ = fit(data, JrlConfig(tolerance=0.0, iterations=200))
    sizes = [np.abs(found.projections[I]).mean() for found in (stopped, run_on)]
    assert sizes[1] < sizes[0] / 100


def test_the_projections_before_the_last_update_are_those_of_one_iteration_less():
    data, config = draw_dataset(), replace(MILD, iterations=4)
    released, _ = fit(data, replace(config, last_update=False))
    shorter, _ = fit(data, replace(config, iterations=3))
    np.testing.assert_array_equal(released.projections[T], shorter.projections[T])


class Forbidden(FeatureInputs):
    def take(self, places, rng=None):
        raise AssertionError("test items were looked at")


def test_only_the_transductive_graph_looks_at_test_items():
    data = draw_dataset()
    hidden = {m: Items(s.ids, s.labels, Forbidden(s.inputs.rows)) for m, s in data.test.items()}
    hidden = Dataset(data.train, hidden, data.classes)
    inductive, _ = fit(hidden, replace(MILD, transductive=False))
    transductive, _ = fit(data, MILD)
    assert not np.allclose(inductive.projections[I], transductive.projections[I])
    with pytest.raises(AssertionError, match="looked at"):
        fit(hidden, MILD)


def test_labels_of_test_items_change_nothing():
    data = draw_dataset()
    wrong = {m: Items(s.ids, (s.labels + 1) % data.classes, s.inputs) for m, s in data.test.items()}
    right, wrong = fit(data, MILD)[0], fit(Dataset(data.train, wrong, data.classes), MILD)[0]
    np.testing.assert_array_equal(right.projections[I], wrong.projections[I])


def test_equal_seeds_give_equal_bytes_and_others_others():
    data = draw_dataset()
    one, same, other = (fit(data, MILD, seed)[0] for seed in (1, 1, 2))
    rows = [found.embed(I, data.test[I].inputs).tobytes() for found in (one, same)]
    assert rows[0] == rows[1]
    assert one.projections[I].tobytes() != other.projections[I].tobytes()


def test_a_feature_that_does_not_vary_is_no_obstacle():
    data = draw_dataset()
    for side in (data.train, data.test):
        side[I].inputs.rows[:, 2] = 7.0
    found, _ = fit(data, MILD)
    rows = data.train[I].inputs.rows.astype(float)
    np.testing.assert_allclose(found.scales[I].deviation, rows.std(axis=0) + 0.001)
    assert np.isfinite(found.embed(I, data.test[I].inputs)).all()


def unified_kernel(points, references, labels, count):
    """The release's kernel by loops over points and over their references."""
    weights = []
    for point in points:
        gaps = [math.dist(point, r) for r in references]
        kept = sorted(range(len(gaps)), key=gaps.__getitem__)[:count]
        total = sum(1 / (1 + math.exp(gaps[r])) for r in kept)
        weights.append({r: 1 / (1 + math.exp(gaps[r])) / total for r in kept})
    return np.array(
        [
            [
                sum(w * v for r, w in one.items() for q, v in two.items() if labels[r] == labels[q])
                for two in weights
            ]
            for one in weights
        ]
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 99), references=st.integers(1, 8), classes=st.integers(2, 4))
def test_similarities_are_those_of_the_released_kernel(seed, references, classes):
    data = draw_dataset(seed, classes=classes)
    count = 2 * references  # even: see below
    found, _ = fit(data, replace(MILD, references=count), seed)
    points = {m: projected(found, m, data.test[m].inputs.rows) for m in (I, T)}
    train = np.concatenate([found.train[I], found.train[T]])
    labels = np.concatenate([data.train[I].labels, data.train[T].labels])
    both = unified_kernel(np.concatenate([points[I], points[T]]), train, labels, count)
    n = len(points[I])
    # The release hands a medium's own training items in twice.
    twice = [np.concatenate([part, part]) for part in (found.train[T], data.train[T].labels)]
    own = unified_kernel(points[T], *twice, count)

    similarity = Jrl().similarity(MILD, None)
    embedded = {m: found.embed(m, data.test[m].inputs) for m in (I, T)}
    across = similarity((I, embedded[I]), (T, embedded[T]))
    np.testing.assert_allclose(across, both[:n, n:], atol=1e-6)
    within = similarity((T, embedded[T]), (T, embedded[T]))
    np.testing.assert_allclose(within, own, atol=1e-6)


def projected(found, medium, rows):
    scale = found.scales[medium]
    return (rows.astype(float) - scale.mean) / scale.deviation @ found.projections[medium]


def test_posteriors_sum_to_one_and_survive_what_is_far_from_everything():
    data = draw_dataset()
    found, _ = fit(data, MILD)
    far = FeatureInputs(np.full((2, 6), 1e8, np.float32))
    rows = found.embed(I, far)
    np.testing.assert_allclose(rows.reshape(2, 2, 3).sum(axis=2), 1, atol=1e-6)


def test_projections_as_small_as_rounding_still_have_nearest_items():
    data = draw_dataset()
    found, _ = fit(data, MILD)
    tiny = Posteriors(
        found.scales,
        {m: 1e-9 * p for m, p in found.projections.items()},
        {m: 1e-9 * rows for m, rows in found.train.items()},
        found.labels,
        found.classes,
        found.references,
    )
    points = projected(tiny, I, data.test[I].inputs.rows)
    references = np.concatenate(list(tiny.train.values()))
    labels = np.concatenate(list(tiny.labels.values()))
    for point, row in zip(points, tiny.embed(I, data.test[I].inputs), strict=True):
        near = np.argsort([math.dist(point, r) for r in references])[: found.references]
        shares = [np.mean(labels[near] == c) for c in range(3)]
        np.testing.assert_allclose(row[:3], shares, atol=1e-6)


@pytest.mark.parametrize("wrong", [{"sparsity": 0.0}, {"references": 0}, {"tolerance": -0.1}])
def test_what_has_no_solution_is_refused(wrong):
    with pytest.raises(ValueError, match="below"):
        JrlConfig(**wrong)


def test_the_forms_differ_in_the_laplacian_alone():
    paper, released = (load_form("jrl", form, Budget.TINY) for form in Form)
    assert paper == JrlConfig()
    assert released == replace(paper, laplacian=Laplacian.RELEASED)


def test_it_needs_no_torch():
    code = "import sys, fgbench.baselines.jrl; raise SystemExit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("form", Form)
def test_both_forms_find_classes(form):
    data = draw_dataset(train=(40, 40), test=(20, 20))
    config = replace(load_form("jrl", form, Budget.TINY), references=20)
    found, _ = fit(data, config)
    embedded = {m: found.embed(m, data.test[m].inputs) for m in (I, T)}
    scores = Jrl().similarity(config, None)((I, embedded[I]), (T, embedded[T]))
    first = data.test[T].labels[scores.argmax(axis=1)]
    assert (first == data.test[I].labels).mean() > 0.8


@pytest.mark.parametrize("form", Form)
def test_a_run_of_either_form_leaves_a_submission(form, tmp_path):
    recipe = Recipe.choose("jrl", form, Budget.TINY)
    with read_submission(run_twice(recipe, draw_dataset(), tmp_path)) as submission:
        assert submission.space is Space.SCORES
        assert submission.scores(I, T).shape == (12, 18)
        assert submission.scores(T, T) is not None


def test_the_cosine_compares_the_projected_items_themselves(tmp_path):
    data = draw_dataset()
    published, _ = fit(data, MILD)
    found, _ = fit(data, replace(MILD, score=Score.COSINE))
    rows = found.embed(I, data.test[I].inputs)
    raw = data.train[I].inputs.rows.astype(float)
    scaled = (data.test[I].inputs.rows.astype(float) - raw.mean(0)) / raw.std(0)
    points = scaled @ published.projections[I]
    assert rows == pytest.approx(points / np.linalg.norm(points, axis=1, keepdims=True), abs=1e-6)
    recipe = Recipe.choose("jrl", Form.PAPER, Budget.TINY, {"score": "cosine"})
    with read_submission(run_twice(recipe, data, tmp_path)) as submission:
        assert submission.space is Space.PAIRWISE
