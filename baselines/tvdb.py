"""TVDB: binary codes of regions and of sentences, found batch by batch with what encodes them.

Shen, Liu, Shao, Song, "Deep binaries: encoding semantic-rich cues for efficient textual-visual
cross retrieval" (ICCV 2017, arXiv 1708.02531). No code was released, and the paper's own text was
not at hand, only its abstract and a reader's summary: what these leave open is ours, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from fgbench.protocol import Medium
from fgbench.train.dataset import Dataset, Inputs, Parts
from fgbench.train.inputs import FeatureInputs, PartInputs
from fgbench.train.method import Batch, Facts, Kind, Player, Scope, Stage
from fgbench.train.pairing import ClassPairs
from fgbench.train.sequences import Recurrent, WordVectors, is_there, mean_of_parts
from fgbench.train.standardise import Standardise

PROPORTION = 226 / 4096
"""Copies of a region's four numbers by the width of its features: 5,000 are 4,096 + 4 · 226."""


class Affinity(StrEnum):
    """What supervises a pair of items of one class, and a pair of two.

    WEIGHED: o / s and −1, where o pairs of the batch are of two classes and s of one. SIGNED: 1 and
    −1; of more than four classes the best codes are then one for all images and its opposite for
    all texts. ZERO_ONE: 1 and 0; then one code for all is as good as any.
    """

    WEIGHED = "weighed"
    SIGNED = "signed"
    ZERO_ONE = "zero-one"


class Start(StrEnum):
    """Where the codes of the second medium of a batch start from.

    CLASSES: a random code of each class, drawn with the network. ENCODER: the signs of what its
    encoder says, which untrained says nearly the same of all; from one code for all items the
    updates of weighed pairs do not move. CENTRED: the same less its mean over the batch; then all
    bits start from nearly one and the same split of the items, and nothing drives them apart.
    """

    CLASSES = "classes"
    ENCODER = "encoder"
    CENTRED = "centred"


@dataclass(frozen=True, slots=True)
class TvdbConfig:
    """The encoders' sizes, and the alternation's."""

    bits: int = 128
    """Of a code. Ours: the longest that GSPH's release evaluates."""
    extended: bool = False
    """Whether every two media are learnt, frames and windows as regions without a place; the source
    has images and texts alone. These rows are to be called extended."""
    standardise: bool = True
    """Whether features of regions, and of the whole, become z-scores. Ours: they may be of any
    extractor, the source's are an AlexNet's; of another such network it makes no difference."""
    tiles: int | None = None
    """How often a region's height, width and centre stand beside its features; None: in the
    source's proportion, 226 times beside 4,096."""
    states: int = 512
    """Of the recurrent layer, whose two directions are averaged. Ours."""
    hidden: int = 1024
    """Of the image encoder's first full layer. Ours; the source has two full layers."""
    words: int = 80
    """Read of a text; the source's 12 are the mean length of its captions."""
    word_width: int = 128
    """Of a word's vector, unless the file of parts brings vectors; the source's."""
    kernels: tuple[int, ...] = (3, 4, 5)
    """Words that a convolution sees at once: the source's 12 words make 10, 9 and 8 segments."""
    channels: int = 256
    """Of each convolution. Ours."""
    hidden_text: int = 512
    """Of the text encoder's first full layer. Ours."""
    affinity: Affinity = Affinity.WEIGHED
    """S. Ours: the source says pairwise supervision. It is divided by the rows of a batch, so that
    what it says of a bit and what the encoders say are of one size."""
    fidelity: float = 1.0
    """η, of the distance between codes and what the encoders say. Ours."""
    updates: int = 3
    """Of both media's codes in a batch, before the encoders' step. Ours."""
    start: Start = Start.CLASSES
    """Ours: the source is not known to say."""
    rows: int = 128
    """Items of each medium in a batch. Ours."""
    classes: int = 16
    """In a batch. Ours: of 128 items drawn anyhow from 200 classes hardly any two are alike."""
    rate: float = 1e-3
    """Adam's. Ours: on held-out training items of ten classes a third of it was far from done after
    30 epochs."""
    epochs: int = 50
    """Ours."""

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for what cannot be trained."""
        widths = self.bits, self.states, self.hidden, self.word_width, self.hidden_text
        if min(*widths, self.channels, self.words, self.updates, *(self.kernels or (0,))) < 1:
            raise ValueError("a width, a kernel, words or updates below 1, or no kernel")
        if min(self.rows, self.classes, self.epochs) < 1 or (self.tiles or 0) < 0:
            raise ValueError("rows, classes or epochs below 1, or tiles below 0")
        if self.fidelity <= 0 or self.rate <= 0:
            raise ValueError("a fidelity or a rate that is not above 0")


class Tvdb:
    """The method, for exactly two media."""

    facts: ClassVar[Facts] = Facts(
        name="tvdb",
        title="Textual-visual deep binaries",
        year=2017,
        source="Shen, Liu, Shao, Song, ICCV 2017, arXiv 1708.02531",
        scope=Scope.IMAGE_TEXT,
        takes=Kind.PARTS,
        space="codes",
        learns="SGD",
        deviations={
            "regions": "those that the file of parts has; the source proposes regions by a "
            "network, chooses the best by a rule, and trains an AlexNet with them",
            "pairs": "items of one class are alike, drawn by class; the source's captions belong "
            "to one image each",
            "supervision": "pairs of one class weigh as much as all others together; with 1 and -1 "
            "(affinity: signed) one code for all images and its opposite for all texts is best",
            "start": "the codes of a batch start from a random code of each class; from the signs "
            "of an untrained encoder (start: encoder) all items come to one code",
            "texts": "up to 80 words; the source cuts them to 12",
        },
    )
    Config: ClassVar[type[TvdbConfig]] = TvdbConfig

    def build(self, data: Dataset, config: TvdbConfig) -> Network:
        return Network(data, config)

    def stages(self, data: Dataset, config: TvdbConfig) -> Sequence[Stage]:
        """One stage: each step finds the batch's codes, then moves the encoders towards them."""
        player = Player(
            "encoders",
            _parameters,
            partial(_losses, config),
            partial(torch.optim.Adam, lr=config.rate),
        )
        batches = ClassPairs(config.rows, config.classes)
        return (Stage("train", config.epochs, batches, (player,)),)

    def embed(self, model: nn.Module, medium: Medium, inputs: Parts) -> Tensor:
        """Codes [n, bits] of ±1."""
        return signs(cast(Network, model).encoders[medium](inputs))


class Network(nn.Module):
    """An encoder of each medium, whose signs are the codes; ``starts`` [K, M], codes of classes."""

    starts: Tensor

    def __init__(self, data: Dataset, config: TvdbConfig) -> None:
        super().__init__()
        self.register_buffer("starts", signs(torch.randn(data.classes, config.bits)))
        self.encoders = nn.ModuleDict()
        for medium in data.media:
            encoder = TextEncoder if medium is Medium.TEXT else RegionEncoder
            self.encoders[medium] = encoder(data.train[medium].inputs, config)


class RegionEncoder(nn.Module):
    """Bits [b, M], before their signs, of the whole and then its regions, frames or windows.

    A recurrent layer in both directions, its states' mean, ReLU, and two full layers.
    """

    def __init__(self, inputs: Inputs, config: TvdbConfig) -> None:
        super().__init__()
        given = cast(PartInputs, inputs)
        whole, width = given.vectors.shape[1], given.shape[1]
        self.scale_whole, self.scale = (
            Standardise.of(FeatureInputs(rows)) if config.standardise else nn.Identity()
            for rows in (given.vectors, given.parts)
        )
        # The source takes both from one network; another extractor's are mapped.
        self.whole = nn.Identity() if whole == width else nn.Linear(whole, width)
        self.tiles = 0
        if given.boxes is not None:
            self.tiles = round(width * PROPORTION) if config.tiles is None else config.tiles
        layer = nn.LSTM(width + 4 * self.tiles, config.states, batch_first=True, bidirectional=True)
        self.recurrent = Recurrent(layer)
        self.full = nn.Sequential(
            nn.ReLU(),
            nn.Linear(config.states, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, config.bits),
        )

    def forward(self, parts: Parts) -> Tensor:
        whole = self.whole(self.scale_whole(parts.vectors))
        steps = torch.cat([whole[:, None], self.scale(parts.parts)], dim=1)
        if self.tiles:
            steps = torch.cat([steps, _places(parts).repeat(1, 1, self.tiles)], dim=2)
        sequence = Parts(parts.vectors, steps, parts.counts + 1)
        states = self.recurrent(sequence.parts, sequence.counts)
        found: Tensor = self.full(mean_of_parts(states, is_there(sequence)))
        return found


def _places(parts: Parts) -> Tensor:
    """Height, width and centre [b, 1 + n, 4] of the whole picture and of its regions."""
    whole = parts.boxes.new_tensor([0.0, 0.0, 1.0, 1.0]).expand(len(parts.boxes), 1, 4)
    left, top, width, height = torch.cat([whole, parts.boxes], dim=1).unbind(2)
    return torch.stack([height, width, left + width / 2, top + height / 2], dim=2)


class TextEncoder(nn.Module):
    """Bits [b, M], before their signs, of a text: convolutions over its words, each at its maximum.

    A convolution sees whole segments of the text alone; of a text shorter than it, one, filled up.
    """

    def __init__(self, inputs: Inputs, config: TvdbConfig) -> None:
        super().__init__()
        self.words, self.kernels = config.words, config.kernels
        self.vectors = WordVectors(inputs, config.word_width)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(self.vectors.width, config.channels, kernel) for kernel in config.kernels
        )
        self.full = nn.Sequential(
            nn.Linear(len(config.kernels) * config.channels, config.hidden_text),
            nn.ReLU(),
            nn.Linear(config.hidden_text, config.bits),
        )

    def forward(self, parts: Parts) -> Tensor:
        read = parts._replace(
            parts=parts.parts[:, : self.words], counts=parts.counts.clamp(max=self.words)
        )
        vectors = self.vectors(read).transpose(1, 2)
        found = []
        for kernel, convolution in zip(self.kernels, self.convolutions, strict=True):
            segments = convolution(pad(vectors, (0, kernel - 1))).relu()
            whole = read._replace(counts=(read.counts - kernel + 1).clamp(min=1))
            found.append((segments * is_there(whole)[:, None]).amax(2))
        bits: Tensor = self.full(torch.cat(found, dim=1))
        return bits


def _parameters(model: nn.Module) -> Iterable[dict[str, Any]]:
    return [{"params": list(model.parameters())}]


def _losses(config: TvdbConfig, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
    """The objective by a row of each medium; of ``codes`` nothing moves, they are at their best."""
    network = cast(Network, model)
    (a, f), (b, g) = (
        (m, batch.gather(network.encoders[m](parts))) for m, parts in batch.inputs.items()
    )
    alike = batch.gather(batch.labels[a])[:, None] == batch.gather(batch.labels[b])[None, :]
    affinities = supervise(alike, config.affinity) / len(g)
    with torch.no_grad():
        start = _start(config.start, network, g, batch.gather(batch.labels[b]))
        left, right = find_codes(affinities, f, g, start, config.fidelity, config.updates)
    apart = (left - f).square().sum() + (right - g).square().sum()
    return {
        "codes": -(left * (affinities @ right)).sum() / len(f),
        "encoders": config.fidelity * apart / len(f),
    }


def _start(start: Start, network: Network, g: Tensor, labels: Tensor) -> Tensor:
    if start is Start.CLASSES:
        return network.starts[labels]
    return signs(g - g.mean(0) if start is Start.CENTRED else g)


def supervise(alike: Tensor, affinity: Affinity) -> Tensor:
    """S [n, m] of pairs of one class, and of two."""
    if affinity is Affinity.ZERO_ONE:
        return alike.float()
    if affinity is Affinity.SIGNED:
        return torch.where(alike, 1.0, -1.0)
    return torch.where(alike, (~alike).sum() / alike.sum().clamp(min=1), -1.0)


def find_codes(
    affinities: Tensor, f: Tensor, g: Tensor, right: Tensor, fidelity: float, updates: int
) -> tuple[Tensor, Tensor]:
    """Codes B [n, M] and H [m, M] of ±1 that lower −tr(BᵀSH) + η(‖B − f‖² + ‖H − g‖²).

    Each in turn at its minimum with the other as it is; ``right`` is H to start from.
    """
    for _ in range(updates):
        left = signs(affinities @ right + 2 * fidelity * f)
        right = signs(affinities.T @ left + 2 * fidelity * g)
    return left, right


def signs(values: Tensor) -> Tensor:
    """±1; of 0, too, 1."""
    return torch.where(values < 0, -1.0, 1.0)
