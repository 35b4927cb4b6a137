"""CRAN: alignment of items as wholes, of their parts, and of the relations between parts.

Qi, Peng, Yuan, "Cross-media multi-level alignment with relation attention network" (IJCAI 2018), of
which the abstract alone was at hand, and no code was released. Sizes and scores are those of the
same group's later MAVA (IEEE TIP 2020), which has these three levels too: released code
PKU-ICST-MIPL/MAVA_TIP2020 at 2c4311f, PyTorch. All defaults are from there that say nothing else;
the form ``released`` is MAVA's.
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
from torch.nn.functional import linear, normalize

from fgbench.protocol import Medium
from fgbench.train.attention import (
    Attention,
    blockwise,
    pack,
    unpack,
)
from fgbench.train.clipping import clipped_adam
from fgbench.train.dataset import Dataset, Parts
from fgbench.train.inputs import PartInputs
from fgbench.train.method import Batch, Facts, Kind, Player, Scope, Similarity, Stage
from fgbench.train.pairing import ClassPairs
from fgbench.train.sequences import WordStates, WordVectors, is_there, mean_of_parts
from fgbench.train.terms import hardest_hinges


class Level(StrEnum):
    """What is aligned; a network each, trained by itself."""

    GLOBAL = "global"
    LOCAL = "local"
    RELATION = "relation"


class NormAxis(StrEnum):
    """What has a length of 1 before the words of the global level are averaged."""

    FEATURE = "feature"
    """Each word's state."""
    RELEASED = "released"
    """Each unit over the words of a text, whose sum is divided by the room for words: MAVA's."""


@dataclass(frozen=True, slots=True)
class CranConfig:
    """Sizes of the three networks, how they score, and how they are trained."""

    extended: bool = False
    """Whether every two media are compared, as images and texts are: ours. All rows of a submission
    are "extended" then but those of images with texts. Within a medium is compared then too."""
    width: int = 1024
    """Of all states."""
    word_width: int = 300
    """Of the vectors of words, where the file of texts brings none."""
    norm_axis: NormAxis = NormAxis.FEATURE
    """The release's looks like a slip."""
    text_relations: bool = False
    """Whether the relation level has pairs of near words instead of words. The abstract speaks of
    relations in both media, the release has none in texts."""
    window: int = 3
    """Words within which two are near, themselves counted. Ours."""
    related_regions: int | None = None
    """How many of an item's regions, evenly spread over them, have relations; None: all, n² pairs.
    Ours, for small budgets."""
    temperature: float = 4.0
    """Of the softmax over words."""
    leak: float = 0.1
    """Slope of what is below 0 before the softmax."""
    dropped: int = 3
    """One of so many of an item's agreements, the lowest, does not count."""
    global_weight: float = 1.0
    """Of the level's score in the sum; fixed ones, and so the next two."""
    local_weight: float = 25.0
    relation_weight: float = 5.0
    margin: float = 0.2
    mask_same_class: bool = True
    """Whether items of one's own class are no negatives. The release knows single items alone, each
    of which has its own texts; here they are paired by class."""
    rate: float = 5e-4
    """Adam's."""
    decay_after: float = 0.5
    """The share of the epochs after which the rate is a tenth."""
    longest_gradient: float = 2.0
    global_rows: int = 32
    """Pairs in a step of the global level."""
    rows: int = 100
    """The same of the other levels."""
    epochs: int = 20
    """Of each level."""

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for what cannot be trained."""
        sizes = self.width, self.word_width, self.rows, self.global_rows, self.epochs
        related = 1 if self.related_regions is None else self.related_regions
        if min(*sizes, related) < 1 or min(self.window, self.dropped) < 2:
            raise ValueError("a size, rows or epochs below 1, or a window or dropped below 2")
        if min(self.temperature, self.rate, self.longest_gradient) <= 0:
            raise ValueError("a temperature, a rate or a norm that is not above 0")
        weights = self.global_weight, self.local_weight, self.relation_weight
        if min(*weights, self.margin, self.leak, self.decay_after) < 0:
            raise ValueError("a weight, a margin, a slope or a share below 0")


class Cran:
    """The method, for exactly two media."""

    facts: ClassVar[Facts] = Facts(
        name="cran",
        title="Cross-media relation attention network",
        year=2018,
        source="Qi, Peng, Yuan, IJCAI 2018; released code of MAVA, by the same group, at 2c4311f",
        scope=Scope.IMAGE_TEXT,
        takes=Kind.PARTS,
        space="scores",
        learns="SGD",
        deviations={
            "method": "built after MAVA, a later system of the same authors: CRAN's own details "
            "and code were not to be had",
            "regions": "those of the features that are given, a grid of cells or a detector's; the "
            "release has 36 of a detector. A lone region is related to itself",
            "words": "those of the features that are given, without the release's marks of start "
            "and end",
            "selection": "words whose weights are equal all stay; the release loses them all",
            "pairs": "drawn within each class, anew each epoch, for items here have no partner; "
            "items of one class are no negatives (mask_same_class: false makes them such)",
            "last": "the networks as they are after the last epoch; the release keeps those that "
            "do best on a validation set",
            "fusion": "the fixed sum of raw scores; no weights are chosen by validation",
            "other media": "extended: of a pair without a text the later medium has the part of "
            "words; within a medium local and global levels are compared, both ways alike",
        },
    )
    Config: ClassVar[type[CranConfig]] = CranConfig

    def build(self, data: Dataset, config: CranConfig) -> Network:
        return Network(data, config)

    def stages(self, data: Dataset, config: CranConfig) -> Sequence[Stage]:
        """A stage for each level, whose network alone moves."""
        decay = [max(1, round(config.decay_after * config.epochs))]
        return [
            Stage(
                level,
                config.epochs,
                ClassPairs(config.global_rows if level is Level.GLOBAL else config.rows),
                (
                    Player(
                        level,
                        partial(_parameters, level),
                        partial(_losses, config, level),
                        partial(clipped_adam, rate=config.rate, longest=config.longest_gradient),
                        partial(torch.optim.lr_scheduler.MultiStepLR, milestones=decay, gamma=0.1),
                    ),
                ),
            )
            for level in Level
        ]

    def embed(self, model: nn.Module, medium: Medium, inputs: Parts) -> Tensor:
        """The elements of the three levels, each flattened, side by side [n, …]."""
        network = cast(Network, model)
        rows = [network.side(level, medium)(inputs).flatten(1) for level in Level]
        return torch.cat(rows, dim=1)

    def similarity(self, config: CranConfig, model: nn.Module | None) -> Similarity:
        """The weighted sum of the levels' scores."""
        return partial(_compare, config, cast(Network, model))


class Network(nn.Module):
    """For each level and medium what makes elements of its items.

    ``words``: the medium whose parts are read as words, one after the other: text, or the later of
    two others. ``regions``: the other one.
    """

    def __init__(self, data: Dataset, config: CranConfig) -> None:
        super().__init__()
        self.words = Medium.TEXT if Medium.TEXT in data.media else data.media[-1]
        (self.regions,) = (medium for medium in data.media if medium is not self.words)
        regions, words = (
            cast(PartInputs, data.train[medium].inputs) for medium in (self.regions, self.words)
        )
        pairs = RelatedWords if config.text_relations else LocalWords
        sides: dict[Level, dict[str, nn.Module]] = {
            Level.GLOBAL: {
                self.regions: GlobalRegions(regions, config),
                self.words: GlobalWords(words, config),
            },
            Level.LOCAL: {
                self.regions: LocalRegions(regions, config),
                self.words: LocalWords(words, config),
            },
            Level.RELATION: {
                self.regions: RelatedRegions(regions, config),
                self.words: pairs(words, config),
            },
        }
        self.levels = nn.ModuleDict({level: nn.ModuleDict(of) for level, of in sides.items()})

    def side(self, level: Level, medium: Medium) -> Side:
        """What makes a medium's elements of a level."""
        return cast(Side, cast(nn.ModuleDict, self.levels[level])[medium])

    def unflatten(self, medium: Medium, rows: Tensor) -> dict[Level, Tensor]:
        """The elements [n, …] of each level, of embeddings."""
        shapes = {level: self.side(level, medium).shape for level in Level}
        flat = torch.split(rows, [n * columns for n, columns in shapes.values()], dim=1)
        return {
            level: part.reshape(len(rows), *shape)
            for (level, shape), part in zip(shapes.items(), flat, strict=True)
        }


class Side(nn.Module):
    """Makes elements of ``shape`` [n, columns] of an item's parts."""

    shape: tuple[int, int]


class GlobalRegions(Side):
    """A linear map of the whole item's vector, of length 1: one element."""

    def __init__(self, inputs: PartInputs, config: CranConfig) -> None:
        super().__init__()
        self.shape = (1, config.width + 1)
        self.map = nn.Linear(inputs.vectors.shape[1], config.width)

    def forward(self, parts: Parts) -> Tensor:
        return _single(normalize(self.map(parts.vectors), dim=-1))


class GlobalWords(Side):
    """The mean of the states of words, after they, or their units, are of length 1: one element."""

    def __init__(self, inputs: PartInputs, config: CranConfig) -> None:
        super().__init__()
        self.shape = (1, config.width + 1)
        self.axis = config.norm_axis
        self.states = WordStates(inputs, config.word_width, config.width)

    def forward(self, parts: Parts) -> Tensor:
        states = self.states(parts)
        if self.axis is NormAxis.RELEASED:
            return _single(normalize(states, dim=1).mean(1))
        return _single(mean_of_parts(normalize(states, dim=-1), is_there(parts)))


class LocalRegions(Side):
    """A linear map of each region."""

    def __init__(self, inputs: PartInputs, config: CranConfig) -> None:
        super().__init__()
        self.shape = (inputs.longest, config.width + 1)
        self.vectors = WordVectors(inputs, config.word_width)
        self.map = nn.Linear(self.vectors.width, config.width)

    def forward(self, parts: Parts) -> Tensor:
        return pack(self.map(self.vectors(parts)), is_there(parts))


class LocalWords(Side):
    """The states of words."""

    def __init__(self, inputs: PartInputs, config: CranConfig) -> None:
        super().__init__()
        self.shape = (inputs.longest, config.width + 1)
        self.states = WordStates(inputs, config.word_width, config.width)

    def forward(self, parts: Parts) -> Tensor:
        return pack(self.states(parts), is_there(parts))


class Relation(nn.Module):
    """A linear map of two vectors side by side: the sum of what it makes of either [b, n, width].

    Pairs of n parts are n² of what is n and n so.
    """

    def __init__(self, entering: int, width: int) -> None:
        super().__init__()
        self.map = nn.Linear(2 * entering, width)

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        first, second = self.map.weight.chunk(2, dim=1)
        return linear(vectors, first, self.map.bias), linear(vectors, second)


class RelatedRegions(Side):
    """What the relations of regions are sums of, as :func:`relation_cosines` wants it."""

    def __init__(self, inputs: PartInputs, config: CranConfig) -> None:
        super().__init__()
        room = inputs.longest
        self.most = room if config.related_regions is None else min(config.related_regions, room)
        self.shape = (self.most, 2 * config.width + 1)
        self.vectors = WordVectors(inputs, config.word_width)
        self.relation = Relation(self.vectors.width, config.width)

    def forward(self, parts: Parts) -> Tensor:
        places = torch.arange(self.most, device=parts.counts.device)
        counts = parts.counts[:, None].clamp(max=self.most)
        spread = (places * parts.counts[:, None] // counts).clamp(max=parts.parts.shape[1] - 1)
        vectors = self.vectors(parts)
        chosen = vectors.gather(1, spread[..., None].expand(-1, -1, vectors.shape[-1]))
        return pack(torch.cat(self.relation(chosen), dim=-1), places < counts)


class RelatedWords(Side):
    """Relations of a word with those after it, within the window; a lone word's with itself."""

    def __init__(self, inputs: PartInputs, config: CranConfig) -> None:
        super().__init__()
        self.steps = range(1, min(config.window, inputs.longest))
        self.shape = (1 + sum(inputs.longest - step for step in self.steps), config.width + 1)
        self.states = WordStates(inputs, config.word_width, config.width)
        self.relation = Relation(config.width, config.width)

    def forward(self, parts: Parts) -> Tensor:
        first, second = self.relation(self.states(parts))
        there = is_there(parts)
        found = [first[:, :1] + second[:, :1]]
        known = [parts.counts[:, None] == 1]
        for step in self.steps:
            found.append(first[:, :-step] + second[:, step:])
            known.append(there[:, step:])
        return pack(torch.cat(found, dim=1), torch.cat(known, dim=1))


def _single(states: Tensor) -> Tensor:
    """One element [b, 1, d + 1] an item."""
    return pack(states[:, None], states.new_ones(len(states), 1))


def _parameters(level: Level, model: nn.Module) -> Iterable[dict[str, Any]]:
    return [{"params": list(cast(Network, model).levels[level].parameters())}]


def _losses(
    config: CranConfig, level: Level, model: nn.Module, batch: Batch
) -> Mapping[str, Tensor]:
    network = cast(Network, model)
    regions, words = (
        batch.gather(network.side(level, medium)(batch.inputs[medium]))
        for medium in (network.regions, network.words)
    )
    cells = _cells(level, regions.shape[1], words.shape[1])
    scores = blockwise(partial(agreements, config, level), regions, words, cells, regions.device)
    labels = batch.gather(batch.labels[network.regions])
    hinges = hardest_hinges(scores, labels, config.margin, mask_same_class=config.mask_same_class)
    return {"hinges": hinges}


def _cells(level: Level, queries: int, contexts: int) -> int:
    """The products that a pair of items of so many elements needs."""
    return (queries**2 if level is Level.RELATION else queries) * contexts


def agreements(config: CranConfig, level: Level, regions: Tensor, words: Tensor) -> Tensor:
    """A level's scores [a, b] of items by their elements [a, n, …] and [b, m, …]."""
    if level is Level.GLOBAL:
        return unpack(regions)[0].flatten(1) @ unpack(words)[0].flatten(1).T
    attention = Attention(config.temperature, config.leak, selective=True)
    if level is Level.LOCAL:
        cosines, there = attention.cosines(regions, words), unpack(regions)[1]
    else:
        cosines, there = relation_cosines(attention, regions, words)
    return mean_of_best(cosines, there, config.dropped).T


def relation_cosines(attention: Attention, regions: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
    """The cosines [b, a, n²] of all ordered pairs of regions, and which [a, n²] there are.

    ``regions`` [a, n, 2 d + 1]: the states of a region as the first and as the second of a pair,
    side by side; a pair's is their sum, and is never built.
    """
    states, there = unpack(regions)
    first, second = states.chunk(2, dim=-1)
    context, known = unpack(words)
    of_first, of_second = (torch.einsum("and,bmd->banm", of, context) for of in (first, second))
    products = (of_first[:, :, :, None] + of_second[:, :, None]).flatten(2, 3)
    lengths = [of.square().sum(-1) for of in (first, second)]
    squares = lengths[0][:, :, None] + lengths[1][:, None] + 2 * first @ second.mT
    lone = (there.sum(1) == 1)[:, None, None]
    other = lone | ~torch.eye(there.shape[1], dtype=torch.bool, device=there.device)
    pairs = (there[:, :, None] & there[:, None] & other).flatten(1)
    return attention.weigh(products, squares.flatten(1), pairs, context, known), pairs


def mean_of_best(cosines: Tensor, there: Tensor, dropped: int) -> Tensor:
    """The mean [b, a] of cosines [b, a, n] of the elements that are ``there`` [a, n], without the
    lowest: one of each ``dropped``."""
    places, counts = there.shape[1], there.sum(1)
    ascending = cosines.masked_fill(~there, -torch.inf).sort(dim=-1).values
    least = places - counts + counts // dropped
    kept = torch.arange(places, device=there.device) >= least[:, None]
    return ascending.masked_fill(~kept, 0).sum(-1) / kept.sum(1)


def _compare(
    config: CranConfig,
    network: Network,
    query: tuple[Medium, NDArray[Any]],
    gallery: tuple[Medium, NDArray[Any]],
) -> NDArray[Any]:
    media = query[0], gallery[0]
    if media == (network.words, network.regions):
        return _compare(config, network, gallery, query).T
    score = partial(_between, config, network)
    if query[0] is gallery[0]:
        score = partial(_within, config, network, query[0])
    counts = {level: [network.side(level, medium).shape[0] for medium in media] for level in Level}
    cells = max(_cells(level, *of) for level, of in counts.items())
    ours, theirs = (torch.from_numpy(rows) for _, rows in (query, gallery))
    with torch.inference_mode():
        scores = blockwise(score, ours, theirs, cells, next(network.parameters()).device)
    return scores.cpu().numpy()


def _between(config: CranConfig, network: Network, regions: Tensor, words: Tensor) -> Tensor:
    """The weighted sum of all levels' scores."""
    weights = config.global_weight, config.local_weight, config.relation_weight
    sides = network.unflatten(network.regions, regions), network.unflatten(network.words, words)
    found = [
        weight * agreements(config, level, *(side[level] for side in sides))
        for level, weight in zip(Level, weights, strict=True)
    ]
    return torch.stack(found).sum(0)


def _within(
    config: CranConfig, network: Network, medium: Medium, queries: Tensor, gallery: Tensor
) -> Tensor:
    """The same within a medium: without relations, and the mean of both ways to attend."""
    ours, theirs = (network.unflatten(medium, rows) for rows in (queries, gallery))
    local = [
        agreements(config, Level.LOCAL, ours[Level.LOCAL], theirs[Level.LOCAL]),
        agreements(config, Level.LOCAL, theirs[Level.LOCAL], ours[Level.LOCAL]).T,
    ]
    whole = agreements(config, Level.GLOBAL, ours[Level.GLOBAL], theirs[Level.GLOBAL])
    return config.global_weight * whole + config.local_weight * (local[0] + local[1]) / 2
