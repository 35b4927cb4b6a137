"""Gradient reversal: what is before it learns against what is after it.

Source: Ganin, Lempitsky, "Unsupervised domain adaptation by backpropagation" (ICML 2015).
"""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor
from torch.autograd import Function


def reverse_gradient(features: Tensor, strength: float) -> Tensor:
    """``features`` as they are; their gradient is multiplied by −``strength``.

    A classifier that follows learns to tell media apart, and what comes before to prevent it.
    """
    reversed_: Tensor = _Reversal.apply(features, strength)
    return reversed_


def reversal_strength(progress: float, steepness: float = 10.0) -> float:
    """2 / (1 + exp(−steepness · progress)) − 1: from 0 at the start of training to almost 1."""
    return 2 / (1 + math.exp(-steepness * progress)) - 1


class _Reversal(Function):
    @staticmethod
    def forward(context: Any, features: Tensor, strength: float) -> Tensor:
        context.strength = strength
        return features.view_as(features)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -context.strength * gradient, None
