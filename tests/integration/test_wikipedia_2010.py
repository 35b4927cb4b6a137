"""Real features end to end: the image and text features of Rasiwasia et al. (ACM MM 2010).

Embedded by CCA, and by CCA with logistic regression on top (semantic correlation matching, SCM);
the second is the published result. Also a recipe for scoring one's own two-media benchmark.
"""

from __future__ import annotations

import numpy as np
import pytest
from integration.feature_benchmarks import read_wikipedia, write_benchmark

import fgbench
from fgbench.protocol import Medium
from fgbench.submission import write_submission


@pytest.fixture(scope="module")
def wikipedia(real_data, tmp_path_factory):
    """The benchmark, and train and test features: image, text and classes."""
    written = write_benchmark("wikipedia", real_data, tmp_path_factory.mktemp("wikipedia"))
    sides = read_wikipedia(real_data)
    train, test = (
        (side.rows[Medium.IMAGE], side.rows[Medium.TEXT], side.labels)
        for side in (sides["train"], sides["test"])
    )
    return fgbench.load_benchmark(written.benchmark), train, test


def cca(x: np.ndarray, y: np.ndarray, width: int):
    """Classical CCA by whitening and an SVD; returns two projections of centred rows."""

    def whiten(rows):
        rows = rows - rows.mean(axis=0)
        values, vectors = np.linalg.eigh(rows.T @ rows / len(rows))
        keep = values > values.max() * 1e-10
        return rows, vectors[:, keep] / np.sqrt(values[keep])

    (x0, wx), (y0, wy) = whiten(x), whiten(y)
    u, _, vt = np.linalg.svd((x0 @ wx).T @ (y0 @ wy) / len(x))
    a, b = wx @ u[:, :width], wy @ vt.T[:, :width]
    return (lambda rows: (rows - x.mean(axis=0)) @ a), (lambda rows: (rows - y.mean(axis=0)) @ b)


def score(wikipedia, path, image, text):
    benchmark = wikipedia[0]
    ids = {m: benchmark.items[m].ids for m in benchmark.media}
    write_submission(path, ids=ids, embeddings={"image": image, "text": text})
    record = fgbench.score(path, benchmark).record
    assert record.complete
    return record.scores["i2t"].map, record.scores["t2i"].map


def test_cca(wikipedia, tmp_path):
    _, train, test = wikipedia
    image, text = cca(train[0], train[1], 7)
    found = score(wikipedia, tmp_path / "cca.npz", image(test[0]), text(test[1]))
    assert found == pytest.approx((0.2466, 0.2011), abs=1e-3)


def test_cca_with_logistic_regression_is_the_published_scm(wikipedia, tmp_path):
    linear_model = pytest.importorskip("sklearn.linear_model")
    _, train, test = wikipedia
    image, text = cca(train[0], train[1], 9)
    posteriors = []
    for project, at in ((image, 0), (text, 1)):
        model = linear_model.LogisticRegression(C=30, max_iter=5000)
        model.fit(project(train[at]), train[2])
        posteriors.append(model.predict_proba(project(test[at])))
    found = score(wikipedia, tmp_path / "scm.npz", *posteriors)
    assert found == pytest.approx((0.2770, 0.2262), abs=1e-3)


def test_random_features_score_the_published_chance(wikipedia, tmp_path):
    rng = np.random.default_rng(0)
    n = len(wikipedia[2][2])
    found = score(wikipedia, tmp_path / "r.npz", rng.normal(size=(n, 9)), rng.normal(size=(n, 9)))
    assert found == pytest.approx((0.119, 0.119), abs=3e-3)
