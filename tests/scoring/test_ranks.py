"""The counting kernel against sorting, for every gallery, tie pattern and self rule."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import brute

from fgbench.scoring.gallery import stack
from fgbench.scoring.ranks import Ranked, rank

LABELS = 5
GAINS = np.array(
    [[3 if a == b else 2 if a // 2 == b // 2 else a % 2 for b in range(5)] for a in range(5)]
)


def ranked(block, expand, gallery, queries, media, union=True, stable=False):
    out = Ranked.blank(len(queries), gallery, stable=stable)
    rank(block, expand, gallery, queries, media, union, out)
    return out


def make(seed, sizes):
    """Labels of each medium; every label occurs in every medium."""
    rng = np.random.default_rng(seed)
    return rng, [np.concatenate((np.arange(LABELS), rng.integers(LABELS, size=n))) for n in sizes]


def similarities(rng, kind, shape):
    if kind == "smooth":
        return rng.normal(size=shape).astype(np.float32)
    if kind == "ties":
        return rng.integers(4, size=shape).astype(np.float32)
    if kind == "crowded":  # nearly all in one bin, as softmax features are
        return (rng.random(shape) ** 40).astype(np.float32)
    if kind == "constant":
        return np.full(shape, 0.25, np.float32)
    return np.round(rng.normal(size=shape), 1).astype(np.float32) * np.float32(1e30)


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(0, 60), min_size=2, max_size=4),
    st.sampled_from(["smooth", "ties", "crowded", "constant", "huge"]),
    st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_every_gallery_equals_the_sorted_form(seed, sizes, kind, graded):
    rng, labels = make(seed, sizes)
    gallery = stack(labels, np.arange(LABELS), GAINS if graded else None)
    columns = np.concatenate(labels)
    queries = rng.integers(len(columns), size=3)
    block = similarities(rng, kind, (3, len(columns)))
    every = np.ones(len(labels), bool)
    found = ranked(block, None, gallery, queries, every, stable=True)
    ends = np.cumsum([len(part) for part in labels])
    for q, query in enumerate(queries):
        relevant = columns == columns[query]
        gains = GAINS[columns[query], columns]
        for slot, (end, part) in enumerate(zip(ends, labels, strict=True)):
            mine = slice(end - len(part), end)
            expect = brute.expected_ap(block[q, mine], relevant[mine])
            assert found.measures[q, slot, 0] == pytest.approx(expect, abs=1e-9)
            assert found.stable[q, slot] == pytest.approx(
                brute.stable_ap(block[q, mine], relevant[mine]), abs=1e-9
            )
            if graded:
                ndcg = brute.expected_ndcg(block[q, mine], gains[mine])
                assert found.measures[q, slot, -1] == pytest.approx(ndcg, abs=1e-5)
        others = np.arange(len(columns)) != query
        assert found.included[q] == pytest.approx(brute.expected_ap(block[q], relevant), abs=1e-9)
        assert found.stable[q, -1] == pytest.approx(brute.stable_ap(block[q], relevant), abs=1e-9)
        assert found.measures[q, -1, 0] == pytest.approx(
            brute.expected_ap(block[q, others], relevant[others]), abs=1e-9
        )
        if graded:
            ndcg = brute.expected_ndcg(block[q, others], gains[others])
            assert found.measures[q, -1, -1] == pytest.approx(ndcg, abs=1e-5)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["smooth", "ties", "constant"]))
@settings(deadline=None, max_examples=30)
def test_first_labels_are_counted_in_expectation(seed, kind):
    rng, labels = make(seed, [20, 9])
    gallery = stack(labels, np.arange(LABELS), GAINS)
    columns = np.concatenate(labels)
    block = similarities(rng, kind, (4, len(columns)))
    queries = rng.integers(len(columns), size=4)
    found = ranked(block, None, gallery, queries, np.ones(2, bool))
    expect = np.zeros((3, LABELS, LABELS))
    for row, query in zip(block, queries, strict=True):
        others = np.arange(len(columns)) != query
        first = np.arange(len(columns)) < len(labels[0])
        for slot, among in enumerate((first, ~first, others)):
            best = among & (row == row[among].max())
            np.add.at(expect[slot, columns[query]], columns[best], 1 / best.sum())
    np.testing.assert_allclose(found.firsts, expect, atol=1e-12)


def test_expanding_shared_columns_equals_the_full_row():
    rng, labels = make(7, [50, 30])
    gallery = stack(labels, np.arange(LABELS), None)
    expand = rng.integers(6, size=len(gallery.labels))
    narrow = rng.normal(size=(5, 6)).astype(np.float32)
    queries, media = np.arange(5), np.ones(2, bool)
    shared = ranked(narrow, expand, gallery, queries, media)
    full = ranked(np.ascontiguousarray(narrow[:, expand]), None, gallery, queries, media)
    for a, b in zip(shared, full, strict=True):
        np.testing.assert_array_equal(a, b)


def test_many_relevant_items_take_the_sorted_path_and_agree():
    """One class: every item is relevant, every bin is large."""
    labels = [np.zeros(6000, int), np.zeros(5000, int)]
    gallery = stack(labels, np.array([0]), None)
    block = np.random.default_rng(0).integers(50, size=(1, 11000)).astype(np.float32)
    found = ranked(block, None, gallery, np.array([17]), np.ones(2, bool))
    assert found.measures[0, :, 0] == pytest.approx(1.0)
    assert found.included == pytest.approx(1.0)


def test_a_slot_that_was_not_asked_for_stays_empty_until_it_is():
    rng, labels = make(3, [10, 10])
    gallery = stack(labels, np.arange(LABELS), GAINS)
    block = rng.normal(size=(2, len(gallery.labels))).astype(np.float32)
    only = np.array([False, True])
    found = ranked(block, None, gallery, np.arange(2), only, union=False)
    assert np.isnan(found.measures[:, [0, 2]]).all()
    rank(block, None, gallery, np.arange(2), np.zeros(2, bool), True, found)
    assert np.isnan(found.measures[:, 0]).all()
    assert np.isfinite(found.measures[:, 1:]).all()
