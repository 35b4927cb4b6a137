"""Neighbours and Laplacians against the textbook's matrices, and that no large one is held."""

import tracemalloc
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbench.train import neighbours
from fgbench.train.neighbours import Laplacian, graph_product, nearest, sparse_rows


def all_distances(points, references):
    return np.array([[np.sqrt(((p - r) ** 2).sum()) for r in references] for p in points])


def textbook_product(rows, count, laplacian):
    """XᵀLX by the definition, every matrix written out."""
    n = len(rows)
    gaps = all_distances(rows, rows)
    linked = np.zeros((n, n))
    for i in range(n):
        others = sorted((j for j in range(n) if j != i), key=lambda j: gaps[i, j])
        for j in others[:count]:
            linked[i, j] = linked[j, i] = 1
    root = np.diag([1 / np.sqrt(degree) for degree in linked.sum(axis=1)])
    weights = linked if laplacian is Laplacian.KNN else 1 / (1 + np.exp(gaps))
    return rows.T @ (np.eye(n) - root @ weights @ root) @ rows


@pytest.mark.parametrize("laplacian", Laplacian)
@given(
    n=st.integers(2, 23), width=st.integers(1, 5), count=st.integers(1, 9), seed=st.integers(0, 99)
)
def test_the_graph_s_product_is_the_textbook_s(laplacian, n, width, count, seed):
    rows = np.random.default_rng(seed).normal(size=(n, width))
    with mock.patch.object(neighbours, "ROWS", 4):  # so that there are several blocks
        found = graph_product(rows, count, laplacian)
    # Distances come from products of rows: near 0 half of the digits are lost.
    np.testing.assert_allclose(found, textbook_product(rows, count, laplacian), atol=1e-6)


@given(n=st.integers(2, 20), count=st.integers(1, 9), seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(n, count, seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, 3))
    mixed = rng.permutation(rows)
    for laplacian in Laplacian:
        one, other = (graph_product(r, count, laplacian) for r in (rows, mixed))
        np.testing.assert_allclose(one, other, atol=1e-9)


@given(
    points=st.integers(1, 11),
    references=st.integers(1, 11),
    count=st.integers(1, 13),
    seed=st.integers(0, 99),
)
def test_the_nearest_are_those_of_a_sort(points, references, count, seed):
    rng = np.random.default_rng(seed)
    p, r = rng.normal(size=(points, 3)), rng.normal(size=(references, 3))
    with mock.patch.object(neighbours, "ROWS", 3):
        places, far = nearest(p, r, count)
    gaps = all_distances(p, r)
    np.testing.assert_allclose(np.sort(far), np.sort(gaps)[:, :count], atol=1e-9)
    np.testing.assert_allclose(np.take_along_axis(gaps, places, axis=1), far, atol=1e-9)


def test_a_row_is_not_its_own_neighbour_even_among_equal_rows():
    rows = np.ones((7, 2))
    places, far = nearest(rows, rows, 6, itself=False)
    assert all(set(found) == set(range(7)) - {at} for at, found in enumerate(places))
    assert not far.any()


@pytest.mark.parametrize("laplacian", Laplacian)
def test_a_single_row_has_no_neighbour_and_its_laplacian_is_one(laplacian):
    assert graph_product(np.array([[2.0, 3.0]]), 5, laplacian).tolist() == [[4, 6], [6, 9]]


def test_sparse_rows_lie_where_they_are_said_to():
    found = sparse_rows(np.array([[2, 0], [1, 2]]), np.array([[5.0, 6.0], [7.0, 8.0]]), 4)
    assert found.toarray().tolist() == [[6, 0, 5, 0], [0, 7, 8, 0]]


@pytest.mark.parametrize("laplacian", Laplacian)
def test_no_matrix_of_all_with_all_is_held(laplacian):
    n = 8000
    rows = np.random.default_rng(0).normal(size=(n, 4))
    tracemalloc.start()
    graph_product(rows, 10, laplacian)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < n * n * 8 / 4
