"""Hinges of every negative against a slow form, and draws of a wrong row."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbench.train.terms import all_hinges, draw_others


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=9))
def test_a_row_is_drawn_of_another_class_for_each_that_has_one(labels):
    rows, others = draw_others(torch.tensor(labels))
    assert rows.tolist() == (list(range(len(labels))) if len(set(labels)) > 1 else [])
    assert all(labels[i] != labels[j] for i, j in zip(rows, others, strict=True))


def test_each_such_row_is_as_likely():
    labels = torch.tensor([0, 0, 1, 2, 1])
    torch.manual_seed(0)
    found = torch.zeros(5, 5)
    for _ in range(1500):
        found[draw_others(labels)] += 1 / 1500
    wrong = (labels[:, None] != labels).float()
    expected = wrong / wrong.sum(1, keepdim=True)
    torch.testing.assert_close(found, expected, rtol=0, atol=0.06)  # over four deviations


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.integers(1, 6), st.booleans())
def test_all_hinges_are_those_of_every_negative_of_a_row_and_a_column(seed, n, mask):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(n, n, generator=generator, dtype=torch.float64)
    labels = torch.randint(3, (n,), generator=generator)
    expected = 0.0
    for i in range(n):
        for j in range(n):
            if labels[i] != labels[j] if mask else i != j:
                expected += max(0.0, 0.2 + float(scores[i, j] - scores[i, i]))
                expected += max(0.0, 0.2 + float(scores[j, i] - scores[i, i]))
    found = all_hinges(scores, labels, 0.2, mask_same_class=mask)
    assert found.item() == pytest.approx(expected / n)
