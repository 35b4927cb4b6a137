"""Each term against a slow form written as its formula is printed, and its gradient."""

from itertools import permutations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbench.train.terms import (
    Centres,
    batch_centres,
    batch_ranking_term,
    centre_term,
    contrastive_term,
    distances,
    hardest_hinges,
    paired_distances,
    ranking_term,
    triplet_term,
)

shapes = given(st.integers(0, 10_000), st.integers(1, 7), st.integers(1, 5))
quick = settings(max_examples=40, deadline=None)


def rows(n, d, seed, **kind):
    # Halves of whole numbers: sums are exact, rows agree often, hinges are met exactly.
    drawn = torch.randint(-3, 4, (n, d), generator=torch.Generator().manual_seed(seed)) / 2
    return drawn.to(torch.float64).requires_grad_(**kind)


def labels_of(n, classes, seed):
    return torch.randint(classes, (n,), generator=torch.Generator().manual_seed(seed))


def gap(a, b):
    return sum((x - y) ** 2 for x, y in zip(a.tolist(), b.tolist(), strict=True)) ** 0.5


def hinge(value):
    return max(0.0, value)


@quick
@shapes
def test_distances_are_between_all_rows_or_rows_of_one_place(seed, n, d):
    a, b = rows(n, d, seed), rows(n, d, seed + 1)
    slow = [[gap(x, y) for y in b] for x in a]
    torch.testing.assert_close(distances(a, b), torch.tensor(slow, dtype=torch.float64))
    torch.testing.assert_close(paired_distances(a, b), distances(a, b).diagonal())


@quick
@shapes
def test_the_centre_term_is_the_mean_squared_distance_to_the_own_centre(seed, n, d):
    x, y, centres = rows(n, d, seed), labels_of(n, 3, seed), rows(3, d, seed + 1)
    slow = sum(gap(x[k], centres[y[k]]) ** 2 for k in range(n)) / n
    assert centre_term(x, y, centres).item() == pytest.approx(slow)


@quick
@shapes
def test_batch_centres_are_means_of_the_rows_of_a_class(seed, n, d):
    x, y = rows(n, d, seed), labels_of(n, 4, seed)
    centres = batch_centres(x, y, 4)
    for c in range(4):
        own = x[y == c]
        expected = own.mean(0) if len(own) else torch.zeros(d, dtype=torch.float64)
        torch.testing.assert_close(centres[c], expected)


@quick
@shapes
def test_the_triplet_term_is_a_mean_of_hinges(seed, n, d):
    a, p, q = (rows(n, d, seed + k) for k in range(3))
    slow = [hinge(0.5 + gap(a[k], p[k]) ** 2 - gap(a[k], q[k]) ** 2) for k in range(n)]
    assert triplet_term(a, p, q, 0.5).item() == pytest.approx(sum(slow) / n)


@quick
@shapes
def test_the_ranking_term_has_two_hinges_of_squared_distances(seed, n, d):
    i, j, k, m = (rows(n, d, seed + at) for at in range(4))
    slow = 0.0
    for q in range(n):
        slow += hinge(gap(i[q], j[q]) ** 2 - gap(i[q], k[q]) ** 2 + 1)
        slow += hinge(gap(i[q], j[q]) ** 2 - gap(m[q], k[q]) ** 2 + 0.5)
    assert ranking_term(i, j, k, m).item() == pytest.approx(slow / n)


@quick
@given(st.integers(0, 10_000), st.integers(1, 8), st.integers(1, 4))
def test_the_released_ranking_is_the_mean_of_the_open_hinges_of_all_quadruplets(seed, n, classes):
    x, y = rows(n, 3, seed), labels_of(n, classes, seed)
    slow = []
    for i, j, k, m in permutations(range(n), 4):
        if y[i] == y[j] and y[i] != y[k] and y[i] != y[m] and y[k] != y[m]:
            first = gap(x[i], x[j]) - gap(x[i], x[k]) + 1
            slow.append(hinge(first + gap(x[i], x[j]) - gap(x[k], x[m]) + 0.5))
    opened = [value for value in slow if value > 0]
    expected = sum(opened) / len(opened) if opened else 0.0
    assert batch_ranking_term(x, y).item() == pytest.approx(expected)


def test_gradients_are_those_of_finite_differences():
    generator = torch.Generator().manual_seed(0)

    def smooth(n, d=4):
        return torch.randn(n, d, generator=generator, dtype=torch.float64).requires_grad_()

    four = tuple(smooth(5) for _ in range(4))
    y = torch.tensor([0, 0, 1, 1, 2])
    assert torch.autograd.gradcheck(lambda x, c: centre_term(x, y, c), (smooth(5), smooth(3)))
    assert torch.autograd.gradcheck(lambda x: centre_term(x, y, batch_centres(x, y, 3)), smooth(5))
    assert torch.autograd.gradcheck(lambda a, p, q: triplet_term(a, p, q, 3.0), four[:3])
    assert torch.autograd.gradcheck(ranking_term, four)
    assert torch.autograd.gradcheck(lambda x: batch_ranking_term(x, y), smooth(5))


def test_rows_that_agree_have_a_gradient_of_zero_and_no_nan():
    x = torch.ones(4, 3, requires_grad=True)
    y = torch.tensor([0, 0, 1, 2])
    (batch_ranking_term(x, y) + ranking_term(x, x, x, x) + triplet_term(x, x, x, 1.0)).backward()
    assert torch.equal(x.grad, torch.zeros_like(x))


def test_half_precision_is_widened_before_differences_are_taken():
    x = torch.full((2, 3), 256.0, dtype=torch.bfloat16)
    near = torch.full((2, 3), 257.5, dtype=torch.float32)
    assert paired_distances(x, near).dtype is torch.float32
    assert paired_distances(x, near)[0].item() == pytest.approx(1.5 * 3**0.5)
    assert distances(x, near.bfloat16()).dtype is torch.float32


def test_learned_centres_go_to_the_rows_of_their_class_and_others_stay():
    torch.manual_seed(0)
    centres = Centres(3, 2)
    start = centres.points.detach().clone()
    x, y = torch.tensor([[5.0, 5.0], [7.0, 7.0]]), torch.tensor([1, 1])
    optimiser = torch.optim.SGD(centres.parameters(), lr=0.4)
    for _ in range(60):
        optimiser.zero_grad()
        centres(x, y).backward()
        optimiser.step()
    torch.testing.assert_close(centres.points[1].detach(), torch.tensor([6.0, 6.0]))
    torch.testing.assert_close(centres.points[[0, 2]].detach(), start[[0, 2]])


@quick
@shapes
def test_the_contrastive_term_pulls_pairs_of_a_class_and_parts_the_others(seed, n, d):
    a, b = rows(n, d, seed), rows(n + 1, d, seed + 1)
    same = labels_of(n, 2, seed)[:, None] == labels_of(n + 1, 2, seed + 1)[None, :]
    slow = 0.0
    for i in range(n):
        for j in range(n + 1):
            far = gap(a[i], b[j])
            slow += far**2 if same[i, j] else hinge(1.5 - far) ** 2
    found = contrastive_term(a, b, same, margin=1.5)
    assert found.item() == pytest.approx(slow / (2 * n))


@quick
@given(st.integers(0, 10_000), st.integers(1, 6), st.booleans())
def test_the_hardest_hinges_are_of_one_negative_a_row_and_a_column(seed, n, mask):
    scores, labels = rows(n, n, seed), labels_of(n, 3, seed)
    slow = 0.0
    for i in range(n):
        others = [j for j in range(n) if (labels[i] != labels[j] if mask else i != j)]
        slow += max((hinge(0.2 + (scores[i, j] - scores[i, i]).item()) for j in others), default=0)
        slow += max((hinge(0.2 + (scores[j, i] - scores[i, i]).item()) for j in others), default=0)
    found = hardest_hinges(scores, labels, 0.2, mask_same_class=mask)
    assert found.item() == pytest.approx(slow)


def test_the_new_terms_have_the_gradients_of_their_formulas():
    a, b = rows(4, 3, 1, requires_grad=True), rows(5, 3, 2, requires_grad=True)
    a, b = a + 0.1, b  # no row agrees with another: there a distance has no gradient
    same = labels_of(4, 2, 0)[:, None] == labels_of(5, 2, 1)[None, :]
    a, b = (x.detach().requires_grad_() for x in (a, b))
    assert torch.autograd.gradcheck(lambda x, y: contrastive_term(x, y, same, 1.3), (a, b))
    scores = torch.rand(5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 1, 2, 0, 1])
    scores.requires_grad_()
    assert torch.autograd.gradcheck(lambda s: hardest_hinges(s, labels, 0.2), (scores,))
