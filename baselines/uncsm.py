"""UNCSM: a shared representation of two media, and a network that tells how alike two items are.

Qi, Huang, Peng, "Unified network for cross-media similarity metric" (Multimedia Tools and
Applications, 2017). No more than its abstract was at hand, and no code was released: the parts,
their order and the kinds of their losses are the abstract's. The contrastive loss is as the same
authors have it in CCL's release (PKU-ICST-MIPL/CCL_TMM2018 at 8c2b694); all else is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar, TypeAlias, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear, normalize

from fgbench.protocol import Medium
from fgbench.train.dataset import Dataset
from fgbench.train.method import Batch, Facts, Kind, Player, Scope, Similarity, Stage, Whole
from fgbench.train.pairing import ClassPairs
from fgbench.train.standardise import Standardise
from fgbench.train.terms import contrastive_term, distances, draw_others, triplet_term

PAIRS = 16_384
"""Pairs that the metric compares at a time: some 200 MB at the default widths, and a quarter of a
second of one core."""


class Bend(StrEnum):
    """What follows each linear layer of a pathway."""

    TANH = "tanh"
    SIGMOID = "sigmoid"


class Score(StrEnum):
    """What compares an item of one medium with one of the other."""

    METRIC = "metric"
    COSINE = "cosine"


@dataclass(frozen=True, slots=True)
class UncsmConfig:
    """Widths, losses and stages. All is ours: the abstract gives no number."""

    widths: tuple[int, ...] = (1024, 512, 256)
    """Of a pathway's layers; the last is the shared representation's."""
    bend: Bend = Bend.TANH
    """Three sigmoids one after the other bring all items to one point: .16 on digits held out,
    where chance is .11 and tanh comes to .73."""
    standardise: bool = True
    """Whether features become z-scores."""
    rows: int = 80
    """Pairs of items of one class in a step."""
    epochs: tuple[int, int, int, int] = (8, 4, 8, 4)
    """Of the stages: pretraining, fine-tuning, the metric, all together. Chosen, as the rates, on
    a fifth of the training items of two small sets, held out: with more of the first two, pathways
    over-train on the one set and gain little on the other."""
    rates: tuple[float, float, float, float] = (1e-3, 1e-3, 3e-2, 1e-4)
    """Of the stages. The metric's is the best of .001, .01 and .03."""
    momentum: float = 0.9
    weight_decay: float = 5e-4
    contrastive_margin: float = 1.0
    """As in CCL's release."""
    triplet_margin: float = 1.0
    triples: int = 3
    """Of each item as the anchor, drawn uniformly within the batch."""
    metric_widths: tuple[int, int] = (512, 256)
    """Of the metric's hidden layers."""
    metric_standardise: bool = True
    """Whether the metric sees z-scores of the shared representation, by the training items of both
    media together. The margins keep that representation small: without, the metric learned late,
    and on items held out came to .24 in place of .30 (I→T of Wikipedia), .70 of .75 (digits)."""
    dropout: float = 0.5
    """Within the metric."""
    hardest: float = 0.0
    """The share of dissimilar pairs whose partner is the nearest of another class; the others' is
    random. Where media share little, the nearest of another class lies as near as the right ones,
    and the metric unlearns the order: half of them took I→T of Wikipedia from .29 to .18 on items
    held out, a quarter to .27."""
    score: Score = Score.METRIC

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for what cannot be trained."""
        if not self.widths or min(*self.widths, *self.metric_widths, self.rows, self.triples) < 1:
            raise ValueError("no width at all, or a width, rows or triples below 1")
        if min(*self.epochs, self.contrastive_margin, self.triplet_margin, self.momentum) < 0:
            raise ValueError("epochs, a margin or the momentum below 0")
        if min(self.rates) <= 0 or self.weight_decay < 0:
            raise ValueError("a rate that is not above 0, or a weight decay below 0")
        if not (0 <= self.dropout < 1 and 0 <= self.hardest <= 1):
            raise ValueError("a dropout outside [0, 1), or a share of hardest outside [0, 1]")


class Uncsm:
    """The method, for exactly two media."""

    facts: ClassVar[Facts] = Facts(
        name="uncsm",
        title="Unified network for cross-media similarity metric",
        year=2017,
        source="Qi, Huang, Peng, Multimedia Tools and Applications 2017; the abstract alone",
        scope=Scope.PAIRWISE,
        takes=Kind.FEATURES,
        space="scores",
        learns="SGD",
        deviations={
            "sources": "the abstract names the parts and their losses; layers, margins, rates, "
            "epochs and what the metric is given are ours, and no figure could be compared",
            "pairs": "drawn within each class, anew each epoch: items here have no partner",
            "score": "the log-odds that two items are similar: the order of the probability, "
            "without the ties of those that round to 1, and on a scale that merges better",
            "within a medium": "the cosine of the shared representation, for the metric learns "
            "pairs of two media; the mean over the three models of a medium is submitted",
        },
    )
    Config: ClassVar[type[UncsmConfig]] = UncsmConfig

    def build(self, data: Dataset, config: UncsmConfig) -> Network:
        return Network(data, config)

    def stages(self, data: Dataset, config: UncsmConfig) -> Sequence[Stage]:
        """The pathways, twice; the metric while they stand still; all together."""
        likeness: Terms = {"metric": likeness_term}
        triplets: Terms = {"triplets": double_triplet_term}
        parts: list[tuple[str, tuple[str, ...], Terms]] = [
            ("pretraining", ("pathways",), {"contrastive": pretraining_term}),
            ("fine-tuning", ("pathways",), triplets),
            ("metric", ("metric",), likeness),
            ("unified", ("pathways", "metric"), likeness | triplets),
        ]
        sgd = partial(torch.optim.SGD, momentum=config.momentum, weight_decay=config.weight_decay)
        stages = []
        for (name, moving, terms), epochs, rate in zip(
            parts, config.epochs, config.rates, strict=True
        ):
            player = Player(
                name,
                partial(_parameters, moving),
                partial(_losses, config, terms),
                partial(sgd, lr=rate),
            )
            before = _measure if name == "metric" and config.metric_standardise else None
            stages.append(Stage(name, epochs, ClassPairs(config.rows), (player,), before=before))
        return stages

    def embed(self, model: nn.Module, medium: Medium, inputs: Tensor) -> Tensor:
        """The shared representation [n, widths[-1]]."""
        shared: Tensor = cast(Network, model).pathways[medium](inputs)
        return shared

    def similarity(self, config: UncsmConfig, model: nn.Module | None) -> Similarity | None:
        """The metric's log-odds, within a medium the cosine; None for the cosine everywhere."""
        if config.score is Score.COSINE:
            return None
        return partial(_likenesses, cast(Network, model))


class Network(nn.Module):
    """A pathway of each medium, and the metric."""

    def __init__(self, data: Dataset, config: UncsmConfig) -> None:
        super().__init__()
        self.pathways = nn.ModuleDict()
        for medium in data.media:
            inputs = data.train[medium].inputs
            pathway = nn.Sequential()
            if config.standardise:
                pathway.append(Standardise.of(inputs))
            for before, after in pairwise((inputs.shape[0], *config.widths)):
                pathway.append(nn.Linear(before, after))
                pathway.append(nn.Tanh() if config.bend is Bend.TANH else nn.Sigmoid())
            self.pathways[medium] = pathway
        self.metric = Metric(config)


class Metric(nn.Module):
    """Whether two items are similar, from [a; b; |a − b|; a ∘ b], a of the first medium."""

    def __init__(self, config: UncsmConfig) -> None:
        super().__init__()
        width, (first, second) = config.widths[-1], config.metric_widths
        self.scale = Standardise(width)
        self.first = nn.Linear(4 * width, first)
        self.rest = nn.Sequential(
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(first, second),
            nn.ReLU(),
            nn.Linear(second, 2),
        )

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Logits […, 2] of dissimilar and similar, of representations […, d] that broadcast."""
        a, b = self.scale(a), self.scale(b)
        width = a.shape[-1]
        # What is of one item alone is computed once an item, not once a pair.
        weight, both = self.first.weight, torch.cat([(a - b).abs(), a * b], dim=-1)
        entered = linear(both, weight[:, 2 * width :], self.first.bias)
        entered = entered + linear(a, weight[:, :width])
        entered = entered + linear(b, weight[:, width : 2 * width])
        logits: Tensor = self.rest(entered)
        return logits


Term: TypeAlias = Callable[[UncsmConfig, Network, Tensor, Tensor, Tensor], Tensor]
"""Of representations [n, d] of two media, paired in their order, and the pairs' classes [n], which
are two at least."""
Terms: TypeAlias = dict[str, Term]


def _parameters(parts: Sequence[str], model: nn.Module) -> Iterable[dict[str, Any]]:
    return [{"params": list(model.get_submodule(part).parameters())} for part in parts]


def _measure(model: nn.Module, whole: Whole) -> None:
    """Take the moments of both media's representations for the metric."""
    network = cast(Network, model)
    network.metric.scale.measure(
        pathway(rows)
        for medium, pathway in network.pathways.items()
        for rows in whole(Medium(medium))
    )


def _losses(
    config: UncsmConfig, terms: Terms, model: nn.Module, batch: Batch
) -> Mapping[str, Tensor]:
    network = cast(Network, model)
    a, b = (batch.gather(network.pathways[m](rows)) for m, rows in batch.inputs.items())
    labels = batch.gather(next(iter(batch.labels.values())))
    if (labels == labels[0]).all():  # nothing to tell apart: 0, with a gradient of 0
        return dict.fromkeys(terms, 0 * network.metric(a, b).sum())
    return {name: term(config, network, a, b, labels) for name, term in terms.items()}


def pretraining_term(
    config: UncsmConfig, network: Network, a: Tensor, b: Tensor, labels: Tensor
) -> Tensor:
    """The contrastive loss over all pairs of the batch."""
    return contrastive_term(a, b, _same(labels), config.contrastive_margin)


def double_triplet_term(
    config: UncsmConfig, network: Network, a: Tensor, b: Tensor, labels: Tensor
) -> Tensor:
    """Triplets with anchors of the one medium, and with anchors of the other."""
    same, total = _same(labels), a.new_zeros(())
    for x, y in ((a, b), (b, a)):
        anchors = x.repeat_interleave(config.triples, 0)
        positives, negatives = (
            torch.multinomial(allowed.float(), config.triples, replacement=True).flatten()
            for allowed in (same, ~same)
        )
        total = total + triplet_term(anchors, y[positives], y[negatives], config.triplet_margin)
    return total


def likeness_term(
    config: UncsmConfig, network: Network, a: Tensor, b: Tensor, labels: Tensor
) -> Tensor:
    """The cross-entropy of the metric over the batch's pairs, and as many dissimilar ones."""
    partners = b[dissimilar(a, b, labels, config.hardest)]
    logits = network.metric(torch.cat([a, a]), torch.cat([b, partners]))
    similar = torch.arange(2, device=a.device).flip(0).repeat_interleave(len(a))
    return cross_entropy(logits, similar)


def dissimilar(a: Tensor, b: Tensor, labels: Tensor, hardest: float) -> Tensor:
    """For each row of ``a`` [n, d] a row of ``b`` of another class: its place [n].

    Of that share of the rows, the first, it is the nearest: rows of a batch are in random order.
    """
    _, places = draw_others(labels)
    count = round(hardest * len(a))
    gaps = distances(a[:count].detach(), b.detach())
    nearest = gaps.masked_fill(_same(labels)[:count], torch.inf).argmin(1)
    return torch.cat([nearest, places[count:]])


def _same(labels: Tensor) -> Tensor:
    """Which pairs of rows [n, n] are of one class."""
    return labels[:, None] == labels[None, :]


@torch.inference_mode()
def _likenesses(
    network: Network,
    query: tuple[Medium, NDArray[np.float32]],
    gallery: tuple[Medium, NDArray[np.float32]],
) -> NDArray[np.float32]:
    device = next(network.parameters()).device
    q, g = (torch.from_numpy(rows).to(device) for _, rows in (query, gallery))
    if query[0] == gallery[0]:
        found = normalize(q, dim=1) @ normalize(g, dim=1).T
    else:
        turned = query[0] != next(iter(network.pathways))
        rows = max(1, PAIRS // len(g))
        blocks = []
        for first in range(0, len(q), rows):
            a, b = q[first : first + rows, None], g[None, :]
            logits = network.metric(b, a) if turned else network.metric(a, b)
            blocks.append(logits[..., 1] - logits[..., 0])
        found = torch.cat(blocks)
    cells: NDArray[np.float32] = found.cpu().numpy()
    return cells
