"""GXN: images and texts compared at two levels, the lower one also taught by making the other.

Gu, Cai, Joty, Niu, Wang, "Look, imagine and match: improving textual-visual cross-modal retrieval
with generative models" (CVPR 2018). No code was released, and the paper's own text was not at hand:
this is built from descriptions of it. Look: an image's words are written from its lower level.
Imagine: a picture is painted from a text's, against a critic. Match: a hinge on the weighted
similarity of both levels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    normalize,
    pad,
)
from torch.optim.lr_scheduler import MultiStepLR

from fgbench.errors import Fault, FaultyInput
from fgbench.protocol import Medium
from fgbench.train.dataset import Dataset, Parts
from fgbench.train.inputs import PartInputs
from fgbench.train.method import Batch, Facts, Kind, Player, Scope, Similarity, Stage
from fgbench.train.pairing import ClassPairs
from fgbench.train.sequences import Recurrent, WordVectors, is_there, mean_of_parts
from fgbench.train.terms import all_hinges, draw_others, hardest_hinges

I, T = Medium.IMAGE, Medium.TEXT  # noqa: E741
REACH = 2.7
"""Of what is painted: pictures that are normalised lie between -2.2 and 2.7."""
SEED_SIDE = 4
"""Of the smallest map of features, which is doubled up to a picture's side."""
IGNORED = -100
"""No target: what torch's cross-entropy leaves out."""
CELLS = 1 << 25
"""Numbers compared at a time where order is: 128 MB."""

Embedded = tuple[Medium, NDArray[np.float32]]


class Measure(StrEnum):
    """What compares an image with a text, at either level."""

    COSINE = "cosine"
    ORDER = "order"
    """Minus the squared violation of the order text below image, of what is not below 0."""


class Reading(StrEnum):
    """What of a GRU's states over a text's words stands for the text."""

    MEAN = "mean"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class GxnConfig:
    """Sizes, weights and epochs. What is recalled of the paper is said to be so."""

    width: int = 1024
    """Of each level, and of the GRUs; recalled."""
    word_width: int = 300
    """Of words without vectors of their own; recalled."""
    reading: Reading = Reading.MEAN
    """Ours. On held-out training items the last state took far longer to learn texts of 24 words
    or more."""
    measure: Measure = Measure.COSINE
    """The paper is recalled to have tried both; the cosine makes embeddings of them."""
    high_weight: float = 0.5
    """Of the higher level; the lower has the rest. Ours."""
    margin: float = 0.2
    """Of the cosine, recalled; 0.05 goes with the order."""
    hardest: bool = False
    """Whether a row's hardest negative alone counts, as the paper is recalled to have it, and not
    all. With pairs of a class that drew everything together before it told classes apart: MAP on
    held-out training items .36 and .17 (image to text, and back), and .40 and .44 with all."""
    mask_same_class: bool = True
    """Whether others of an item's class are no negatives to it. Ours: the paper's pairs are
    instances, of which every other is one."""
    write_weight: float = 1.0
    """Of the words written from images; 0 leaves the path out. Ours."""
    most_words: int = 5000
    """That are written: the most frequent ones. Ours."""
    longest: int = 60
    """Words of a text that are written. Ours: later ones can hardly be told from a picture."""
    paint_weight: float = 1.0
    """Of the pictures painted from texts; 0 leaves the path out, and files need no pictures.
    Ours."""
    smoothness: float = 1.0
    """Of the divergence of a text's condition from N(0, 1), beside the painter's term. Ours."""
    noise: int = 100
    """Numbers drawn for each picture; recalled."""
    condition: int = 128
    """Numbers that a text is told to painter and critic by. Ours."""
    channels: int = 64
    """Of the largest map of features of both; smaller maps have twice as many. Ours."""
    rate: float = 2e-4
    """Adam's, and a tenth of it after ``decay_after`` epochs of all stages; recalled."""
    decay_after: int = 15
    momentum: float = 0.5
    """Adam's first decay for painter and critic. Ours: as such networks usually have."""
    rows: int = 128
    """Pairs in a step; recalled."""
    match_epochs: int = 10
    """Of matching alone, then with writing, then with painting, then with both: the order is
    recalled, the epochs are ours."""
    write_epochs: int = 5
    paint_epochs: int = 5
    joint_epochs: int = 10

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for what cannot be trained."""
        sizes = self.width, self.word_width, self.most_words, self.longest, self.noise
        if min(*sizes, self.condition, self.channels, self.rows, self.match_epochs) < 1:
            raise ValueError("a width, words, rows or epochs of matching below 1")
        weights = self.write_weight, self.paint_weight, self.smoothness, self.margin
        epochs = self.write_epochs, self.paint_epochs, self.joint_epochs, self.decay_after
        if min(*weights, *epochs) < 0 or self.rate <= 0:
            raise ValueError("a weight, a margin or epochs below 0, or a rate that is not above 0")
        if not (0 <= self.high_weight <= 1 and 0 <= self.momentum < 1):
            raise ValueError("a high_weight or a momentum that is no share")


class Gxn:
    """The method, for images and texts."""

    facts: ClassVar[Facts] = Facts(
        name="gxn",
        title="Generative cross-modal learning network",
        year=2018,
        source="Gu, Cai, Joty, Niu, Wang, CVPR 2018; no released code",
        scope=Scope.IMAGE_TEXT,
        takes=Kind.PARTS,
        space="embedding",
        learns="GAN",
        deviations={
            "source": "a re-implementation from descriptions; sizes and rates are recalled or ours",
            "images": "start from features of the whole; the paper's network is trained from "
            "pixels in the end",
            "pairs": "of one class, drawn anew in each epoch; the paper's are instances",
            "negatives": "all of a step, where the hardest alone are recalled (hardest: true)",
            "reward": "words are learnt by cross-entropy alone, without the policy gradient of a "
            "sentence's score, which has no meaning for texts that tell a class and not a picture",
            "words": "written texts end after 60 words and leave rare words out",
        },
    )
    Config: ClassVar[type[GxnConfig]] = GxnConfig

    def build(self, data: Dataset, config: GxnConfig) -> Network:
        """The network. Raises ``FaultyInput`` (FG-Y060, FG-Y061) where it wants words or pictures
        and the features have none."""
        return Network(data, config)

    def stages(self, data: Dataset, config: GxnConfig) -> Sequence[Stage]:
        """Matching alone, with writing, with painting, with both; a path of weight 0 nowhere."""
        writes, paints = config.write_weight > 0, config.paint_weight > 0
        plan = {
            "match": (config.match_epochs, False, False),
            "write": (config.write_epochs, writes, False),
            "paint": (config.paint_epochs, False, paints),
            "joint": (config.joint_epochs, writes, paints),
        }
        stages, start = [], 0
        for name, (epochs, writing, painting) in plan.items():
            players = _players(config, start, writing=writing, painting=painting)
            stages.append(Stage(name, epochs, ClassPairs(config.rows), players))
            start += epochs
        return stages

    def embed(self, model: nn.Module, medium: Medium, inputs: Parts) -> Tensor:
        """[n, 2 · width]: both levels, weighed so that the measure of all is the mean of theirs."""
        levels: Levels = cast(Network, model)(medium, inputs)
        return levels.joined

    def similarity(self, config: GxnConfig, model: nn.Module | None) -> Similarity | None:
        """None for the cosine; else minus the violation of order."""
        return _order if config.measure is Measure.ORDER else None


class Levels(NamedTuple):
    """Items at both levels: what is compared [n, 2 · width], and the lower as it is [n, width]."""

    joined: Tensor
    low: Tensor


class Network(nn.Module):
    """Two levels of both media, the writer, the painter, and the critic of what is painted."""

    def __init__(self, data: Dataset, config: GxnConfig) -> None:
        super().__init__()
        images, texts = (cast(PartInputs, data.train[medium].inputs) for medium in (I, T))
        _check(images, texts, config)
        self.config = config
        entering = images.vectors.shape[1]
        self.heads = nn.ModuleList(nn.Linear(entering, config.width) for _ in range(2))
        self.words = WordVectors(texts, config.word_width)
        layers = (nn.GRU(self.words.width, config.width, batch_first=True) for _ in range(2))
        self.readers = nn.ModuleList(Recurrent(layer) for layer in layers)
        if config.write_weight:
            self.writer = Writer(texts, self.words.width, config)
        if config.paint_weight:
            assert images.pictures is not None, "it was checked"  # noqa: S101
            doublings = (images.pictures.shape[-1] // SEED_SIDE).bit_length() - 1
            self.painter, self.critic = Painter(doublings, config), Critic(doublings, config)

    def forward(self, medium: Medium, parts: Parts) -> Levels:
        if medium is I:
            high, low = (head(parts.vectors) for head in self.heads)
        else:
            vectors = self.words(parts)
            high, low = (
                self._read(reader(vectors, parts.counts), parts) for reader in self.readers
            )
        share = self.config.high_weight
        both = share**0.5 * normalize(high, dim=1), (1 - share) ** 0.5 * normalize(low, dim=1)
        joined = torch.cat(both, dim=1)
        return Levels(joined.abs() if self.config.measure is Measure.ORDER else joined, low)

    def _read(self, states: Tensor, texts: Parts) -> Tensor:
        if self.config.reading is Reading.MEAN:
            return mean_of_parts(states, is_there(texts))
        rows = torch.arange(len(states), device=states.device)
        return states[rows, texts.counts - 1]


def _check(images: PartInputs, texts: PartInputs, config: GxnConfig) -> None:
    """Raise ``FaultyInput`` where a path wants what the features have not."""
    faults = []
    if config.write_weight and not texts.words:
        expected, fix = "words, which are written", "extract words, or --set write_weight=0"
        faults.append(Fault("FG-Y060", "parts of texts", "vectors", expected, fix))
    side = 0 if images.pictures is None else images.pictures.shape[-1]
    if config.paint_weight and (side <= SEED_SIDE or side & (side - 1)):
        found = f"pictures of side {side}" if side else "no pictures"
        expected = "pictures to paint, their side a power of two, 8 at least"
        fix = "extract them with --parts, or --set paint_weight=0"
        faults.append(Fault("FG-Y061", "features of images", found, expected, fix))
    if faults:
        raise FaultyInput("gxn cannot learn from these features", faults)


class Writer(nn.Module):
    """Tells a text word by word, from an image's lower level and the words before.

    ``numbers``: what is told for each word: of 0, which is no word, the end; of rare ones IGNORED.
    """

    numbers: Tensor

    def __init__(self, texts: PartInputs, entering: int, config: GxnConfig) -> None:
        super().__init__()
        often = np.bincount(texts.parts, minlength=texts.words + 1)[1:]
        frequent = 1 + np.argsort(-often, kind="stable")[: config.most_words]
        numbers = torch.full((texts.words + 1,), IGNORED)
        numbers[np.append(0, frequent)] = torch.arange(len(frequent) + 1)
        self.register_buffer("numbers", numbers)
        self.longest = config.longest
        self.start = nn.Linear(config.width, config.width)
        self.layer = nn.GRU(entering, config.width, batch_first=True)
        self.out = nn.Linear(config.width, len(frequent) + 1)

    def forward(self, low: Tensor, texts: Parts, words: WordVectors) -> Tensor:
        """The mean cross-entropy of the texts' words and ends, up to the longest's."""
        following = pad(texts.parts, (0, 1))[:, : self.longest]
        before = pad(following[:, :-1], (1, 0))
        states, _ = self.layer(words(texts._replace(parts=before)), self.start(low).tanh()[None])
        places = torch.arange(following.shape[1], device=following.device)
        truth = self.numbers[following].masked_fill(places > texts.counts[:, None], IGNORED)
        told = self.out(states).flatten(0, 1)
        total = cross_entropy(told, truth.flatten(), ignore_index=IGNORED, reduction="sum")
        return total / (truth != IGNORED).sum().clamp(min=1)


class Painted(NamedTuple):
    """Pictures [b, 3, side, side], and how far their texts' conditions are from N(0, 1): a mean."""

    pictures: Tensor
    divergence: Tensor


class Painter(nn.Module):
    """Pictures from texts' lower level, each by a condition that is drawn about it, and noise."""

    def __init__(self, doublings: int, config: GxnConfig) -> None:
        super().__init__()
        self.noise = config.noise
        self.condition = nn.Linear(config.width, 2 * config.condition)
        channels = [config.channels << place for place in reversed(range(doublings))]
        entering = config.condition + config.noise
        layers = nn.Sequential(nn.ConvTranspose2d(entering, channels[0], SEED_SIDE, bias=False))
        for before, after in pairwise(channels):
            layers.extend([nn.BatchNorm2d(before), nn.ReLU()])
            layers.append(nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False))
        layers.extend([nn.BatchNorm2d(channels[-1]), nn.ReLU()])
        layers.extend([nn.ConvTranspose2d(channels[-1], 3, 4, 2, 1), nn.Tanh()])
        self.layers = layers

    def forward(self, low: Tensor) -> Painted:
        mean, spread = self.condition(low).chunk(2, dim=1)  # the logarithm of the variance
        condition = mean + (spread / 2).exp() * torch.randn_like(mean)
        noise = torch.randn(len(low), self.noise, device=low.device, dtype=low.dtype)
        pictures = REACH * self.layers(torch.cat([condition, noise], dim=1)[..., None, None])
        return Painted(pictures, ((mean.square() + spread.exp() - spread - 1) / 2).mean())


class Critic(nn.Module):
    """Whether pictures are real and of their texts: scores [b], from pictures and lower levels."""

    def __init__(self, doublings: int, config: GxnConfig) -> None:
        super().__init__()
        channels = [config.channels << place for place in range(doublings)]
        self.look = nn.Sequential(nn.Conv2d(3, channels[0], 4, 2, 1), nn.LeakyReLU(0.2))
        for before, after in pairwise(channels):
            self.look.append(nn.Conv2d(before, after, 4, 2, 1, bias=False))
            self.look.extend([nn.BatchNorm2d(after), nn.LeakyReLU(0.2)])
        self.condition = nn.Linear(config.width, config.condition)
        last = channels[-1]
        self.judge = nn.Sequential(
            nn.Conv2d(last + config.condition, last, 1, bias=False),
            nn.BatchNorm2d(last),
            nn.LeakyReLU(0.2),
            nn.Conv2d(last, 1, SEED_SIDE),
        )

    def forward(self, pictures: Tensor, low: Tensor) -> Tensor:
        condition = self.condition(low)[..., None, None].expand(-1, -1, SEED_SIDE, SEED_SIDE)
        scores: Tensor = self.judge(torch.cat([self.look(pictures), condition], dim=1))
        return scores.flatten()


def _players(config: GxnConfig, start: int, *, writing: bool, painting: bool) -> tuple[Player, ...]:
    """Who learns in a stage that begins after ``start`` epochs: first the critic, where one is."""
    schedule = partial(MultiStepLR, milestones=[max(0, config.decay_after - start)], gamma=0.1)
    adam = partial(torch.optim.Adam, lr=config.rate)
    network = Player(
        "network",
        partial(_parameters, config, writing, painting),
        partial(_losses, config, writing, painting),
        adam,
        schedule,
    )
    if not painting:
        return (network,)
    betas = (config.momentum, 0.999)
    critic = Player("critic", _of_critic, _judge, partial(adam, betas=betas), schedule)
    return critic, network


def _parameters(
    config: GxnConfig, writing: bool, painting: bool, model: nn.Module
) -> Iterable[dict[str, Any]]:
    network = cast(Network, model)
    parts: list[nn.Module] = [network.heads, network.words, network.readers]
    if writing:
        parts.append(network.writer)
    yield {"params": [parameter for part in parts for parameter in part.parameters()]}
    if painting:
        yield {"params": network.painter.parameters(), "betas": (config.momentum, 0.999)}


def _of_critic(model: nn.Module) -> Iterable[dict[str, Any]]:
    return [{"params": cast(Network, model).critic.parameters()}]


def _losses(
    config: GxnConfig, writing: bool, painting: bool, model: nn.Module, batch: Batch
) -> Mapping[str, Tensor]:
    network = cast(Network, model)
    images, texts = (network(medium, batch.inputs[medium]) for medium in (I, T))
    scores = compare(config.measure, batch.gather(images.joined), batch.gather(texts.joined))
    labels = batch.gather(batch.labels[I])
    hinges = hardest_hinges if config.hardest else all_hinges
    match = hinges(scores, labels, config.margin, mask_same_class=config.mask_same_class)
    terms = {"match": match}
    if writing:
        written = network.writer(images.low, batch.inputs[T], network.words)
        terms["write"] = config.write_weight * written
    if painting:
        painted = network.painter(texts.low)
        # The text learns to be painted from, not to sway the critic.
        judged = network.critic(painted.pictures, texts.low.detach())
        terms["paint"] = config.paint_weight * told_apart(judged, real=True)
        terms["smooth"] = config.paint_weight * config.smoothness * painted.divergence
    return terms


def _judge(model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
    """The critic's terms: real pictures with texts of their class, with others', and painted ones.

    The two wrong kinds have half the weight each.
    """
    network, pictures = cast(Network, model), batch.inputs[I].pictures
    with torch.no_grad():
        low = network(T, batch.inputs[T]).low
        painted = network.painter(low).pictures
    terms = {
        "right": told_apart(network.critic(pictures, low), real=True),
        "painted": told_apart(network.critic(painted, low), real=False) / 2,
    }
    rows, others = draw_others(batch.labels[T])
    if len(rows):
        terms["wrong"] = told_apart(network.critic(pictures[rows], low[others]), real=False) / 2
    return terms


def told_apart(scores: Tensor, *, real: bool) -> Tensor:
    """The mean cross-entropy of scores that should all say the same."""
    return binary_cross_entropy_with_logits(scores, torch.full_like(scores, float(real)))


def compare(measure: Measure, images: Tensor, texts: Tensor) -> Tensor:
    """Similarities [n, m] of joined levels [n, d] and [m, d]."""
    if measure is Measure.COSINE:
        return images @ texts.T
    return -(images[:, None] - texts).relu().square().sum(2)


def _order(query: Embedded, gallery: Embedded) -> NDArray[np.float32]:
    if query[0] is T:
        return _order(gallery, query).T
    images, texts = torch.from_numpy(query[1]), torch.from_numpy(gallery[1])
    blocks = images.tensor_split(-(-images.shape[0] * texts.numel() // CELLS))
    found = torch.cat([compare(Measure.ORDER, block, texts) for block in blocks])
    scores: NDArray[np.float32] = found.numpy()
    return scores
