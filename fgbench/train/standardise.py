"""Z-scores and ranges of rows, measured once and from then on part of the network."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from fgbench.train.dataset import Inputs

_CHUNK = 4096
"""Items taken at a time for their moments."""


class Standardise(nn.Module):
    """(x − mean) / standard deviation, unit by unit, of rows [n, d].

    Until :meth:`measure` is called rows stay as they are. A unit that does not vary becomes 0.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))

    @classmethod
    def of(cls, inputs: Inputs) -> Standardise:
        """By the moments of vectors: those of the training items, before any training."""
        count = len(inputs)
        chunks = (np.arange(at, min(at + _CHUNK, count)) for at in range(0, count, _CHUNK))
        made = cls(inputs.shape[0])
        made.measure(torch.from_numpy(inputs.take(chunk)) for chunk in chunks)
        return made

    def measure(self, blocks: Iterable[Tensor]) -> None:
        """Take the moments (of the population) of rows that come in blocks [b, d], in float64."""
        count = 0
        total = square = torch.zeros(len(self.mean), dtype=torch.float64)
        shift: Tensor | None = None
        for block in blocks:
            rows = block.double()
            shift = rows[0] if shift is None else shift  # lest squares of a far mean cancel
            count += len(rows)
            total = total.to(rows.device) + (rows - shift).sum(0)
            square = square.to(rows.device) + (rows - shift).square().sum(0)
        if shift is None:
            raise ValueError("no rows to measure")
        mean = total / count
        deviation = (square / count - mean.square()).clamp(min=0).sqrt()
        self.mean.copy_(shift + mean)
        self.deviation.copy_(torch.where(deviation > 0, deviation, 1.0))

    def forward(self, rows: Tensor) -> Tensor:
        return (rows - self.mean) / self.deviation


class Range(nn.Module):
    """Units of rows [b, d] scaled to 0…1 by the least and the greatest of rows once measured."""

    low: Tensor
    high: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("low", torch.zeros(width))
        self.register_buffer("high", torch.ones(width))

    def measure(self, blocks: Iterable[Tensor]) -> None:
        """Take the extremes of rows that come in blocks [b, d]."""
        ends = [torch.stack([block.amin(0), block.amax(0)]) for block in blocks]
        self.low.copy_(torch.stack(ends).amin(0)[0])
        self.high.copy_(torch.stack(ends).amax(0)[1])

    def forward(self, rows: Tensor) -> Tensor:
        span = self.high - self.low
        return ((rows - self.low) / torch.where(span > 0, span, 1.0)).clamp(0, 1)
