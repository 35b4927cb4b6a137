"""Both estimates against loops over pairs, and against samples whose discrepancy is known."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbench.train.mmd import full_mmd, sampled_mmd


def normal(n, d, seed, shift=0.0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=generator, dtype=torch.float64) + shift


def slow_kernel(source, target):
    rows = [*source.tolist(), *target.tolist()]

    def squared(a, b):
        return sum((x - y) ** 2 for x, y in zip(a, b, strict=True))

    pairs = [(a, b) for a in range(len(rows)) for b in range(len(rows)) if a != b]
    gamma = len(pairs) / sum(squared(rows[a], rows[b]) for a, b in pairs)
    return lambda a, b: math.exp(-gamma * squared(rows[a], rows[b]))


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 5), st.integers(2, 5), st.integers(1, 4), st.integers(0, 10_000))
def test_the_full_estimate_is_that_of_all_pairs_of_different_rows(n, m, d, seed):
    source, target = normal(n, d, seed), normal(m, d, seed + 1, 0.7)
    k = slow_kernel(source, target)
    first = [k(a, b) for a in range(n) for b in range(n) if a != b]
    second = [k(n + a, n + b) for a in range(m) for b in range(m) if a != b]
    between = [k(a, n + b) for a in range(n) for b in range(m)]
    slow = sum(first) / len(first) + sum(second) / len(second) - 2 * sum(between) / len(between)
    assert full_mmd(source, target).item() == pytest.approx(slow, abs=1e-12)


def test_the_sampled_estimate_has_the_full_one_as_its_mean():
    source, target = normal(6, 3, 1), normal(9, 3, 2, 1.0)
    torch.manual_seed(0)
    drawn = torch.stack([sampled_mmd(source, target) for _ in range(4000)])
    error = drawn.std() / 4000**0.5
    assert abs(drawn.mean() - full_mmd(source, target)) < 4 * error
    assert error < 0.01


def test_two_rows_each_leave_the_sampled_estimate_two_pairs_to_draw():
    source, target = normal(2, 3, 1), normal(2, 3, 2)
    k = slow_kernel(source, target)
    within = k(0, 1) + k(2, 3)
    possible = [within - k(0, 3) - k(1, 2), within - k(0, 2) - k(1, 3)]
    mixed = sum(possible) / 2
    torch.manual_seed(0)
    for _ in range(20):
        found = sampled_mmd(source, target).item()
        assert min(abs(found - value) for value in (*possible, mixed)) < 1e-9


def test_equal_samples_are_near_and_others_far():
    assert abs(full_mmd(normal(200, 2, 1), normal(200, 2, 2))) < 0.01
    assert full_mmd(normal(200, 2, 1), normal(200, 2, 2, 2.0)) > 0.2


def test_rows_that_all_agree_have_no_discrepancy_and_no_nan():
    same = torch.ones(3, 2, requires_grad=True)
    full_mmd(same, torch.ones(4, 2)).backward()
    assert torch.equal(same.grad, torch.zeros(3, 2))
    assert sampled_mmd(same, torch.ones(4, 2)).item() == 0.0


def test_lowering_it_brings_samples_together():
    source, target = normal(30, 2, 1, 2.0).requires_grad_(), normal(30, 2, 2)
    start = full_mmd(source, target).item()
    optimiser = torch.optim.SGD([source], lr=5.0)
    for _ in range(100):
        optimiser.zero_grad()
        full_mmd(source, target).backward()
        optimiser.step()
    assert full_mmd(source, target).item() < 0.2 * start


def test_the_gradient_is_that_at_a_kernel_held_fixed():
    source, target = normal(4, 3, 1).requires_grad_(), normal(5, 3, 2)
    full_mmd(source, target).backward()
    rows = torch.cat([source.detach(), target])
    squared = (rows[:, None] - rows[None]).square().sum(-1)
    gamma = 9 * 8 / squared.sum()

    def fixed(moved):
        both = torch.cat([moved, target])
        k = torch.exp(-gamma * (both[:, None] - both[None]).square().sum(-1))
        inner = (k[:4, :4].sum() - 4) / 12 + (k[4:, 4:].sum() - 5) / 20
        return inner - 2 * k[:4, 4:].mean()

    for row in range(4):
        for column in range(3):
            step = torch.zeros(4, 3, dtype=torch.float64)
            step[row, column] = 1e-6
            slope = (fixed(source.detach() + step) - fixed(source.detach() - step)) / 2e-6
            assert source.grad[row, column].item() == pytest.approx(slope.item(), abs=1e-8)
