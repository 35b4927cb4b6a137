"""Gradients that are cut to a length before an optimiser steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn


def clipped_adam(
    groups: Iterable[dict[str, Any]], *, rate: float, longest: float
) -> torch.optim.Adam:
    """Adam, before whose steps all gradients together are cut to a norm of ``longest``."""
    optimiser = torch.optim.Adam(groups, lr=rate)

    def clip(stepping: torch.optim.Optimizer, *_: object) -> None:
        moving = [p for group in stepping.param_groups for p in group["params"]]
        nn.utils.clip_grad_norm_(moving, longest)

    optimiser.register_step_pre_hook(clip)
    return optimiser
