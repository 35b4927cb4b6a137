"""How deepnet trains: the library, for Python 2, that CMDN and CCL were released with.

Layers from N(0, 1/fan-in), L2 decay of weights alone, rates and momentum that change as updates go
by, and two RBMs upon the features of a medium. The releases count updates, on some hundred items;
here all lengths are shares of a stage, so that a shorter stage has the same course.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import Module
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from fgbench.protocol import Medium
from fgbench.train.dataset import Inputs
from fgbench.train.method import Batch, Player
from fgbench.train.rbm import Rbm, Visible, sparsity_term


class Decay(StrEnum):
    """How the rate falls with t, the time in half-lives."""

    INVERSE_T = "inverse-t"
    """1 / (1 + t)."""
    EXPONENTIAL = "exponential"
    """1 / 2^t."""


class Annealing(LRScheduler):
    """A rate that falls, and a momentum that rises as final − (final − initial) · exp(−t).

    ``half_life`` and ``ramp``, after which t of the momentum is 1, in epochs. One momentum stays.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        decay: Decay,
        half_life: float,
        ramp: float,
        momentum: tuple[float, float] = (0.5, 0.9),
    ) -> None:
        self.decay, self.half_life = decay.value, half_life  # plain values: checkpoints hold them
        self.ramp, self.momentum = ramp, momentum
        super().__init__(optimizer)

    def get_lr(self) -> list[float | torch.Tensor]:
        first, final = self.momentum
        for group in self.optimizer.param_groups:
            group["momentum"] = final - (final - first) * math.exp(-self.last_epoch / self.ramp)
        t = self.last_epoch / self.half_life
        factor = 1 / (1 + t) if self.decay == Decay.INVERSE_T else 0.5**t
        return [rate * factor for rate in self.base_lrs]


def annealing(
    epochs: int,
    decay: Decay = Decay.INVERSE_T,
    *,
    half_life: float,
    ramp: float = 0.5,
    momentum: tuple[float, float] = (0.5, 0.9),
) -> Callable[[Optimizer], LRScheduler]:
    """The schedule of a stage of so many epochs; ``half_life`` and ``ramp`` are shares of it."""
    return partial(
        Annealing,
        decay=decay,
        half_life=half_life * epochs,
        ramp=ramp * epochs,
        momentum=momentum,
    )


def usual_width(classes: int) -> int:
    """Of a layer where nobody says: five units a class, 128 to the releases' 1,024."""
    return min(1024, max(128, 5 * classes))


def dense(entering: int, width: int, *, bias: bool = True) -> nn.Linear:
    """A layer with weights from N(0, 1/``entering``) and biases of 0."""
    layer = nn.Linear(entering, width, bias=bias)
    nn.init.normal_(layer.weight, std=entering**-0.5)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


def decayed(parts: Iterable[Module], l2: float) -> list[dict[str, Any]]:
    """Parameter groups of these parts: weights, with an L2 decay, and biases, without."""
    found = [parameter for part in parts for parameter in part.parameters()]
    weights = [parameter for parameter in found if parameter.ndim > 1]
    biases = [parameter for parameter in found if parameter.ndim == 1]
    return [
        {"params": weights, "weight_decay": l2},
        {"params": biases, "weight_decay": 0.0},
    ]


@dataclass(frozen=True, slots=True)
class RbmCourse:
    """How an RBM learns, in deepnet's updates, of which there are ``updates``."""

    updates: int
    rate: float
    l2: float
    target: float = 0.1
    cost: float = 0.0
    """Of sparsity: what a unit's mean should be, and the weight of that. 0: none."""
    ramp: int = 5_000
    """Of the momentum."""
    grow: int = 15_000
    every: int = 5_000
    """Chains of Gibbs steps, where they may grow, have 1 more after ``grow``, and after each
    ``every``."""

    def chain(self, progress: float) -> int:
        """The Gibbs steps of an update, after a share ``progress`` of the stage."""
        done = progress * self.updates
        return 1 if done <= self.grow else 2 + int((done - self.grow) / self.every)


STACKS: Mapping[Visible, tuple[RbmCourse, RbmCourse]] = {
    Visible.GAUSSIAN: (
        RbmCourse(100_000, 0.001, 1e-3, 0.2, 0.1, ramp=10_000, grow=50_000, every=10_000),
        RbmCourse(200_000, 0.05, 1e-3, 0.1, 0.01, ramp=10_000),
    ),
    Visible.WORDS: (
        RbmCourse(100_000, 0.1, 1e-4, 0.2, 0.01),
        RbmCourse(200_000, 0.01, 1e-3, 0.1, 0.01, ramp=10_000),
    ),
}
"""Of the two RBMs upon features, by what the lower one's visible units are: CMDN's."""
UPON_CODES = RbmCourse(100_000, 0.01, 1e-4)
"""Of an RBM that joins or fuses codes: CMDN's, but that its joining one has twice the updates."""
_HALF_LIFE = 10_000


def rbm_player(
    course: RbmCourse,
    epochs: int,
    find: Callable[[Module], Rbm],
    enter: Callable[[Module, Batch], Tensor],
    *,
    longer_chains: bool,
) -> Player:
    """Who learns the RBM that ``find`` gives of a network, on the rows that ``enter`` gives."""
    return Player(
        "rbm",
        lambda model: decayed([find(model)], course.l2),
        partial(_rbm_losses, course, longer_chains, find, enter),
        partial(torch.optim.SGD, lr=course.rate, momentum=0.5),
        annealing(epochs, half_life=_HALF_LIFE / course.updates, ramp=course.ramp / course.updates),
    )


def _rbm_losses(
    course: RbmCourse,
    longer_chains: bool,
    find: Callable[[Module], Rbm],
    enter: Callable[[Module, Batch], Tensor],
    model: Module,
    batch: Batch,
) -> Mapping[str, Tensor]:
    rbm, rows = find(model), enter(model, batch)
    steps = course.chain(batch.progress) if longer_chains else 1
    drawn = rbm.kind is Visible.WORDS  # deepnet draws no visible units but these
    terms = {"divergence": rbm.contrastive_divergence(rows, steps, drawn=drawn)}
    if course.cost:
        terms["sparsity"] = course.cost * sparsity_term(rbm.hidden(rows), course.target)
    return terms


def visible_units(medium: Medium, inputs: Inputs, word_counts: bool | None) -> Visible:
    """What the lower RBM takes features for: counts of words, or z-scores.

    Of texts alone ``word_counts`` says so; None: where all are whole numbers, none below 0.
    """
    counts = word_counts and medium is Medium.TEXT
    if word_counts is None and medium is Medium.TEXT:
        rows = inputs.take(np.arange(len(inputs)))
        counts = bool((rows >= 0).all() and (rows == np.rint(rows)).all())
    return Visible.WORDS if counts else Visible.GAUSSIAN


def lower_rbm(entering: int, hidden: int, units: Visible) -> Rbm:
    """An RBM upon features; weights of words start from N(0, (1e-5)²)."""
    return Rbm(entering, hidden, units, spread=1e-5 if units is Visible.WORDS else None)
