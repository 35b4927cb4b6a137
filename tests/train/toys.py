"""Small methods and data to try the trainer with: no baseline of ours, and quick."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, dropout
from torch.optim import SGD, AdamW
from torch.optim.lr_scheduler import StepLR

from fgbench.media.preset import Form
from fgbench.protocol import Medium
from fgbench.train.dataset import Dataset, Inputs, Items, Places
from fgbench.train.method import Batch, Budget, Facts, Kind, Log, Player, Scope, Stage
from fgbench.train.recipe import Recipe

WIDTHS = {Medium.IMAGE: 5, Medium.TEXT: 7, Medium.AUDIO: 3}


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Vectors in memory; with a generator, a little noise upon them."""

    rows: NDArray[np.float32]
    noise: float = 0.0

    @property
    def shape(self) -> tuple[int, ...]:
        return self.rows.shape[1:]

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, places: Places, rng: np.random.Generator | None = None) -> NDArray[Any]:
        taken = self.rows[places]
        if rng is None or not self.noise:
            return taken
        return (taken + self.noise * rng.standard_normal(taken.shape)).astype(np.float32)


def toy_data(
    classes: int = 3,
    each: int = 8,
    widths: Mapping[Medium, int] = WIDTHS,
    noise: float = 0.0,
    seed: int = 0,
) -> Dataset:
    """Classes that lie apart in each medium; half of a class's items are for testing."""
    rng = np.random.default_rng(seed)
    sides: tuple[dict[Medium, Items], dict[Medium, Items]] = ({}, {})
    for medium, width in widths.items():
        centres = 3 * rng.standard_normal((classes, width))
        for name, side in zip(("train", "test"), sides, strict=True):
            labels = np.repeat(np.arange(classes), each)
            rows = centres[labels] + rng.standard_normal((len(labels), width))
            ids = np.array([f"{medium}/{name}-{n}" for n in range(len(labels))])
            side[medium] = Items(ids, labels, Rows(rows.astype(np.float32), noise))
    return Dataset(*sides, classes)


@dataclass(frozen=True, slots=True)
class Shuffled:
    """Steps of ``rows`` items of each medium, in random order."""

    rows: int

    def __call__(
        self, items: Mapping[Medium, Items], rng: np.random.Generator
    ) -> Iterator[Mapping[Medium, Places]]:
        orders = {medium: rng.permutation(len(of)) for medium, of in items.items()}
        for first in range(0, min(map(len, orders.values())) - self.rows + 1, self.rows):
            yield {medium: order[first : first + self.rows] for medium, order in orders.items()}


@dataclass(frozen=True, slots=True)
class LinearConfig:
    """Of :class:`Linear`."""

    width: int = 4
    epochs: int = 2
    batch: int = 8
    rate: float = 0.05
    drop: float = 0.0
    pull: float = 0.1
    """Of a loss over all pairs of a step's items."""
    rivals: bool = True
    """Whether a second stage has two players."""


class LinearNetwork(nn.Module):
    def __init__(self, data: Dataset, config: LinearConfig) -> None:
        super().__init__()
        self.drop = config.drop
        self.streams = nn.ModuleDict(
            {m: nn.Linear(of.inputs.shape[0], config.width) for m, of in data.train.items()}
        )
        self.classify = nn.Linear(config.width, data.classes)
        self.judge = nn.Linear(config.width, len(data.media))

    def embed(self, inputs: Mapping[Medium, Tensor]) -> dict[Medium, Tensor]:
        return {
            m: self.streams[m](dropout(of, self.drop, self.training)) for m, of in inputs.items()
        }


class Linear:
    """A linear map of each medium, a classifier for all; then the same against a judge of media."""

    facts: ClassVar[Facts] = Facts(
        name="toy-linear",
        title="Toy",
        year=2026,
        source="made up",
        scope=Scope.JOINT,
        takes=Kind.FEATURES,
        space="embedding",
        learns="SGD",
        deviations={"all": "it is a toy"},
    )
    Config: ClassVar[type[Any]] = LinearConfig

    def build(self, data: Dataset, config: LinearConfig) -> LinearNetwork:
        return LinearNetwork(data, config)

    def stages(self, data: Dataset, config: LinearConfig) -> Sequence[Stage]:
        batches = Shuffled(config.batch)
        sgd = partial(SGD, lr=config.rate, momentum=0.9)
        halving = partial(StepLR, step_size=1, gamma=0.5)
        alone = Player("embed", everything_but_judge, partial(class_losses, config), sgd, halving)
        found = [Stage("classes", config.epochs, batches, (alone,))]
        if config.rivals:
            adam = partial(AdamW, lr=config.rate / 10)
            judge = Player("judge", judge_only, judge_losses, adam, repeats=2)
            fool = Player("fool", everything_but_judge, fool_losses, sgd)
            found.append(Stage("rivals", config.epochs, batches, (judge, fool)))
        return found

    def embed(self, model: LinearNetwork, medium: Medium, inputs: Tensor) -> Tensor:
        return model.embed({medium: inputs})[medium]


def everything_but_judge(model: LinearNetwork) -> list[dict[str, Any]]:
    return [{"params": [*model.streams.parameters(), *model.classify.parameters()]}]


def judge_only(model: LinearNetwork) -> list[dict[str, Any]]:
    return [{"params": model.judge.parameters()}]


def class_losses(config: LinearConfig, model: LinearNetwork, batch: Batch) -> dict[str, Tensor]:
    rows = model.embed(batch.inputs)
    terms = [cross_entropy(model.classify(of), batch.labels[m]) for m, of in rows.items()]
    together = torch.cat([batch.gather(of) for of in rows.values()])
    labels = torch.cat([batch.gather(batch.labels[m]) for m in rows])
    alike = (labels[:, None] == labels).float()
    distances = (together[:, None] - together).square().mean(2)
    return {
        "classes": torch.stack(terms).sum(),
        "pull": config.pull * (alike * distances).sum() / alike.sum(),
    }


def judge_losses(model: LinearNetwork, batch: Batch) -> dict[str, Tensor]:
    rows = torch.cat([*model.embed(batch.inputs).values()])
    return {"media": cross_entropy(model.judge(rows), media_of(batch))}


def fool_losses(model: LinearNetwork, batch: Batch) -> dict[str, Tensor]:
    terms = class_losses(LinearConfig(), model, batch)
    return {**terms, "media": -0.1 * batch.progress * judge_losses(model, batch)["media"]}


def media_of(batch: Batch) -> Tensor:
    sizes = [len(of) for of in batch.inputs.values()]
    return torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))


@dataclass(frozen=True, slots=True)
class MeansConfig:
    """Of :class:`Means`."""

    sharpness: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class NearMeans:
    means: Mapping[Medium, NDArray[Any]]
    sharpness: float

    def embed(self, medium: Medium, inputs: Inputs) -> NDArray[np.float32]:
        rows = inputs.take(np.arange(len(inputs)))
        distances = np.square(rows[:, None] - self.means[medium]).mean(2)
        return np.exp(-self.sharpness * distances).astype(np.float32) + np.float32(1e-6)


class Means:
    """How near an item is to the mean of each class: pairwise, in closed form."""

    facts: ClassVar[Facts] = Facts(
        name="toy-means",
        title="Toy",
        year=2026,
        source="made up",
        scope=Scope.PAIRWISE,
        takes=Kind.FEATURES,
        space="embedding",
        learns="closed form",
        deviations={},
    )
    Config: ClassVar[type[Any]] = MeansConfig

    def fit(
        self, data: Dataset, config: MeansConfig, rng: np.random.Generator, log: Log
    ) -> NearMeans:
        means = {}
        for medium, items in data.train.items():
            rows = items.inputs.take(np.arange(len(items)))
            log(medium=medium.value, items=len(items))
            means[medium] = np.stack([rows[items.labels == c].mean(0) for c in range(data.classes)])
        return NearMeans(means, config.sharpness)


def recipe(method: Any, seed: int = 0, **values: Any) -> Recipe:
    """The method with these values."""
    return Recipe(method, Form.PAPER, Budget.TINY, seed, method.Config(**values))
