"""Score matrices: what each cell is, and that a scorer reads from them what was meant."""

from unittest import mock

import numpy as np
import pytest

from fgbench.protocol import Medium
from fgbench.submission import Space, read_submission, write_submission
from fgbench.train import score_matrices as module
from fgbench.train.score_matrices import score_matrices

I, T, V = Medium.IMAGE, Medium.TEXT, Medium.VIDEO  # noqa: E741
COUNTS = {I: 5, T: 4, V: 3}


def lengths(query, gallery):
    """A similarity that is no cosine, and knows the media."""
    return query[1] @ gallery[1].T * (10 if query[0] is gallery[0] else 1)


def draw(*media, seed):
    rng = np.random.default_rng(seed)
    return {m: rng.normal(size=(COUNTS[m], 2)).astype(np.float32) for m in media}


@pytest.fixture
def pairs():
    return [draw(I, T, seed=1), draw(I, V, seed=2), draw(T, V, seed=3)]


def test_two_media_are_compared_by_their_own_model(pairs, tmp_path):
    with mock.patch.object(module, "ROWS", 2):
        found = score_matrices([(of, lengths) for of in pairs], tmp_path)
    assert set(found) == {(I, I), (I, T), (I, V), (T, T), (T, V), (V, V)}
    np.testing.assert_allclose(found[I, V], pairs[1][I] @ pairs[1][V].T, rtol=1e-5)
    assert found[I, V].shape == (5, 3)


def test_each_pair_has_its_own_measure(pairs, tmp_path):
    scales = {I: 1.0, T: 2.0, V: 3.0}

    def measure(of):
        return lambda query, gallery: sum(scales[m] for m in of) * query[1] @ gallery[1].T

    found = score_matrices([(of, measure(of)) for of in pairs], tmp_path, within=False)
    assert set(found) == {(I, T), (I, V), (T, V)}
    for (query, gallery), of in zip([(I, T), (I, V), (T, V)], pairs, strict=True):
        expected = (scales[query] + scales[gallery]) * of[query] @ of[gallery].T
        np.testing.assert_allclose(found[query, gallery], expected, rtol=1e-5)


def test_a_medium_with_itself_is_the_mean_over_its_models(pairs, tmp_path):
    found = score_matrices([(of, lengths) for of in pairs], tmp_path)
    for query in range(4):
        for item in range(4):
            each = [10 * float(model[T][query] @ model[T][item]) for model in (pairs[0], pairs[2])]
            assert found[T, T][query, item] == pytest.approx(sum(each) / 2, rel=1e-5)


def test_a_joint_model_gives_every_matrix(tmp_path):
    model = draw(I, T, V, seed=4)
    found = score_matrices([(model, lengths)], tmp_path)
    assert len(found) == 6
    np.testing.assert_allclose(found[V, V], 10 * model[V] @ model[V].T, rtol=1e-6)


def test_they_are_written_and_read_as_a_submission(pairs, tmp_path):
    matrices = score_matrices([(of, lengths) for of in pairs], tmp_path)
    ids = {m: [f"{m}/{at}" for at in range(count)] for m, count in COUNTS.items()}
    path = tmp_path / "submission.npz"
    write_submission(path, ids=ids, scores=matrices)
    with read_submission(path) as submission:
        assert submission.space is Space.SCORES
        mirrored = submission.scores(V, I)
        read = mirrored.rows(np.arange(3), np.arange(5))
    np.testing.assert_array_equal(read, matrices[I, V].T)
