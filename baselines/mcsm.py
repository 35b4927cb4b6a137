"""MCSM: a space of each of two media, where its parts, attended, meet the other medium's vectors.

Peng, Qi, Yuan, "Modality-specific cross-modal similarity measurement with recurrent attention
network" (IEEE TIP 2018). Released code: PKU-ICST-MIPL/MCSM_TIP2018 at 3695b8a, Lua Torch, which all
sizes are from that say nothing else; the paper's own text was not at hand. There is no common
representation: two items have a score in either medium's space, and each weighs the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, ClassVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import max_pool1d, normalize

from fgbench.protocol import MEDIA, Medium
from fgbench.train.dataset import Dataset, Inputs, Parts
from fgbench.train.inputs import PartInputs, as_vectors
from fgbench.train.method import Batch, Facts, Kind, Player, Scope, Similarity, Stage, Whole
from fgbench.train.pairing import ClassPairs
from fgbench.train.score_matrices import ROWS
from fgbench.train.sequences import Recurrent, WordVectors, is_there
from fgbench.train.standardise import Standardise
from fgbench.train.terms import draw_others

Embedded = tuple[Medium, NDArray[np.float32]]


class Ranges(StrEnum):
    """Between what two scores a space's scores go from 0 to 1, where they weigh the other's."""

    TRAINING = "training"
    """The least and the greatest of any two training items: a score depends on no other item."""
    ROWS = "rows"
    """Those of each image's scores with all texts, for queries of either medium, as released: what
    a text finds depends on what other texts there are. Of other media, the earlier's items."""


@dataclass(frozen=True, slots=True)
class McsmConfig:
    """Sizes and rates. Where nothing else is said: as released."""

    extended: bool = False
    """Whether every two media are learnt, as images and texts are: ours. All rows of a submission
    are "extended" then but those of images with texts. Frames and windows are taken as regions."""
    width: int = 1024
    """Of both spaces. The release's is 4,096, for vectors as wide."""
    word_width: int = 300
    """Of words without vectors of their own: as wide as the release's word2vec."""
    channels: tuple[int, ...] = (384, 512, 256)
    """Of the convolutions over words; the last is the LSTM's width too."""
    kernels: tuple[int, ...] = (5, 3, 3)
    pools: tuple[int, ...] = (2, 2, 2)
    """The release's 15, 9, 7 and 5, 5, 6 are for 2,904 words a text; of 96 they leave one step."""
    states: int = 512
    """Width of the LSTM over regions, and of the linear layer before it, which is ours."""
    dropout: float = 0.5
    """Between the LSTM's layers, on what comes of it, and before the weights of attention."""
    squash: bool = True
    """Whether vectors of a medium other than text pass a sigmoid, as the release's images do."""
    standardise: bool = False
    """Whether vectors become z-scores. The release's are as they are, which did better with a
    network's activations on held-out training items; features of other scales may want it."""
    margin: float = 0.5
    ranges: Ranges = Ranges.TRAINING
    weight: float = 0.5
    """Of the later medium's scores as the earlier's weigh them; the paper weighs neither. The
    release reports the best of 101 weights on the test items, which is not offered."""
    rate: float = 1e-4
    """RMSprop's."""
    rows: int = 40
    """Pairs in a step."""
    epochs: int = 184
    """The release's 10,000 steps of 40 rows are 184 times its 2,173 pairs."""

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for what cannot be trained."""
        sizes = *self.channels, *self.kernels, *self.pools, self.width, self.word_width, self.states
        if min(*sizes, self.rows, self.epochs) < 1:
            raise ValueError("a width, a kernel, a pool, rows or epochs below 1")
        if not len(self.channels) == len(self.kernels) == len(self.pools) > 0:
            raise ValueError("channels, kernels and pools are not equally many, one at least")
        if not (0 <= self.dropout < 1 and 0 <= self.weight <= 1):
            raise ValueError("a dropout or a weight that is no share")
        if self.margin < 0 or self.rate <= 0:
            raise ValueError("a margin below 0, or a rate that is not above 0")


class Mcsm:
    """The method, for exactly two media."""

    facts: ClassVar[Facts] = Facts(
        name="mcsm",
        title="Modality-specific cross-modal similarity measurement",
        year=2018,
        source="Peng, Qi, Yuan, IEEE TIP 2018; released code at 3695b8a",
        scope=Scope.IMAGE_TEXT,
        takes=Kind.PARTS,
        space="scores",
        learns="SGD",
        deviations={
            "pairs": "of one class, drawn anew in each epoch, in both spaces; the release pairs so "
            "in the text's space alone, and instances in the image's",
            "spaces": "learn side by side, on the same pairs; neither moves the other",
            "texts": "convolutions of 5, 3, 3 words with pools of 2, padded, and no attention to "
            "what lies behind a text's last word; the release's are for 2,904 words, padding among "
            "them",
            "regions": "whatever features a file has, through a linear layer as wide as the LSTM",
            "ranges": "of training items in the paper's form, so that what a text finds depends on "
            "no other text; the release takes an image's scores with all test texts",
            "weight": "fixed; the release reports the best of 101 on the test items",
            "within a medium": "the cosine of vectors in the other medium's space; no source",
        },
    )
    Config: ClassVar[type[McsmConfig]] = McsmConfig

    def build(self, data: Dataset, config: McsmConfig) -> Network:
        return Network(data, config)

    def stages(self, data: Dataset, config: McsmConfig) -> Sequence[Stage]:
        """One stage for both spaces; then their ranges are measured, if the fusion wants them."""
        batches = ClassPairs(config.rows)
        player = Player(
            "spaces",
            _parameters,
            partial(_losses, config),
            partial(torch.optim.RMSprop, lr=config.rate),
        )
        stages = [Stage("spaces", config.epochs, batches, (player,))]
        if config.ranges is Ranges.TRAINING:
            stages.append(Stage("ranges", 0, batches, (), before=_measure))
        return stages

    def embed(self, model: nn.Module, medium: Medium, inputs: Parts) -> Tensor:
        """[n, 2 · width]: an item in its own medium's space, and in the other's."""
        return cast(Network, model).embed(medium, inputs)

    def similarity(self, config: McsmConfig, model: nn.Module | None) -> Similarity:
        """The fused scores of both spaces; within a medium, the cosine of vectors."""
        ranges = np.zeros((2, 2)) if model is None else cast(Network, model).ranges.cpu().numpy()
        return partial(_compare, config, ranges)


class Network(nn.Module):
    """The spaces of two media. ``ranges`` [2, 2]: the least and the greatest score of each."""

    ranges: Tensor

    def __init__(self, data: Dataset, config: McsmConfig) -> None:
        super().__init__()
        first, second = data.media
        self.other = {first: second, second: first}
        inputs = {medium: data.train[medium].inputs for medium in data.media}
        self.sequences = nn.ModuleDict({m: Attended(of, config) for m, of in inputs.items()})
        self.vectors = nn.ModuleDict({m: _projector(m, of, config) for m, of in inputs.items()})
        self.register_buffer("ranges", torch.tensor([[0.0, 1.0], [0.0, 1.0]]))

    def scores(self, medium: Medium, batch: Batch) -> Tensor:
        """The cosines [n, n] of a step's items in a medium's space: its rows with the other's."""
        other = self.other[medium]
        own = self.sequences[medium](batch.inputs[medium])
        theirs = normalize(self.vectors[other](batch.inputs[other].vectors), dim=1)
        return batch.gather(own) @ batch.gather(theirs).T

    def embed(self, medium: Medium, parts: Parts) -> Tensor:
        own = self.sequences[medium](parts)
        return torch.cat([own, normalize(self.vectors[medium](parts.vectors), dim=1)], dim=1)


class Attended(nn.Module):
    """A medium's items in its own space, rows [b, width] of length 1, from their parts.

    What attention takes of an LSTM's steps, over words after convolutions, else over the parts.
    """

    def __init__(self, inputs: Inputs, config: McsmConfig) -> None:
        super().__init__()
        of_words = bool(cast(PartInputs, inputs).words)
        states = config.channels[-1] if of_words else config.states
        self.parts = WordVectors(inputs, config.word_width)
        local = Convolutions if of_words else Projection
        self.local = local(self.parts.width, config)
        layers = nn.LSTM(states, states, 2, batch_first=True, dropout=config.dropout)
        self.recurrent = Recurrent(layers)
        self.out = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(states, config.width))
        # As released: what attention looks at is projected of regions, and not of words.
        self.look = nn.Identity() if of_words else nn.Linear(config.width, config.width)
        self.weigh = nn.Sequential(
            nn.Tanh(), nn.Dropout(config.dropout), nn.Linear(config.width, 1, bias=False)
        )

    def forward(self, parts: Parts) -> Tensor:
        steps: Parts = self.local(parts._replace(parts=self.parts(parts)))
        states = self.out(self.recurrent(steps.parts, steps.counts))
        weights = self.weigh(self.look(states)).squeeze(2)
        weights = weights.masked_fill(~is_there(steps), -torch.inf).softmax(1)
        return normalize((weights[..., None] * states).sum(1), dim=1)


class Projection(nn.Module):
    """A linear layer, the same for each part."""

    def __init__(self, entering: int, config: McsmConfig) -> None:
        super().__init__()
        self.layer = nn.Linear(entering, config.states)

    def forward(self, parts: Parts) -> Parts:
        return parts._replace(parts=self.layer(parts.parts))


class Convolutions(nn.Module):
    """Convolutions along the parts, each with batch norm, ReLU and a pool that leaves fewer."""

    def __init__(self, entering: int, config: McsmConfig) -> None:
        super().__init__()
        self.pools = config.pools
        self.convolutions, self.norms = nn.ModuleList(), nn.ModuleList()
        for channels, kernel in zip(config.channels, config.kernels, strict=True):
            convolution = nn.Conv1d(entering, channels, kernel, padding="same", bias=False)
            self.convolutions.append(convolution)
            self.norms.append(nn.BatchNorm1d(channels))
            entering = channels

    def forward(self, parts: Parts) -> Parts:
        for convolve, norm, pool in zip(self.convolutions, self.norms, self.pools, strict=True):
            rows = norm(convolve(parts.parts.mT)).relu() * is_there(parts)[:, None]
            pooled = max_pool1d(rows, pool, ceil_mode=True).mT
            parts = parts._replace(parts=pooled, counts=-(-parts.counts // pool))
        return parts


def _projector(medium: Medium, inputs: Inputs, config: McsmConfig) -> nn.Sequential:
    """The layers of a medium's vectors into the other's space."""
    vectors = as_vectors(inputs)
    layers = nn.Sequential(nn.Linear(vectors.shape[0], config.width))
    if config.standardise:
        layers.insert(0, Standardise.of(vectors))
    if config.squash and medium is not Medium.TEXT:
        layers.append(nn.Sigmoid())
    return layers


def _parameters(model: nn.Module) -> Iterable[dict[str, Any]]:
    return [{"params": list(model.parameters())}]


def _losses(config: McsmConfig, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
    """A term of each space: they share no parameters."""
    network = cast(Network, model)
    return {
        medium.value: drawn_hinges(
            network.scores(medium, batch), batch.gather(batch.labels[medium]), config.margin
        )
        for medium in network.other
    }


def drawn_hinges(scores: Tensor, labels: Tensor, margin: float) -> Tensor:
    """The mean of max(0, margin + s(i, j) − s(i, i)), j of another class at random, of each row,
    and the same of each column. A row without any other class adds 0.

    ``scores`` [n, n]: between rows that are paired in their order, whose classes are ``labels``.
    """
    total = scores.new_zeros(())
    for found in (scores, scores.T):
        rows, others = draw_others(labels)
        hinges = (margin + found[rows, others] - found.diagonal()[rows]).relu()
        total = total + hinges.sum() / len(labels)
    return total


def _measure(model: nn.Module, whole: Whole) -> None:
    """Set the ranges: of the scores of all training items of one medium with all of the other."""
    network = cast(Network, model)
    own, theirs = {}, {}
    for medium in network.other:
        rows = torch.cat([network.embed(medium, parts) for parts in whole(medium)])
        own[medium], theirs[medium] = rows.chunk(2, dim=1)
    for place, (medium, other) in enumerate(network.other.items()):
        blocks = own[medium].tensor_split(-(-len(own[medium]) // ROWS))
        found = [torch.aminmax(rows @ theirs[other].T) for rows in blocks]
        network.ranges[place, 0] = torch.stack([extreme.min for extreme in found]).min()
        network.ranges[place, 1] = torch.stack([extreme.max for extreme in found]).max()


def _compare(
    config: McsmConfig, ranges: NDArray[np.floating[Any]], query: Embedded, gallery: Embedded
) -> NDArray[np.float32]:
    if MEDIA.index(query[0]) > MEDIA.index(gallery[0]):
        return _compare(config, ranges, gallery, query).T
    (own_query, query_there), (own_gallery, gallery_there) = (
        np.split(rows, 2, axis=1) for _, rows in (query, gallery)
    )
    if query[0] is gallery[0]:
        within: NDArray[np.float32] = query_there @ gallery_there.T
        return within
    first, second = own_query @ gallery_there.T, query_there @ own_gallery.T
    shares = [
        _share(scores, config.ranges, measured)
        for scores, measured in zip((first, second), ranges, strict=True)
    ]
    fused = config.weight * shares[0] * second + (1 - config.weight) * shares[1] * first
    return fused.astype(np.float32)


def _share(
    scores: NDArray[np.float32], ranges: Ranges, measured: NDArray[np.floating[Any]]
) -> NDArray[np.floating[Any]]:
    """Scores [n, m] as shares of their range; 0 where that is no range."""
    low, high = measured
    if ranges is Ranges.ROWS:
        low, high = scores.min(axis=1, keepdims=True), scores.max(axis=1, keepdims=True)
    shares: NDArray[np.floating[Any]] = (scores - low) / np.where(high > low, high - low, 1)
    return shares
