"""Maximum mean discrepancy: how far two samples of rows are apart, by one Gaussian kernel.

k(a, b) = exp(−γ‖a − b‖²); 1/γ is the mean of ‖a − b‖² over all pairs of rows of both samples, anew
for each batch and without a gradient, as in the transfer-caffe layer that MHTN was released with.
Both estimates are unbiased and can be below 0; a sample has at least two rows.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fgbench.train.terms import distances


def full_mmd(source: Tensor, target: Tensor) -> Tensor:
    """MMD² of rows [n, d] and [m, d], from all pairs of different rows."""
    n, m = len(source), len(target)
    kernel = _kernel(source, target)
    within_source = _between_different(kernel[:n, :n])
    within_target = _between_different(kernel[n:, n:])
    return within_source + within_target - 2 * kernel[:n, n:].sum() / (n * m)


def sampled_mmd(source: Tensor, target: Tensor) -> Tensor:
    """MMD² of rows [n, d] and [m, d], from max(n, m) quadruples of torch's generator.

    s₁ ≠ s₂ and t₁ ≠ t₂ at random: the mean of k(s₁, s₂) + k(t₁, t₂) − k(s₁, t₂) − k(s₂, t₁).
    """
    n, m = len(source), len(target)
    kernel = _kernel(source, target)
    s1, s2 = _different(n, max(n, m), source.device)
    t1, t2 = _different(m, max(n, m), source.device)
    t1, t2 = n + t1, n + t2
    return (kernel[s1, s2] + kernel[t1, t2] - kernel[s1, t2] - kernel[s2, t1]).mean()


def _kernel(source: Tensor, target: Tensor) -> Tensor:
    """k of all rows of both with all [n + m, n + m]."""
    rows = torch.cat([source, target])
    squared = distances(rows, rows).square()
    spread = _between_different(squared.detach())
    return torch.exp(-squared / torch.where(spread > 0, spread, 1.0))


def _between_different(square: Tensor) -> Tensor:
    """The mean of what is off the diagonal."""
    n = len(square)
    return (square.sum() - square.diagonal().sum()) / (n * (n - 1))


def _different(n: int, count: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Two places below ``n``, never the same, ``count`` times."""
    first = torch.randint(n, (count,), device=device)
    return first, (first + torch.randint(1, n, (count,), device=device)) % n
