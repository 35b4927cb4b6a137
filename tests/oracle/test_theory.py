"""On the official lists, submissions whose score theory knows: what it says is what comes out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from fgbench import load_benchmark
from fgbench.protocol import MEDIA, PAPER_STACK, SelfMatch, Task
from fgbench.scoring.chance import expected_ap, expected_map
from fgbench.scoring.evaluate import evaluate
from fgbench.submission import check, write_submission


@pytest.fixture(scope="module")
def official():
    return load_benchmark()


def run(tmp_path, official, rows, **how):
    path = tmp_path / "s.npz"
    ids = {m: official.items[m].ids for m in MEDIA}
    write_submission(path, ids=ids, embeddings={m: rows(official.items[m].labels) for m in MEDIA})
    with check(path, official).submission as submission:
        return evaluate(submission, official, **how)


def maps(values):
    return {t.code: float(v.excluded.mean(dtype=float)) for t, v in values.items()}


@pytest.fixture(scope="module")
def constant(tmp_path_factory, official):
    folder = tmp_path_factory.mktemp("constant")
    return run(folder, official, lambda labels: np.ones((len(labels), 3)), stable=True)


def test_a_constant_submission_scores_chance_in_every_task(constant, official):
    for task, found in constant.items():
        chance = expected_map(official, task, SelfMatch.EXCLUDED)
        assert found.excluded.mean(dtype=float) == pytest.approx(chance, abs=1e-8), task


def test_a_constant_submission_with_itself_in_the_gallery_is_tied_too(constant, official):
    found = constant[Task(MEDIA[0], None)]
    total = sum(len(official.items[m]) for m in MEDIA)
    counts = sum(np.bincount(official.items[m].labels, minlength=200) for m in MEDIA)
    expect = np.mean([expected_ap(int(counts[c]), total) for c in official.items[MEDIA[0]].labels])
    assert found.included.mean(dtype=float) == pytest.approx(expect, abs=1e-8)
    assert round(float(expect), 4) == 0.0055


def script_ap(labels, columns):
    """The authors' script on a constant embedding: every distance is equal, so the order of the
    list is the ranking; here as they wrote it, a loop over the ranked list."""
    by_label = {}
    for label in np.unique(labels):
        hits, total = 0, 0.0
        for place, column in enumerate(columns, 1):
            if column == label:
                hits += 1
                total += hits / place
        by_label[label] = total / hits
    return np.mean([by_label[label] for label in labels])


@pytest.mark.parametrize(("code", "published"), [("i2t", 0.0179), ("t2i", 0.0182), ("v2t", 0.0163)])
def test_the_papers_convention_rewards_a_constant(constant, official, code, published):
    """Class-sorted galleries and a stable sort lift a constant to 2.5 times chance."""
    task, found = next((t, v) for t, v in constant.items() if t.code == code)
    labels = official.items[task.query].labels
    columns = official.items[task.gallery].labels
    value = found.stable.mean()
    assert value == pytest.approx(script_ap(labels, columns), abs=1e-12)
    assert round(float(value), 4) == published
    assert found.excluded.mean() < 0.0071


def test_the_papers_convention_on_few_queries_equals_cdist_and_argsort(tmp_path, official):
    """Coarse embeddings with massive ties, on the official lists; 150 queries a task."""
    rng = np.random.default_rng(0)
    prototypes = rng.normal(size=(23, 6)).astype(np.float32)
    chosen = {m: rng.integers(23, size=len(official.items[m])) for m in MEDIA}
    rows = iter([prototypes[chosen[m]] for m in MEDIA])
    values = run(tmp_path, official, lambda labels: next(rows), stable=True)
    for task, found in values.items():
        galleries = [task.gallery] if task.gallery else list(PAPER_STACK)
        gallery = np.concatenate([prototypes[chosen[g]] for g in galleries])
        columns = np.concatenate([official.items[g].labels for g in galleries])
        for q in rng.choice(len(found.rows), 10, replace=False):
            distance = cdist(prototypes[chosen[task.query][q]][None], gallery, "cosine")[0]
            ranked = columns[np.argsort(distance.round(12), kind="stable")]
            places = np.flatnonzero(ranked == official.items[task.query].labels[q]) + 1
            ap = np.mean(np.arange(1, len(places) + 1) / places)
            assert found.stable[q] == pytest.approx(ap, abs=1e-9)


def test_random_embeddings_score_chance_within_noise(tmp_path, official):
    rng = np.random.default_rng(4)
    found = maps(run(tmp_path, official, lambda labels: rng.normal(size=(len(labels), 16))))
    for task in official.tasks:
        chance = expected_map(official, task, SelfMatch.EXCLUDED)
        assert found[task.code] == pytest.approx(chance, abs=3e-4), task


def test_perfect_one_hot_labels_score_one(tmp_path, official):
    found = maps(run(tmp_path, official, lambda labels: np.eye(200)[labels]))
    assert all(value == pytest.approx(1.0, abs=1e-6) for value in found.values())


def test_one_hot_predictions_have_a_closed_form(tmp_path, official):
    """Right with probability .3, else a random class: each list is two tie groups, the items with
    the query's predicted class before all others. From the counts alone, without a ranking."""
    rng = np.random.default_rng(6)
    guesses = {}
    for m in MEDIA:
        labels = official.items[m].labels
        right = rng.random(len(labels)) < 0.3
        guesses[m] = np.where(right, labels, rng.integers(200, size=len(labels)))
    given = iter([np.eye(200)[guesses[m]] for m in MEDIA])
    found = run(tmp_path, official, lambda labels: next(given))
    for task in official.tasks:
        if not task.bimodal:
            continue
        table = np.zeros((200, 200))  # predicted × true, of the gallery
        np.add.at(table, (guesses[task.gallery], official.items[task.gallery].labels), 1)
        size, relevant = table.sum(), table.sum(axis=0)
        expect = []
        for guess, label in zip(
            guesses[task.query][:40], official.items[task.query].labels[:40], strict=True
        ):
            g, r = table[guess].sum(), table[guess, label]
            first = tie_sum(0, 0, g, r)
            rest = tie_sum(g, r, size - g, relevant[label] - r)
            expect.append((first + rest) / relevant[label])
        np.testing.assert_allclose(found[task].excluded[:40], expect, atol=1e-6)


def tie_sum(n, p, g, r):
    """Expected sum of precisions of r relevant items among g tied ones, n before, p relevant."""
    k = np.arange(1, int(g) + 1)
    inside = (k - 1) * (r - 1) / (g - 1) if g > 1 else 0 * k
    return float((r / g * (p + 1 + inside) / (n + k)).sum()) if g and r else 0.0


def test_a_single_predicted_class_is_a_constant(tmp_path, official, constant):
    found = maps(run(tmp_path, official, lambda labels: np.eye(200)[np.zeros(len(labels), int)]))
    assert found == pytest.approx(maps(constant), abs=1e-12)
