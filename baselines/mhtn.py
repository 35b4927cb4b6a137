"""MHTN: streams of all media into one network, tied by an image hub and a modal adversary.

Huang, Peng, Yuan, "MHTN: Modal-adversarial hybrid transfer network for cross-modal retrieval" (IEEE
TCYB 2020). Released: PKU-ICST-MIPL/MHTN_TCYB2018 at 11ae00b, a network for Caffe, which layers,
weights and rates are from; the paper's own text was not at hand. Its parts: knowledge goes from a
source of labelled images to the images (``mmd``), from the images, the hub, to the other media
(``pull``), and a reversed gradient keeps the common layers from telling media apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from fgbench.errors import InputError
from fgbench.media.features import read_features
from fgbench.protocol import Medium
from fgbench.train.adversary import reversal_strength, reverse_gradient
from fgbench.train.dataset import Dataset
from fgbench.train.method import Batch, Facts, Kind, Player, Scope, Stage
from fgbench.train.mmd import full_mmd, sampled_mmd
from fgbench.train.pairing import ClassPairs
from fgbench.train.terms import paired_distances


class Discrepancy(StrEnum):
    """How the distance of source and hub is estimated."""

    FULL = "full"
    SAMPLED = "sampled"
    """From random quadruples of rows, as released."""


@dataclass(frozen=True, slots=True)
class MhtnConfig:
    """Sizes, weights of the terms and rates. Where nothing else is said: as released."""

    epochs: int = 55
    """As many updates as released, 11,000, are 55 epochs of the paper's 12,666 training videos."""
    rows: int = 64
    """Items of each medium in a step. The release sums 16 such steps: 1,024 rows in 16 slices."""
    width: int = 4096
    """Of fc6, fc7, fc8 and fc9."""
    bottleneck: int = 512
    discriminator: int = 1024
    pull: float = 1e-4
    """Weighs the squared distances to the hub at fc6 and at fc7, which are sums over units."""
    adversary: float = 0.1
    steepness: float = 10.0
    """Of the reversal's growth."""
    source: str | None = None
    """A feature file of labelled images of another domain, by the extractor of the hub's features;
    an item's class is the folder in its id: ``n02007558/12.jpg``. None: no source terms."""
    discrepancy: Discrepancy = Discrepancy.FULL
    discrepancy_weight: float = 1.0
    learning_rate: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 5e-4
    """Of weights; biases have none and move at twice the rate."""
    adversary_rate: float = 0.1
    """The adversary's share of the learning rate."""

    def __post_init__(self) -> None:
        if self.rows < 2:
            raise ValueError(f"rows is {self.rows}: batch norms want at least 2")


class Mhtn:
    """The method. The hub is the image, or the first of the media where there is none."""

    facts: ClassVar[Facts] = Facts(
        name="mhtn",
        title="Modal-adversarial hybrid transfer network",
        year=2018,
        source="Huang, Peng, Yuan, IEEE TCYB 2020 (online 2018); released network at 11ae00b",
        scope=Scope.JOINT,
        takes=Kind.FEATURES,
        space="embedding",
        learns="SGD",
        deviations={
            "images": "start from features, through the layers of the other streams; the release "
            "has a frozen AlexNet there, so that its stream, too, learns on fixed features",
            "source domain": "without `source` the source classifier and the discrepancy of source "
            "and hub are left out; with it each step draws rows of a file of features",
            "reversal": "2 / (1 + exp(-10 p)) - 1, p the progress; the released coefficients "
            "amplify the gradient by up to 24,492 and do not reverse it",
            "batches": "one item of each medium, all of one class, drawn anew in each epoch; the "
            "release goes through one fixed list and sums 16 steps of 64 rows to an update",
            "sizes": "width and epochs go by the budget; 11,000 updates at width 4,096 were made "
            "for the release's data",
        },
    )
    Config: ClassVar[type[MhtnConfig]] = MhtnConfig

    def build(self, data: Dataset, config: MhtnConfig) -> Network:
        """The network. Raises ``FaultyInput`` or ``InputError`` where ``source`` cannot be used."""
        widths = {medium: data.train[medium].inputs.shape[0] for medium in data.media}
        source = None
        if config.source is not None:
            source = Source(Path(config.source), widths[data.media[0]], config.width)
        return Network(widths, data.classes, config, source)

    def stages(self, data: Dataset, config: MhtnConfig) -> Sequence[Stage]:
        """One stage, in which all parts learn together."""
        player = Player(
            name="network",
            parameters=partial(_parameters, config=config),
            losses=partial(_losses, config=config),
            optimiser=partial(torch.optim.SGD, lr=config.learning_rate, momentum=config.momentum),
        )
        return [Stage("network", config.epochs, ClassPairs(config.rows), (player,))]

    def embed(self, model: nn.Module, medium: Medium, inputs: Tensor) -> Tensor:
        """Class posteriors [n, K]."""
        scores: Tensor = model({medium: inputs}).scores[medium]
        return scores.softmax(1)


@dataclass(frozen=True, slots=True, eq=False)
class Activations:
    """What the layers make of a batch of b rows a medium, all after norm and ReLU but ``common``.

    ``fc6`` and ``fc7`` [b, width], ``scores`` [b, K]; ``common`` [media · b, width]: fc9 as it is,
    the media in turn. ``source``: fc6, fc7, class scores and labels of the source's rows.
    """

    fc6: Mapping[Medium, Tensor]
    fc7: Mapping[Medium, Tensor]
    common: Tensor
    scores: Mapping[Medium, Tensor]
    source: tuple[Tensor, Tensor, Tensor, Tensor] | None


class Network(nn.Module):
    """A stream for each medium, the layers that they share, the adversary's and the source's."""

    def __init__(
        self, widths: Mapping[Medium, int], classes: int, config: MhtnConfig, source: Source | None
    ) -> None:
        super().__init__()
        self.hub = next(iter(widths))
        self.norms = nn.ModuleDict({m: nn.BatchNorm1d(d) for m, d in widths.items()})
        self.streams = nn.ModuleDict({m: Stream(d, config.width) for m, d in widths.items()})
        self.fc8 = _layer(config.width, config.width)
        self.fc9 = nn.Linear(config.width, config.width)
        self.fc10 = nn.Sequential(
            nn.BatchNorm1d(config.width, affine=False), nn.ReLU(), nn.Linear(config.width, classes)
        )
        self.bottleneck = nn.Linear(config.width, config.bottleneck)
        self.discriminator = nn.Sequential(
            nn.Linear(config.bottleneck, config.discriminator),
            nn.ReLU(),
            nn.Linear(config.discriminator, config.discriminator),
            nn.ReLU(),
            nn.Linear(config.discriminator, len(widths)),
        )
        self.source = source
        self.apply(_initialise)

    def forward(self, inputs: Mapping[Medium, Tensor]) -> Activations:
        """Norms of shared layers are over all media; that of the hub over the source's rows too."""
        rows, source = dict(inputs), None
        if self.training and self.source is not None:
            drawn, labels = self.source.draw(len(inputs[self.hub]))
            both = self.norms[self.hub](torch.cat([inputs[self.hub], drawn]))
            rows[self.hub], of_source = both.tensor_split([len(inputs[self.hub])])
            fc6, fc7 = self.source.stream(of_source)
            source = (fc6, fc7, self.source.classify(fc7), labels)
        for medium in inputs:
            if source is None or medium is not self.hub:
                rows[medium] = self.norms[medium](inputs[medium])
        streamed = {medium: self.streams[medium](normed) for medium, normed in rows.items()}
        common = self.fc9(self.fc8(torch.cat([fc7 for _, fc7 in streamed.values()])))
        scores = self.fc10(common).split([len(normed) for normed in rows.values()])
        return Activations(
            {medium: fc6 for medium, (fc6, _) in streamed.items()},
            {medium: fc7 for medium, (_, fc7) in streamed.items()},
            common,
            dict(zip(rows, scores, strict=True)),
            source,
        )

    def tell_media(self, common: Tensor, strength: float) -> Tensor:
        """The adversary's scores [n, media]; what is before the reversal learns to mislead it."""
        scores: Tensor = self.discriminator(reverse_gradient(self.bottleneck(common), strength))
        return scores


class Stream(nn.Module):
    """fc6 and fc7 of one medium."""

    def __init__(self, entering: int, width: int) -> None:
        super().__init__()
        self.fc6, self.fc7 = _layer(entering, width), _layer(width, width)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        fc6 = self.fc6(rows)
        return fc6, self.fc7(fc6)


class Source(nn.Module):
    """The source domain: its rows, of which each step draws some, their stream and classifier."""

    def __init__(self, path: Path, entering: int, width: int) -> None:
        super().__init__()
        features = read_features(path)
        folders = [item.rpartition("/")[0] for item in features.ids.tolist()]
        names = sorted(set(folders))
        if len(names) < 2 or features.width != entering:
            raise InputError(
                "FG-Y041",
                f"{path} holds {len(names)} classes and vectors of {features.width} numbers",
                why=f"The source wants two classes or more, the folders in the ids, and vectors of "
                f"{entering} numbers, as the hub's.",
                fix="Extract both alike, with ids such as n02007558/12.jpg.",
            )
        places = {name: place for place, name in enumerate(names)}
        labels = torch.tensor([places[folder] for folder in folders])
        self.register_buffer("rows", torch.from_numpy(features.rows), persistent=False)
        self.register_buffer("labels", labels, persistent=False)
        self.stream = Stream(entering, width)
        self.classify = nn.Linear(width, len(names))

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """Rows [count, d] at random, with their classes."""
        rows, labels = self.get_buffer("rows"), self.get_buffer("labels")
        places = torch.randint(len(rows), (count,), device=rows.device)
        return rows[places], labels[places]


def _layer(entering: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(entering, width), nn.BatchNorm1d(width, affine=False), nn.ReLU())


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.zeros_(module.bias)


def _parameters(model: nn.Module, config: MhtnConfig) -> Iterable[dict[str, Any]]:
    """Weights and biases, of the adversary and of the rest."""
    for adversary in (False, True):
        rate = config.learning_rate * (config.adversary_rate if adversary else 1)
        mine = {
            name: parameter
            for name, parameter in model.named_parameters()
            if name.startswith(("bottleneck.", "discriminator.")) == adversary
        }
        biases = [parameter for name, parameter in mine.items() if name.endswith("bias")]
        weights = [parameter for name, parameter in mine.items() if not name.endswith("bias")]
        yield {"params": weights, "lr": rate, "weight_decay": config.weight_decay}
        yield {"params": biases, "lr": 2 * rate, "weight_decay": 0.0}


def _losses(model: nn.Module, batch: Batch, config: MhtnConfig) -> dict[str, Tensor]:
    network = cast(Network, model)
    found: Activations = network(batch.inputs)
    told = network.tell_media(
        found.common, reversal_strength(batch.progress, steepness=config.steepness)
    )
    counts = torch.tensor([len(scores) for scores in found.scores.values()], device=told.device)
    medium = torch.arange(len(counts), device=told.device).repeat_interleave(
        counts, output_size=len(told)
    )
    truth = functional.one_hot(medium, len(counts)).to(told.dtype)
    wrong = functional.binary_cross_entropy_with_logits(told, truth, reduction="sum")
    losses = {
        "classes": torch.stack(
            [functional.cross_entropy(s, batch.labels[m]) for m, s in found.scores.items()]
        ).sum(),
        "pull": config.pull * (_pull(found.fc6, network.hub) + _pull(found.fc7, network.hub)),
        "adversary": config.adversary * wrong / len(told),
    }
    if found.source is not None:
        fc6, fc7, scores, labels = found.source
        mmd = full_mmd if config.discrepancy is Discrepancy.FULL else sampled_mmd
        apart = mmd(fc6, found.fc6[network.hub]) + mmd(fc7, found.fc7[network.hub])
        losses["source"] = functional.cross_entropy(scores, labels)
        losses["mmd"] = config.discrepancy_weight * apart
    return losses


def _pull(rows: Mapping[Medium, Tensor], hub: Medium) -> Tensor:
    """Half the mean squared distance to the hub's rows of the same place, summed over the others.

    The hub moves too, as in the release.
    """
    others = [paired_distances(rows[hub], rows[m]).square().mean() for m in rows if m is not hub]
    return torch.stack(others).sum() / 2
