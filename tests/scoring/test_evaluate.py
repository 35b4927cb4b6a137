"""Every kind of submission against the obvious form, and what must not change a number."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from oracle import brute

from fgbench.benchmark import Benchmark
from fgbench.protocol import MEDIA, PAPER_STACK, Calibration, Medium, Task, bimodal_tasks
from fgbench.scoring.evaluate import evaluate
from fgbench.scoring.values import SECONDARY, TaskValues
from fgbench.submission import check, write_submission

Embeddings = Mapping[Medium, np.ndarray]


def embeddings(small: Benchmark, width: int = 5, seed: int = 0) -> dict[Medium, np.ndarray]:
    """Some signal, so that no measure is trivial."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(7, width))
    return {
        m: (centres[small.items[m].labels] + 1.5 * rng.normal(size=(len(small.items[m]), width)))
        for m in MEDIA
    }


def run(tmp_path, small, name="s.npz", *, ids=None, how=None, **arrays) -> dict[Task, TaskValues]:
    path = tmp_path / name
    write_submission(path, ids=ids or {m: small.items[m].ids for m in MEDIA}, **arrays)
    report = check(path, small)
    assert report.ok, report.faults
    with report.submission as submission:
        return evaluate(submission, small, **(how or {}))


def cosine(a, b):
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    return (a @ b.T).astype(np.float32)


def maps(values):
    return {t.code: float(v.excluded.mean(dtype=float)) for t, v in values.items()}


def expect(small, similarity, values, tolerance=2e-6):
    """Compare with the obvious form. ``similarity(q, g)``: [n_q, n_g] between two media."""
    for task, found in values.items():
        labels = small.items[task.query].labels
        galleries = [task.gallery] if task.gallery else list(MEDIA)
        block = np.concatenate([similarity(task.query, g) for g in galleries], axis=1)
        columns = np.concatenate([small.items[g].labels for g in galleries])
        start = sum(len(small.items[g]) for g in MEDIA[: MEDIA.index(task.query)])
        for q in range(len(labels)):
            keep = np.ones(len(columns), bool)
            if task.gallery is None:
                whole = brute.expected_ap(block[q], columns == labels[q])
                assert found.included[q] == pytest.approx(whole, abs=tolerance)
                keep[start + q] = False
            ap = brute.expected_ap(block[q, keep], (columns == labels[q])[keep])
            assert found.excluded[q] == pytest.approx(ap, abs=tolerance), (task, q)


def test_common_space(tmp_path, small):
    given = embeddings(small)
    values = run(tmp_path, small, embeddings=given)
    assert len(values) == 16
    expect(small, lambda q, g: cosine(given[q], given[g]), values)


def test_binary_codes_tie_exactly(tmp_path, small):
    given = {m: np.where(e > 0, 1, -1).astype(np.int8) for m, e in embeddings(small, 6).items()}
    values = run(tmp_path, small, embeddings=given, binary=True)
    expect(
        small,
        lambda q, g: -(given[q][:, None, :] != given[g][None]).sum(axis=2).astype(float),
        values,
    )


def calibrated(block, how, own):
    """Row by row, as a sentence would say it."""
    out = np.empty(block.shape)
    for i, row in enumerate(block.astype(float)):
        others = row if own is None else np.delete(row, i)
        for j, value in enumerate(row):
            if how is Calibration.NONE:
                out[i, j] = value
            elif how is Calibration.ZROW:
                out[i, j] = (value - others.mean()) / others.std() if others.std() > 0 else 0.0
            else:
                rest = row if own is None and j >= 0 else np.delete(row, i)
                above, same = (rest > value).sum(), (rest == value).sum()
                place = (
                    above + (same + 1) / 2
                    if not (own is not None and i == j)
                    else above + 1 + same / 2
                )
                out[i, j] = -place / len(others)
    return out


@pytest.mark.parametrize("how", list(Calibration))
def test_pairwise_spaces_merge_by_the_rule(tmp_path, small, how):
    pairs = {}
    for n, task in enumerate(
        t for t in bimodal_tasks() if MEDIA.index(t.query) < MEDIA.index(t.gallery)
    ):
        given = embeddings(small, 4 + n % 2, seed=n)
        pairs[task.query, task.gallery] = {m: given[m] for m in (task.query, task.gallery)}
    written = {pair: tuple(both.values()) for pair, both in pairs.items()}
    values = run(tmp_path, small, pairs=written, how={"calibration": how})

    def space(a, b):
        return pairs[a, b] if (a, b) in pairs else pairs[b, a]

    bimodal = {t: v for t, v in values.items() if t.bimodal}
    expect(small, lambda q, g: cosine(space(q, g)[q], space(q, g)[g]), bimodal)

    def merged(q, g):
        if q is not g:
            return calibrated(cosine(space(q, g)[q], space(q, g)[g]), how, None).astype(np.float32)
        others = [m for m in MEDIA if m is not q]
        within = [calibrated(cosine(space(q, m)[q], space(q, m)[q]), how, True) for m in others]
        return np.mean(within, axis=0).astype(np.float32)

    union = {t: v for t, v in values.items() if not t.bimodal}
    assert len(union) == 4
    expect(small, merged, union, tolerance=1e-4)  # float32 against float64 z-scores: order of few


def test_score_matrices_and_their_transposes(tmp_path, small):
    rng = np.random.default_rng(3)
    scores = {}
    for a, q in enumerate(MEDIA):
        for g in MEDIA[a:]:
            shape = (len(small.items[q]), len(small.items[g]))
            scores[q, g] = rng.normal(size=shape).astype(np.float32)
    values = run(tmp_path, small, scores=scores, how={"calibration": Calibration.NONE})
    expect(small, lambda q, g: scores[q, g] if (q, g) in scores else scores[g, q].T, values)


def test_without_blocks_within_a_medium_the_union_is_left_out(tmp_path, small):
    rng = np.random.default_rng(3)
    scores = {
        (t.query, t.gallery): rng.normal(
            size=(len(small.items[t.query]), len(small.items[t.gallery]))
        )
        for t in bimodal_tasks()
    }
    values = run(tmp_path, small, scores=scores)
    assert set(values) == set(bimodal_tasks())


def test_a_subset_of_media_gives_its_own_tasks(tmp_path, small):
    given = embeddings(small)
    some = (Medium.TEXT, Medium.AUDIO)
    values = run(
        tmp_path,
        small,
        ids={m: small.items[m].ids for m in some},
        embeddings={m: given[m] for m in some},
    )
    assert [t.code for t in values] == ["t2a", "a2t"]


def rotation(width):
    q, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(width, width)))
    return q


@pytest.mark.parametrize(
    "change",
    ["rows", "scale", "rotate", "block", "threads", "negated twice"],
)
def test_what_must_not_move_a_number(tmp_path, small, change):
    given = embeddings(small, 8)
    before = maps(run(tmp_path, small, "a.npz", embeddings=given))
    ids, how = {m: small.items[m].ids for m in MEDIA}, {}
    changed = dict(given)
    rng = np.random.default_rng(9)
    if change == "rows":
        order = {m: rng.permutation(len(ids[m])) for m in MEDIA}
        ids = {m: ids[m][order[m]] for m in MEDIA}
        changed = {m: given[m][order[m]] for m in MEDIA}
    elif change == "scale":
        changed = {m: given[m] * rng.uniform(1e-3, 1e3, size=(len(given[m]), 1)) for m in MEDIA}
    elif change == "rotate":
        changed = {m: given[m] @ rotation(8) for m in MEDIA}
    elif change == "block":
        how = {"block": 5}
    elif change == "threads":
        how = {"threads": 7}
    else:
        changed = {m: -given[m] for m in MEDIA}
    after = maps(run(tmp_path, small, "b.npz", ids=ids, embeddings=changed, how=how))
    assert after == pytest.approx(before, abs=1e-6)


def test_ties_do_not_depend_on_row_order(tmp_path, small):
    """Rows that are equal after normalisation tie exactly, whoever stands first."""
    rng = np.random.default_rng(11)
    prototypes = rng.normal(size=(4, 6))
    given = {m: prototypes[rng.integers(4, size=len(small.items[m]))] for m in MEDIA}
    given = {m: e * rng.choice([0.5, 1.0, 4.0], size=(len(e), 1)) for m, e in given.items()}
    before = maps(run(tmp_path, small, "a.npz", embeddings=given))
    order = {m: np.argsort(small.items[m].labels, kind="stable") for m in MEDIA}
    sorted_ids = {m: small.items[m].ids[order[m]] for m in MEDIA}
    rows = {m: given[m][order[m]] for m in MEDIA}
    assert maps(run(tmp_path, small, "b.npz", ids=sorted_ids, embeddings=rows)) == before
    expect(
        small,
        lambda q, g: cosine(given[q], given[g]).round(5),
        run(tmp_path, small, "c.npz", embeddings=given),
    )


def test_the_papers_tie_rule_equals_its_script(tmp_path, small):
    """An independent form of the authors' script: float64 cosine distance, a stable sort, galleries
    stacked image, text, audio, video, the query in its own gallery."""
    from scipy.spatial.distance import cdist

    rng = np.random.default_rng(2)
    prototypes = rng.normal(size=(6, 3)).astype(np.float32)
    given = {m: prototypes[rng.integers(6, size=len(small.items[m]))] for m in MEDIA}
    values = run(tmp_path, small, embeddings=given, how={"stable": True})
    for task, found in values.items():
        galleries = [task.gallery] if task.gallery else list(PAPER_STACK)
        gallery = np.concatenate([given[g] for g in galleries])
        columns = np.concatenate([small.items[g].labels for g in galleries])
        distance = cdist(given[task.query], gallery, "cosine").round(12)
        for q, label in enumerate(small.items[task.query].labels):
            assert found.stable[q] == pytest.approx(
                brute.stable_ap(-distance[q], columns == label), abs=1e-9
            )


def test_secondary_measures_are_named_and_bounded(tmp_path, small):
    values = run(tmp_path, small, embeddings=embeddings(small))
    for found in values.values():
        assert found.secondary.shape == (len(found.rows), len(SECONDARY))
        assert (found.secondary >= 0).all()
        assert (found.secondary <= 1 + 1e-12).all()
        hits = found.secondary[:, [SECONDARY.index(f"hit@{k}") for k in (1, 5, 10)]]
        assert (np.diff(hits, axis=1) >= 0).all()
        assert found.firsts.sum() == pytest.approx(len(found.rows))


def test_progress_reaches_the_end(tmp_path, small):
    parts = []
    run(tmp_path, small, embeddings=embeddings(small), how={"progress": parts.append, "block": 10})
    assert parts == sorted(parts)
    assert parts[-1] == 1.0
