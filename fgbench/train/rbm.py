"""Restricted Boltzmann machines, learned by contrastive divergence.

Hinton, "Training products of experts by minimizing contrastive divergence" (Neural Computation
2002); Salakhutdinov, Hinton, "Replicated softmax: an undirected topic model" (NIPS 2009).
"""

from __future__ import annotations

from enum import StrEnum

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus


class Visible(StrEnum):
    """What the visible units are."""

    BERNOULLI = "bernoulli"
    """0, 1, or probabilities."""
    GAUSSIAN = "gaussian"
    """Real numbers of variance 1: z-scores."""
    WORDS = "words"
    """Replicated softmax: counts of words, whatever their unit; none below 0."""


class Rbm(nn.Module):
    """A layer of ``visible`` units and one of ``hidden`` Bernoulli units, all of one with all of
    the other.

    Weights from N(0, 1/visible), or N(0, ``spread``²); biases 0. Rows of words are scaled to
    ``draws`` words each: deepnet's adaptive prior, and its 100.
    """

    def __init__(
        self,
        visible: int,
        hidden: int,
        kind: Visible = Visible.BERNOULLI,
        *,
        spread: float | None = None,
        draws: int = 100,
    ) -> None:
        super().__init__()
        spread = visible**-0.5 if spread is None else spread
        self.kind, self.draws = kind, draws
        self.weight = nn.Parameter(spread * torch.randn(visible, hidden))
        self.visible_bias = nn.Parameter(torch.zeros(visible))
        self.hidden_bias = nn.Parameter(torch.zeros(hidden))

    def hidden(self, rows: Tensor) -> Tensor:
        """The probabilities [b, hidden] of the hidden units, given visible rows [b, visible]."""
        return self._drive(self._scaled(rows)).sigmoid()

    def visible(self, states: Tensor) -> Tensor:
        """The means [b, visible] of the visible units, given hidden ones; of words, counts."""
        drive = states @ self.weight.T + self.visible_bias
        if self.kind is Visible.GAUSSIAN:
            return drive
        return self.draws * drive.softmax(1) if self.kind is Visible.WORDS else drive.sigmoid()

    def free_energy(self, rows: Tensor) -> Tensor:
        """−log p of each row [b, visible], all hidden units summed out, but for one constant.

        Of words: of one order of them.
        """
        rows = self._scaled(rows)
        if self.kind is Visible.GAUSSIAN:
            own = (rows - self.visible_bias).square().sum(1) / 2
        else:
            own = -(rows @ self.visible_bias)
        return own - softplus(self._drive(rows)).sum(1)

    @torch.no_grad()
    def reconstruct(self, rows: Tensor, steps: int = 1, *, drawn: bool = True) -> Tensor:
        """The rows after so many Gibbs steps, drawn from torch's generator.

        Visible units take their means where they are Gaussian, and else unless they are ``drawn``.
        """
        for _ in range(steps):
            rows = self.visible(self.hidden(rows).bernoulli())
            if drawn and self.kind is not Visible.GAUSSIAN:
                rows = self._draw(rows)
        return rows

    def contrastive_divergence(self, rows: Tensor, steps: int = 1, *, drawn: bool = True) -> Tensor:
        """A term whose gradient is that of CD-``steps``; its value says nothing of progress.

        The mean free energy of rows [b, visible], less that of their reconstructions.
        """
        rows = rows.detach()
        again = self.reconstruct(rows, steps, drawn=drawn)
        return (self.free_energy(rows) - self.free_energy(again)).mean()

    def complete(self, rows: Tensor, known: Tensor, steps: int) -> Tensor:
        """Visible rows whose units that are not ``known`` [visible] (bool) are filled in.

        So many mean-field steps, from what ``rows`` [b, visible] have in these places. Not of
        words, whose number would not be known.
        """
        free, bias = self.weight[~known], self.visible_bias[~known]
        given = rows[:, known] @ self.weight[known] + self.hidden_bias
        guess = rows[:, ~known]
        for _ in range(steps):
            guess = (given + guess @ free).sigmoid() @ free.T + bias
            guess = guess if self.kind is Visible.GAUSSIAN else guess.sigmoid()
        filled = rows.to(guess.dtype, copy=True)
        filled[:, ~known] = guess
        return filled

    def _draw(self, means: Tensor) -> Tensor:
        if self.kind is Visible.BERNOULLI:
            return means.bernoulli()
        words = (means / self.draws).multinomial(self.draws, replacement=True)
        once = means.new_ones(()).expand(words.shape)
        return torch.zeros_like(means).scatter_add_(1, words, once)

    def _drive(self, rows: Tensor) -> Tensor:
        words = self.draws if self.kind is Visible.WORDS else 1
        return rows @ self.weight + words * self.hidden_bias

    def _scaled(self, rows: Tensor) -> Tensor:
        """Rows of words with as many as ``draws``; one without any stays so."""
        if self.kind is not Visible.WORDS:
            return rows
        totals = rows.sum(1, keepdim=True)
        return rows * (self.draws / torch.where(totals > 0, totals, 1.0))


def sparsity_term(states: Tensor, target: float) -> Tensor:
    """Σ KL(``target`` ‖ q) over hidden units, q the mean of a unit's probabilities [b, hidden]."""
    edge = torch.finfo(states.dtype).eps  # lest a unit that is off in all rows has no logarithm
    q = states.mean(0).clamp(edge, 1 - edge)
    on = target * (target / q).log()
    off = (1 - target) * ((1 - target) / (1 - q)).log()
    return (on + off).sum()
