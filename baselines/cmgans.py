"""CM-GANs: autoencoders of two media with a layer in common, against two kinds of discriminators.

Peng, Qi, "CM-GANs: Cross-modal generative adversarial networks for common representation learning"
(ACM TOMM 2019). Released: PKU-ICST-MIPL/CM-GANS_TOMM2019 at 567edb5, Lua Torch, which layers, terms
and rates are from; the paper's own text was not at hand. An encoder's last layer gives the code, by
which a discriminator of each medium tells an item's own code from the other medium's, and another
tells rebuilt features from real ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, ClassVar, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from torch.optim.lr_scheduler import StepLR

from fgbench.protocol import Medium
from fgbench.train.dataset import Dataset
from fgbench.train.method import Batch, Facts, Kind, Player, Scope, Stage, Whole
from fgbench.train.pairing import ClassPairs
from fgbench.train.standardise import Standardise


class Wrong(StrEnum):
    """What a discriminator between media is shown of another class than the row's."""

    MISMATCHED = "mismatched"
    """The other item's code beside the row's features."""
    RELEASED = "released"
    """The other item's code beside its own features: what the same term calls right elsewhere."""


@dataclass(frozen=True, slots=True)
class CmGansConfig:
    """Widths, turns and rates. Where nothing else is said: as released, for both forms."""

    width: int = 1024
    """Of the encoders' and decoders' layers, and of the code."""
    judge: int = 512
    """Of the hidden layer of the discriminators between media."""
    standardise: bool = True
    """Whether features become z-scores. Ours: the sources say nothing, and without it the code
    learns slowly."""
    share: bool = True
    """Whether the encoders' last layers have the same weights, as the paper says. In the release
    they start equal and then learn apart."""
    wrong: Wrong = Wrong.MISMATCHED
    """Ours, as what the release must have meant."""
    generator_steps: int = 5
    """Updates of the autoencoders for one of the discriminators, on the same batch."""
    z_scores: bool = True
    """Whether codes become z-scores before they are compared, by those of the training items."""
    rate: float = 0.001
    """Adam's, with a first decay of .5."""
    halve_every: int = 10
    """Epochs after which the rate is halved: a twentieth of all, as released."""
    rows: int = 64
    """Pairs in a step."""
    epochs: int = 200
    """Ours: 19,000 steps on the benchmark's 6,000 training audios. The release's 2,000, of 800
    pairs are 25,000, of which the later half hardly moves anything."""

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for what cannot be trained."""
        sizes = self.width, self.judge, self.generator_steps, self.halve_every, self.epochs
        if min(sizes) < 1 or self.rate <= 0:
            raise ValueError("a width, steps or epochs below 1, or a rate that is not above 0")
        if self.rows < 2:
            raise ValueError(f"rows is {self.rows}: batch norms want at least 2")


class CmGans:
    """The method, for exactly two media.

    Batch norms see the rows of one process: two processes do not come to what one comes to.
    """

    facts: ClassVar[Facts] = Facts(
        name="cmgans",
        title="Cross-modal generative adversarial networks",
        year=2019,
        source="Peng, Qi, ACM TOMM 2019; released code at 567edb5",
        scope=Scope.PAIRWISE,
        takes=Kind.FEATURES,
        space="embedding",
        learns="GAN",
        deviations={
            "layers": "fully connected, on features, as released; the paper's autoencoders are "
            "convolutional",
            "pairs": "drawn within each class, anew each epoch, and what is of another class is "
            "the step's next such row; the release draws two classes, and a pair of each",
            "features": "z-scored by the training items (standardise: false leaves them)",
            "codes": "z-scored by the training items (z_scores: false leaves them); the release "
            "z-scores the queries alone, by the test set's own moments, which would let an item's "
            "embedding depend on the others",
            "rate": "halved every 10 of 200 epochs; the release does so every 100 of 2,000",
        },
    )
    Config: ClassVar[type[CmGansConfig]] = CmGansConfig

    def build(self, data: Dataset, config: CmGansConfig) -> Network:
        return Network(data, config)

    def stages(self, data: Dataset, config: CmGansConfig) -> Sequence[Stage]:
        """One stage of two players, in turns, and then the moments of the codes.

        The release updates each discriminator and each autoencoder by itself. Terms of one do not
        depend on another of its kind, so that all of a kind at once come to the same, but for a
        layer in common, to which both media's gradients are added.
        """
        player = partial(
            Player,
            optimiser=partial(torch.optim.Adam, lr=config.rate, betas=(0.5, 0.999)),
            schedule=partial(StepLR, step_size=config.halve_every, gamma=0.5),
        )
        discriminators = player("discriminators", _discriminators, partial(_discriminate, config))
        generators = player("generators", _generators, _generate, repeats=config.generator_steps)
        batches = ClassPairs(config.rows)
        stages = [Stage("train", config.epochs, batches, (discriminators, generators))]
        if config.z_scores:
            stages.append(Stage("z-scores", 0, batches, (), before=_measure))
        return stages

    def embed(self, model: nn.Module, medium: Medium, inputs: Tensor) -> Tensor:
        network = cast(Network, model)
        _, code = network.encode(medium, inputs)
        embeddings: Tensor = network.z_scores[medium](code)
        return embeddings


class Seen(NamedTuple):
    """What a batch's rows of one medium come to: [b, d], [b, width], [b, d]."""

    features: Tensor
    code: Tensor
    rebuilt: Tensor


class Network(nn.Module):
    """The autoencoders of two media, the classifiers of their codes, and the discriminators."""

    def __init__(self, data: Dataset, config: CmGansConfig) -> None:
        super().__init__()
        width, judge = config.width, config.judge
        inputs = {medium: data.train[medium].inputs for medium in data.media}
        sizes = {medium: of.shape[0] for medium, of in inputs.items()}
        self.standardise = nn.ModuleDict(
            {
                m: Standardise.of(i) if config.standardise else nn.Identity()
                for m, i in inputs.items()
            }
        )
        self.encoders = nn.ModuleDict({m: _layer(d, width) for m, d in sizes.items()})
        self.commons = nn.ModuleDict({m: _layer(width, width) for m in sizes})
        self.decoders = nn.ModuleDict(
            {m: nn.Sequential(_layer(width, width), nn.Linear(width, d)) for m, d in sizes.items()}
        )
        self.classifiers = nn.ModuleDict({m: nn.Linear(width, data.classes) for m in sizes})
        self.intra = nn.ModuleDict({m: nn.Linear(d, 1) for m, d in sizes.items()})
        self.inter = nn.ModuleDict(
            {
                m: nn.Sequential(_layer(width + d, judge), nn.Linear(judge, 1))
                for m, d in sizes.items()
            }
        )
        self.z_scores = nn.ModuleDict({m: Standardise(width) for m in sizes})
        self.apply(_initialise)
        first, second = self.commons.values()
        second.load_state_dict(first.state_dict())
        if config.share:
            _share(first, second)

    def encode(self, medium: Medium, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Features [b, d] and their codes [b, width] of inputs [b, d]."""
        features = self.standardise[medium](inputs)
        return features, self.commons[medium](self.encoders[medium](features))

    def forward(self, inputs: Mapping[Medium, Tensor]) -> dict[Medium, Seen]:
        """Each medium's rows are normed by themselves, in a layer in common too."""
        seen = {}
        for medium, rows in inputs.items():
            features, code = self.encode(medium, rows)
            seen[medium] = Seen(features, code, self.decoders[medium](code))
        return seen

    def match(self, medium: Medium, code: Tensor, features: Tensor) -> Tensor:
        """Logits [b, 1] of a code being that of the features."""
        logits: Tensor = self.inter[medium](torch.cat([code, features], dim=1))
        return logits


def _layer(entering: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(entering, width), nn.BatchNorm1d(width), nn.LeakyReLU(0.2))


def _initialise(module: nn.Module) -> None:
    """Norms weigh N(1, .02); linear layers are as Torch draws them."""
    if isinstance(module, nn.BatchNorm1d):
        nn.init.normal_(module.weight, 1.0, 0.02)


def _share(first: nn.Module, second: nn.Module) -> None:
    """Make the first's weights the second's. Running moments are no weights: each keeps its own,
    since a mean over both media would norm neither as in training."""
    for one, other in zip(first.modules(), second.modules(), strict=True):
        for name, weight in one.named_parameters(recurse=False):
            setattr(other, name, weight)


def _generators(model: nn.Module) -> Iterable[dict[str, Any]]:
    network = cast(Network, model)
    parts = network.encoders, network.commons, network.decoders, network.classifiers
    return [{"params": list(part.parameters())} for part in parts]


def _discriminators(model: nn.Module) -> Iterable[dict[str, Any]]:
    network = cast(Network, model)
    return [{"params": list(part.parameters())} for part in (network.intra, network.inter)]


def _discriminate(config: CmGansConfig, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
    """The terms of telling apart. Rows of each kind are normed by themselves.

    Nothing of the autoencoders moves but their norms' running moments.
    """
    network = cast(Network, model)
    with torch.no_grad():
        seen = network(batch.inputs)
    rows, others = next_of_another_class(next(iter(batch.labels.values())))
    inter, intra = [], []
    for medium, own, foreign in _both_ways(seen):
        judge, match = network.intra[medium], partial(network.match, medium)
        intra += [_says(judge(own.rebuilt), False), _says(judge(own.features), True)]
        inter.append(_says(match(own.code, own.features), True))
        inter.append(_says(match(foreign.code, own.features), False) / 2)
        if len(rows):
            beside = rows if config.wrong is Wrong.MISMATCHED else others
            inter.append(_says(match(own.code[others], own.features[beside]), False) / 2)
    return {"inter": torch.stack(inter).sum(), "intra": torch.stack(intra).sum()}


def _generate(model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
    """The terms of classes, and of being taken for the other medium's and for real."""
    network = cast(Network, model)
    seen = network(batch.inputs)
    classes, inter, intra = [], [], []
    for medium, own, foreign in _both_ways(seen):
        logits = network.classifiers[medium](own.code)
        classes.append(cross_entropy(logits, batch.labels[medium]))
        inter.append(_says(network.match(medium, foreign.code, own.features), True))
        intra.append(_says(network.intra[medium](own.rebuilt), True))
    return {
        "classes": torch.stack(classes).sum(),
        "inter": torch.stack(inter).sum(),
        "intra": torch.stack(intra).sum(),
    }


def _both_ways(seen: Mapping[Medium, Seen]) -> list[tuple[Medium, Seen, Seen]]:
    """Each medium, its own rows and the other's."""
    (a, of_a), (b, of_b) = seen.items()
    return [(a, of_a, of_b), (b, of_b, of_a)]


def _says(logits: Tensor, real: bool) -> Tensor:
    """The cross-entropy of saying that all rows are ``real``, or that none is."""
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


def next_of_another_class(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Of each row [n] the next row of another class, the first coming after the last.

    Rows that have one, and which it is: empty where all are of one class.
    """
    places = torch.arange(len(labels), device=labels.device)
    ahead = (places[None, :] - places[:, None]) % len(labels)
    # No row is ahead by as many as there are, which stands for none.
    ahead = ahead.masked_fill(labels[:, None] == labels[None, :], len(labels))
    nearest, others = ahead.min(dim=1)
    rows = torch.nonzero(nearest < len(labels)).flatten()
    return rows, others[rows]


def _measure(model: nn.Module, whole: Whole) -> None:
    """Take the moments of the training items' codes."""
    network = cast(Network, model)
    for medium in map(Medium, network.z_scores):
        z_scores = cast(Standardise, network.z_scores[medium])
        z_scores.measure(network.encode(medium, block)[1] for block in whole(medium))
