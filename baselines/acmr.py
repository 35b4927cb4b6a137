"""ACMR: projections of two media that predict classes, and that no classifier tells apart.

Wang, Yang, Xu, Hanjalic, Shen, "Adversarial cross-modal retrieval" (ACM MM 2017). Released code:
sunpeng981712364/ACMR_demo at 14b277f, TensorFlow 1, script triplet_wiki.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from fgbench.protocol import Medium
from fgbench.train.adversary import reversal_strength, reverse_gradient
from fgbench.train.dataset import Dataset
from fgbench.train.method import Batch, Facts, Kind, Player, Scope, Similarity, Stage
from fgbench.train.pairing import ClassPairs
from fgbench.train.standardise import Standardise
from fgbench.train.terms import triplet_term


class Distance(StrEnum):
    """What compares two embeddings."""

    COSINE = "cosine"
    EUCLIDEAN = "euclidean"


@dataclass(frozen=True, slots=True)
class AcmrConfig:
    """Widths, weights, and what the released code does otherwise than the paper says."""

    hidden: tuple[int, ...] | None = None
    """Widths of a projector before its last layer; None: 512, and 100 or a quarter more than the
    embedding has, if that is more. The release's 512 and 100 come before 40; the paper's 2,000 and
    500 are for features ten times as wide as these."""
    hidden_text: tuple[int, ...] | None = None
    """The same of text; the release's is narrower."""
    width: int | None = None
    """Of the embedding; None: 40, or the number of classes if more. The release's 40, for 10 or 20
    classes; the paper's 200 leaves most directions unshaped where classes are few."""
    standardise: bool = True
    """Whether features become z-scores. Ours: the sources say nothing."""
    label_weight: float = 100.0
    """Of the cross-entropies of classes, a medium each; the release's."""
    triplet_weight: float = 1.0
    margin: float = 0.1
    """Of the triplets; the release's."""
    whole_batch: bool = False
    """Whether a batch has one hinge, over its summed distances; the release's. Else each row."""
    positive_weight: float = 1.0
    """Of the distance to the positive: the release has 5."""
    adversary_weight: float = 1.0
    """Ours: neither source gives one."""
    adversary_hidden: tuple[int, ...] = (100, 50)
    """Widths of the classifier of media; 50 is the paper's."""
    adversary_bends: bool = True
    """Whether that classifier has tanh between its layers; in the release it is linear."""
    adversary_reaches: bool = True
    """Whether its reversed gradient moves the projectors; in the release it never gets there."""
    classifier_learns: bool = True
    """Whether the classifier of classes is trained; in the release it stays as it was drawn."""
    distance: Distance = Distance.COSINE
    """The release ranks by the Euclidean one; the cosine does better on held-out training items."""
    rate: float = 1e-4
    """Adam's; with a first decay of .5 it is the release's."""
    rows: int = 64
    """Pairs in a step; both sources'."""
    epochs: int = 50
    """The release's."""

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for what cannot be trained."""
        widths = (*(self.hidden or ()), *(self.hidden_text or ()), *self.adversary_hidden)
        if min(*widths, self.rows, self.epochs, 1 if self.width is None else self.width) < 1:
            raise ValueError("a width, rows or epochs below 1")
        weights = self.label_weight, self.triplet_weight, self.adversary_weight, self.margin
        if min(*weights, self.positive_weight) < 0 or self.rate <= 0:
            raise ValueError("a weight or a margin below 0, or a rate that is not above 0")


class Acmr:
    """The method, for exactly two media."""

    facts: ClassVar[Facts] = Facts(
        name="acmr",
        title="Adversarial cross-modal retrieval",
        year=2017,
        source="Wang, Yang, Xu, Hanjalic, Shen, ACM MM 2017; released demo at 14b277f",
        scope=Scope.PAIRWISE,
        takes=Kind.FEATURES,
        space="embedding",
        learns="SGD",
        deviations={
            "pairs": "the release pairs row with row; items here have no partner, so pairs are "
            "drawn within each class, anew each epoch",
            "order": "shuffled in both forms, and the last step is filled up; the release keeps "
            "the order of its lists, which in a list sorted by class would leave no negative, and "
            "drops the last items, of training and of test",
            "width": "40, or the number of classes if more; the paper has 200",
            "features": "z-scored by the training items (standardise: false leaves them)",
            "triplets": "the paper's weights of structure and label are kept in proportion, as the "
            "release has them: 1 to 100",
        },
    )
    Config: ClassVar[type[AcmrConfig]] = AcmrConfig

    def build(self, data: Dataset, config: AcmrConfig) -> Network:
        return Network(data, config)

    def stages(self, data: Dataset, config: AcmrConfig) -> Sequence[Stage]:
        """One stage, one player: the two losses of a step move different parts, or are reversed."""
        player = Player(
            "all",
            partial(_parameters, config),
            partial(_losses, config),
            partial(torch.optim.Adam, lr=config.rate, betas=(0.5, 0.999)),
        )
        return (Stage("train", config.epochs, ClassPairs(config.rows), (player,)),)

    def embed(self, model: nn.Module, medium: Medium, inputs: Tensor) -> Tensor:
        embeddings: Tensor = cast(Network, model).projectors[medium](inputs)
        return embeddings

    def similarity(self, config: AcmrConfig, model: nn.Module | None) -> Similarity | None:
        """None for the cosine; else minus the Euclidean distance."""
        return _nearness if config.distance is Distance.EUCLIDEAN else None


class Network(nn.Module):
    """A projector of each medium, a linear classifier of classes, and one of media."""

    def __init__(self, data: Dataset, config: AcmrConfig) -> None:
        super().__init__()
        width = max(40, data.classes) if config.width is None else config.width
        self.projectors = nn.ModuleDict()
        for medium in data.media:
            hidden = config.hidden_text if medium is Medium.TEXT else config.hidden
            if hidden is None:
                hidden = (512, max(100, width + width // 4))
            inputs = data.train[medium].inputs
            projector = _layers((inputs.shape[0], *hidden, width), bends=True)
            if config.standardise:
                projector.insert(0, Standardise.of(inputs))
            projector.append(nn.Tanh())
            self.projectors[medium] = projector
        self.classifier = nn.Linear(width, data.classes)
        sizes = (width, *config.adversary_hidden, len(data.media))
        self.adversary = _layers(sizes, bends=config.adversary_bends)


def _layers(sizes: Sequence[int], *, bends: bool) -> nn.Sequential:
    """Linear layers of those widths, with tanh between them if it ``bends``."""
    layers = nn.Sequential()
    for before, after in pairwise(sizes):
        if bends and len(layers):
            layers.append(nn.Tanh())
        layers.append(nn.Linear(before, after))
    return layers


def _parameters(config: AcmrConfig, model: nn.Module) -> Iterable[dict[str, Any]]:
    network = cast(Network, model)
    parts: list[nn.Module] = [network.projectors, network.adversary]
    if config.classifier_learns:
        parts.append(network.classifier)
    return [{"params": list(part.parameters())} for part in parts]


def _losses(config: AcmrConfig, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
    network = cast(Network, model)
    projected = {m: network.projectors[m](rows) for m, rows in batch.inputs.items()}
    entropies = [
        cross_entropy(network.classifier(rows), batch.labels[m]) for m, rows in projected.items()
    ]
    judged = torch.cat(list(projected.values()))
    if config.adversary_reaches:
        judged = reverse_gradient(judged, reversal_strength(batch.progress))
    else:
        judged = judged.detach()
    sides = torch.arange(len(projected), device=judged.device)
    sides = sides.repeat_interleave(len(judged) // len(projected))
    return {
        "label": config.label_weight * torch.stack(entropies).sum(),
        "triplet": config.triplet_weight * _structure(config, batch, projected),
        "adversary": config.adversary_weight * cross_entropy(network.adversary(judged), sides),
    }


def _structure(config: AcmrConfig, batch: Batch, projected: Mapping[Medium, Tensor]) -> Tensor:
    """The triplets of both directions: an item, its partner, and the hardest other's partner."""
    (a, anchors), (b, partners) = ((m, batch.gather(p)) for m, p in projected.items())
    labels = batch.gather(batch.labels[a])
    total = anchors.new_zeros(())
    for medium, x, y in ((a, anchors, partners), (b, partners, anchors)):
        rows, hardest = hardest_negatives(batch.gather(batch.inputs[medium]), labels)
        if config.whole_batch:
            near = config.positive_weight * (x - y).square().sum() / 2
            total = (
                total + (config.margin + near - (x[rows] - y[hardest]).square().sum() / 2).relu()
            )
        elif len(rows):
            total = total + triplet_term(x[rows], y[rows], y[hardest], config.margin)
    return total


def hardest_negatives(features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Of each row [n, d] the row of another class that is nearest by the cosine of ``features``.

    Rows that have one, and which it is: empty where all are of one class.
    """
    directions = normalize(features.detach().float(), dim=1)
    cosines = directions @ directions.T
    cosines = cosines.masked_fill(labels[:, None] == labels[None, :], -torch.inf)
    best, hardest = cosines.max(dim=1)
    rows = torch.nonzero(best > -torch.inf).flatten()
    return rows, hardest[rows]


def _nearness(
    query: tuple[Medium, NDArray[np.float32]], gallery: tuple[Medium, NDArray[np.float32]]
) -> NDArray[np.float32]:
    distances: NDArray[np.float32] = cdist(query[1], gallery[1]).astype(np.float32)
    return -distances
