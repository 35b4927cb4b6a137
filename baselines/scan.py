"""SCAN: regions and words that attend to each other; how well they agree is the similarity.

Lee, Chen, Hua, Hu, He, "Stacked cross attention for image-text matching" (ECCV 2018). Released
code: kuanghuei/SCAN at 8063557, PyTorch, which all defaults are from that say nothing else; the
paper's own text was not at hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, ClassVar, cast

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import normalize

from fgbench.protocol import Medium
from fgbench.train.attention import (
    Attention,
    blockwise,
    pack,
    unpack,
)
from fgbench.train.clipping import clipped_adam
from fgbench.train.dataset import Dataset, Inputs, Parts
from fgbench.train.method import Batch, Facts, Kind, Player, Scope, Similarity, Stage
from fgbench.train.pairing import ClassPairs
from fgbench.train.sequences import WordStates, WordVectors, is_there
from fgbench.train.terms import hardest_hinges


class Direction(StrEnum):
    """Whose parts attend to whose."""

    TEXT_IMAGE = "text-image"
    """Words to regions."""
    IMAGE_TEXT = "image-text"
    """Regions to words."""


class Pooling(StrEnum):
    """How the agreements of an item's parts become one number."""

    MEAN = "mean"
    LOG_SUM_EXP = "log-sum-exp"


@dataclass(frozen=True, slots=True)
class ScanConfig:
    """Which attention, how steep; sizes, and how the networks are trained."""

    directions: tuple[Direction, ...] = (Direction.TEXT_IMAGE,)
    """A network each; with both, the mean of their scores, as the published ensembles."""
    pooling: Pooling = Pooling.MEAN
    """Ours, of the four published variants; the release's own default is the log-sum-exp."""
    temperatures: tuple[float, float] = (9.0, 4.0)
    """Of the softmax, from text to image and from image to text; those for Flickr30K."""
    steepness: tuple[float, float] = (6.0, 5.0)
    """Of the log-sum-exp, the same; for MS-COCO the second is 20."""
    leak: float = 0.1
    """Slope of what is below 0 before the softmax."""
    width: int = 1024
    """Of the states of regions and words."""
    word_width: int = 300
    """Of the vectors of words, where the file of texts brings none."""
    margin: float = 0.2
    mask_same_class: bool = True
    """Whether items of one's own class are no negatives. The release knows single items alone, each
    of which has its own texts; here they are paired by class."""
    rate: float = 2e-4
    """Adam's; for Flickr30K. For MS-COCO it is 5e-4."""
    decay_after: float = 0.5
    """The share of the epochs after which the rate is a tenth."""
    longest_gradient: float = 2.0
    rows: int = 128
    """Pairs in a step."""
    epochs: int = 30
    """For Flickr30K."""

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for what cannot be trained."""
        if not self.directions or len(set(self.directions)) < len(self.directions):
            raise ValueError("no direction, or one twice")
        if min(self.width, self.word_width, self.rows, self.epochs) < 1:
            raise ValueError("a width, rows or epochs below 1")
        if min(*self.temperatures, *self.steepness, self.rate, self.longest_gradient) <= 0:
            raise ValueError("a temperature, a steepness, a rate or a norm that is not above 0")
        if min(self.margin, self.leak, self.decay_after) < 0:
            raise ValueError("a margin, a slope or a share below 0")


class Scan:
    """The method, for images and texts."""

    facts: ClassVar[Facts] = Facts(
        name="scan",
        title="Stacked cross attention network",
        year=2018,
        source="Lee, Chen, Hua, Hu, He, ECCV 2018; released code at 8063557",
        scope=Scope.IMAGE_TEXT,
        takes=Kind.PARTS,
        space="scores",
        learns="SGD",
        deviations={
            "regions": "those of the features that are given, a grid of cells or a detector's; the "
            "release has 36 of a detector trained on Visual Genome",
            "words": "those of the features that are given, without the release's marks of start "
            "and end",
            "pairs": "drawn within each class, anew each epoch, for items here have no partner; "
            "items of one class are no negatives (mask_same_class: false makes them such)",
            "last": "the networks as they are after the last epoch; the release keeps those that "
            "do best on a validation set",
            "epochs": "of as many pairs as the larger medium has items; the release's have five "
            "sentences an image, 145,000 on Flickr30K",
        },
    )
    Config: ClassVar[type[ScanConfig]] = ScanConfig

    def build(self, data: Dataset, config: ScanConfig) -> Network:
        return Network(data, config)

    def stages(self, data: Dataset, config: ScanConfig) -> Sequence[Stage]:
        """A stage for each direction, whose network alone moves."""
        decay = [max(1, round(config.decay_after * config.epochs))]
        return [
            Stage(
                direction,
                config.epochs,
                ClassPairs(config.rows),
                (
                    Player(
                        direction,
                        partial(_parameters, direction),
                        partial(_losses, config, direction),
                        partial(clipped_adam, rate=config.rate, longest=config.longest_gradient),
                        partial(torch.optim.lr_scheduler.MultiStepLR, milestones=decay, gamma=0.1),
                    ),
                ),
            )
            for direction in config.directions
        ]

    def embed(self, model: nn.Module, medium: Medium, inputs: Parts) -> Tensor:
        """The elements [n, k, width · directions + 1], the directions' states side by side."""
        matchers = cast(Network, model).matchers.values()
        states = [matcher[medium](inputs) for matcher in cast(Iterable[nn.ModuleDict], matchers)]
        return pack(torch.cat(states, dim=-1), is_there(inputs))

    def similarity(self, config: ScanConfig, model: nn.Module | None) -> Similarity:
        """How well regions and words agree: the mean over the directions."""
        device = torch.device("cpu") if model is None else next(model.parameters()).device
        return partial(_compare, config, device)


class Network(nn.Module):
    """For each direction a matcher: what makes states [b, n, width] of regions, and of words."""

    def __init__(self, data: Dataset, config: ScanConfig) -> None:
        super().__init__()
        images, texts = (data.train[medium].inputs for medium in (Medium.IMAGE, Medium.TEXT))
        self.matchers = nn.ModuleDict()
        for direction in config.directions:
            matcher: dict[str, nn.Module] = {
                Medium.IMAGE: Regions(images, config),
                Medium.TEXT: Words(texts, config.word_width, config.width),
            }
            self.matchers[direction] = nn.ModuleDict(matcher)


class Regions(nn.Module):
    """A linear map of each region, of length 1."""

    def __init__(self, inputs: Inputs, config: ScanConfig) -> None:
        super().__init__()
        self.vectors = WordVectors(inputs, config.word_width)
        self.map = nn.Linear(self.vectors.width, config.width)
        nn.init.xavier_uniform_(self.map.weight)
        nn.init.zeros_(self.map.bias)

    def forward(self, parts: Parts) -> Tensor:
        return normalize(self.map(self.vectors(parts)), dim=-1)


class Words(WordStates):
    """The states of words, of length 1."""

    def forward(self, parts: Parts) -> Tensor:
        return normalize(super().forward(parts), dim=-1)


def _parameters(direction: Direction, model: nn.Module) -> Iterable[dict[str, Any]]:
    return [{"params": list(cast(Network, model).matchers[direction].parameters())}]


def _losses(
    config: ScanConfig, direction: Direction, model: nn.Module, batch: Batch
) -> Mapping[str, Tensor]:
    matcher = cast(nn.ModuleDict, cast(Network, model).matchers[direction])
    images, texts = (
        batch.gather(pack(matcher[medium](batch.inputs[medium]), is_there(batch.inputs[medium])))
        for medium in (Medium.IMAGE, Medium.TEXT)
    )
    scores = _scores_by_blocks(config, (direction,), images, texts, images.device)
    labels = batch.gather(batch.labels[Medium.IMAGE])
    hinges = hardest_hinges(scores, labels, config.margin, mask_same_class=config.mask_same_class)
    return {"hinges": hinges}


def _scores_by_blocks(
    config: ScanConfig,
    directions: tuple[Direction, ...],
    images: Tensor,
    texts: Tensor,
    device: torch.device,
) -> Tensor:
    score = partial(agreements, config, directions)
    return blockwise(score, images, texts, images.shape[1] * texts.shape[1], device)


def agreements(
    config: ScanConfig, directions: tuple[Direction, ...], images: Tensor, texts: Tensor
) -> Tensor:
    """The scores [a, b] of images' elements [a, n, …] and texts' [b, m, …].

    The mean over ``directions``, whose states lie side by side.
    """
    regions, words = _by_direction(images, directions), _by_direction(texts, directions)
    total = images.new_zeros(len(images), len(texts))
    for direction in directions:
        at = [*Direction].index(direction)
        attention = Attention(config.temperatures[at], config.leak)
        if direction is Direction.TEXT_IMAGE:
            cosines = attention.cosines(words[direction], regions[direction])
            pooled = pool(cosines, unpack(texts)[1], config.pooling, config.steepness[at])
        else:
            cosines = attention.cosines(regions[direction], words[direction])
            pooled = pool(cosines, unpack(images)[1], config.pooling, config.steepness[at]).T
        total = total + pooled / len(directions)
    return total


def _by_direction(elements: Tensor, directions: tuple[Direction, ...]) -> dict[Direction, Tensor]:
    states, there = unpack(elements)
    each = states.chunk(len(directions), dim=-1)
    return {direction: pack(of, there) for direction, of in zip(directions, each, strict=True)}


def pool(cosines: Tensor, there: Tensor, pooling: Pooling, steepness: float) -> Tensor:
    """One number [b, a] of the cosines [b, a, n] of the elements that are ``there`` [a, n]."""
    if pooling is Pooling.MEAN:  # cosines are 0 where no part is
        return cosines.sum(-1) / there.sum(-1)
    steep = (steepness * cosines).masked_fill(~there, -torch.inf)
    return steep.logsumexp(-1) / steepness


def _compare(
    config: ScanConfig,
    device: torch.device,
    query: tuple[Medium, NDArray[Any]],
    gallery: tuple[Medium, NDArray[Any]],
) -> NDArray[Any]:
    if query[0] is Medium.TEXT:
        return _compare(config, device, gallery, query).T
    images, texts = (torch.from_numpy(rows) for _, rows in (query, gallery))
    with torch.inference_mode():
        scores = _scores_by_blocks(config, config.directions, images, texts, device)
    return scores.cpu().numpy()
