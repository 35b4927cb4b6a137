"""Cross attention between the parts of two items, and what SCAN and its followers share besides.

Parts come as *elements* [b, n, d + 1]: a state each, and a last column that is 1 where a part is
and 0, as the state, behind an item's last. What is attended to is never built: a cosine with it
follows from products of states, of which there are far fewer than numbers in the states.

Source: Lee, Chen, Hua, Hu, He, "Stacked cross attention for image-text matching" (ECCV 2018), and
its released code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import isqrt

import torch
from torch import Tensor
from torch.nn.functional import leaky_relu
from torch.utils.checkpoint import checkpoint

_CELLS = 1 << 24
"""Products held at a time: 64 MB, and some six arrays of as many numbers beside them."""
_LEAST = 1e-8
_EQUAL = 1 - 1e-4


def pack(states: Tensor, there: Tensor) -> Tensor:
    """The elements [b, n, d + 1] of states [b, n, d] at the places [b, n] that hold a part."""
    wide = states.to(torch.promote_types(states.dtype, torch.float32))
    flags = there[..., None].to(wide.dtype)
    return torch.cat([wide * flags, flags], dim=-1)


def unpack(elements: Tensor) -> tuple[Tensor, Tensor]:
    """What :func:`pack` was given."""
    return elements[..., :-1], elements[..., -1] > 0


@dataclass(frozen=True, slots=True)
class Attention:
    """How a query's elements attend to those of a context, and how they agree with what they find.

    The products of a context's element with all of a query go through a leaky ReLU of slope
    ``leak`` and are divided by their length; a softmax over the context, ``temperature`` times as
    steep, weighs its states. ``selective`` (MAVA): weights less than 1 / (number of the context's
    elements) become 0. Those equal to it within a rounding error stay, where MAVA's go: all of them
    are equal where a context has one element, or a query.
    """

    temperature: float
    leak: float = 0.1
    selective: bool = False

    def cosines(self, queries: Tensor, contexts: Tensor) -> Tensor:
        """The cosines [b, a, n] of the elements of queries [a, n, d + 1] with what they attend to
        in contexts [b, m, d + 1]; 0 where no part is."""
        states, there = unpack(queries)
        context, known = unpack(contexts)
        products = torch.einsum("and,bmd->banm", states, context)
        return self.weigh(products, states.square().sum(-1), there, context, known)

    def weigh(
        self, products: Tensor, squares: Tensor, there: Tensor, context: Tensor, known: Tensor
    ) -> Tensor:
        """The same, of ``products`` [b, a, n, m] and of the queries' squared lengths [a, n].

        For elements whose products are cheaper than themselves. ``there`` [a, n] and ``known``
        [b, m] tell where parts are; ``context``: states [b, m, d].
        """
        both = there[None, :, :, None] & known[:, None, None, :]
        bent = leaky_relu(products, self.leak).masked_fill(~both, 0)
        bent = bent / (torch.linalg.vector_norm(bent, dim=2, keepdim=True) + _LEAST)
        steep = self.temperature * bent
        weights = steep.masked_fill(~known[:, None, None, :], -torch.inf).softmax(-1)
        if self.selective:
            count = known.sum(1)[:, None, None, None]
            weights = weights.masked_fill(weights * count < _EQUAL, 0)
        along = (weights * products).sum(-1)
        flat = weights.flatten(1, 2)
        found = ((flat @ (context @ context.mT)) * flat).sum(-1).unflatten(1, weights.shape[1:3])
        cosines: Tensor = (along / (_root(squares) * _root(found))).masked_fill(~there, 0)
        return cosines


def blockwise(
    score: Callable[[Tensor, Tensor], Tensor],
    queries: Tensor,
    gallery: Tensor,
    cells: int,
    device: torch.device,
) -> Tensor:
    """``score(queries, gallery)`` [a, b] in blocks of both, so that memory stays below 1 GB.

    ``cells``: how many products a pair of items needs. Blocks are moved to the device; where
    gradients are wanted, and there is more than one, each is computed once more in the backward
    pass instead of being kept.
    """
    pairs = max(1, _CELLS // cells)
    high = min(len(queries), max(isqrt(pairs), pairs // max(1, len(gallery))))
    wide = min(len(gallery), pairs // high)
    kept = not torch.is_grad_enabled() or (high == len(queries) and wide == len(gallery))
    step = score if kept else partial(checkpoint, score, use_reentrant=False)
    with torch.autocast(device.type, enabled=False):
        rows = [
            [step(some.to(device), other.to(device)) for other in torch.split(gallery, wide)]
            for some in torch.split(queries, high)
        ]
        return torch.cat([torch.cat(row, dim=1) for row in rows])


def _root(squares: Tensor) -> Tensor:
    """Lengths, with a gradient of 0 where there is none."""
    return squares.clamp(min=_LEAST**2).sqrt()
