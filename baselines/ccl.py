"""CCL: a representation of each medium by itself, then a network of two tasks for both.

Peng, Qi, Huang, Yuan, "CCL: Cross-modal correlation learning with multi-grained fusion by
hierarchical network" (IEEE TMM 2018). Released: PKU-ICST-MIPL/CCL_TMM2018 at 8c2b694, settings for
deepnet (first stage) and layers for Caffe (second), where all that follows is from; of the paper
its abstract alone was at hand. First: two RBMs of each medium, an autoencoder of each that brings
the codes of pairs together, an RBM that fuses grains, a classifier whose last hidden layer is kept.
Second: one layer of each medium feeds a contrastive term between the media, and a classifier.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from fgbench.protocol import Medium
from fgbench.train.dataset import Dataset, Inputs
from fgbench.train.deepnet import (
    STACKS,
    UPON_CODES,
    Decay,
    RbmCourse,
    annealing,
    decayed,
    dense,
    lower_rbm,
    rbm_player,
    usual_width,
    visible_units,
)
from fgbench.train.method import Batch, Facts, Kind, Player, Scope, Stage, Whole
from fgbench.train.pairing import ClassPairs
from fgbench.train.rbm import Rbm, Visible
from fgbench.train.standardise import Standardise
from fgbench.train.terms import contrastive_term, paired_distances

UPDATES = 50_000
"""The release's, of each RBM."""


@dataclass(frozen=True, slots=True)
class CclConfig:
    """Widths, weights, rates and epochs. Where nothing else is said: as released."""

    width: int | None = None
    """Of most codes and layers; the lower RBM of real features and the fusing one have twice it.
    None: five times the number of classes, at least 128 and at most 1,024, as released."""
    word_counts: bool | None = None
    """Whether text features are counts of words, for a replicated softmax. None: where all are
    whole numbers, none below 0. Ours: the release's always are."""
    longer_chains: bool = False
    """Whether Gibbs chains grow, to 8 steps in the end; as released."""
    fuse: bool = True
    """Whether the fusing RBM stays where there is one grain: a layer more. Ours."""
    correlation: float = 0.7
    """Of the distance of a pair's codes; what the autoencoders give back has the rest of 1."""
    standardise_codes: bool = True
    """Whether the classifiers start from z-scores, as those of CMDN by the same group. Ours: else
    they stay near chance for a thousand updates."""
    margin: float = 1.0
    contrastive_weight: float = 1.0
    """The gradient in the release is twice that of the loss that it prints: 2."""
    category_weight: float = 1.0
    """Of both classifiers; the paper balances them adaptively, and its abstract says not how."""
    least_outputs: int = 0
    """Of the second classifiers, where there are fewer classes; the release has 256 for 20."""
    rbm_rows: int = 128
    pair_rows: int = 100
    class_rows: int = 100
    task_rows: int = 80
    pair_rate: float = 0.05
    class_rate: float = 0.1
    """The release's is .01, for 50,000 updates."""
    task_rate: float = 3e-3
    """The release's is 1e-4, for 20,000 updates."""
    rbm_epochs: int = 10
    """Of each RBM. Ours, as all that follow: the release's updates are 1,250 to 8,000 epochs."""
    pair_epochs: int = 10
    """Of the autoencoders."""
    class_epochs: int = 20
    """Of the first classifiers."""
    task_epochs: int = 60
    """Of the second stage."""

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for what cannot be trained."""
        rows = self.rbm_rows, self.pair_rows, self.class_rows, self.task_rows
        epochs = self.rbm_epochs, self.pair_epochs, self.class_epochs, self.task_epochs
        if min(*rows, *epochs, 1 if self.width is None else self.width) < 1:
            raise ValueError("a width, rows or epochs below 1")
        weights = self.contrastive_weight, self.category_weight, self.margin, self.least_outputs
        if min(weights) < 0 or not 0 <= self.correlation <= 1:
            raise ValueError("a weight or a margin below 0, or a correlation not between 0 and 1")
        if min(self.pair_rate, self.class_rate, self.task_rate) <= 0:
            raise ValueError("a rate that is not above 0, or below")


class Ccl:
    """The method, for exactly two media."""

    facts: ClassVar[Facts] = Facts(
        name="ccl",
        title="Cross-modal correlation learning",
        year=2018,
        source="Peng, Qi, Huang, Yuan, IEEE TMM 2018; released code at 8c2b694",
        scope=Scope.PAIRWISE,
        takes=Kind.FEATURES,
        space="embedding",
        learns="SGD",
        deviations={
            "grains": "whole items alone: feature files have no patches and no sentences; the RBM "
            "that fuses both grains takes one",
            "balance": "the abstract has the two tasks balanced adaptively, and says not how; the "
            "weights are fixed, as released",
            "length": "epochs for updates, and rates, momentum and chains by the share of a stage; "
            "the release makes 50,000 updates of most parts on 800 items",
            "width": "five times the number of classes, 128 to 1,024; the release has 1,024",
            "pairs": "the release pairs row with row; items here have no partner, so pairs are "
            "drawn within each class, anew each epoch",
            "statistics": "z-scores by the training items; the release takes the test set's own, "
            "so that an item's embedding depends on the others",
            "mirror": "the release reverses each vector of the second stage with probability 1/2, "
            "in training and after it, by an option for pictures: never here",
            "words": "no up_factor: the release multiplies by 10 what hidden units get of words, "
            "which no RBM's energy does",
            "sparsity": "by the means of a step's rows; the release's are running ones",
            "other media": "Gaussian units for features of videos and audios, as for images",
        },
    )
    Config: ClassVar[type[CclConfig]] = CclConfig

    def build(self, data: Dataset, config: CclConfig) -> Network:
        return Network(data, config)

    def stages(self, data: Dataset, config: CclConfig) -> Sequence[Stage]:
        """Layer by layer within each medium, pairs between; then both tasks, and z-scores."""
        stages = []
        for medium in data.media:
            units = visible_units(medium, data.train[medium].inputs, config.word_counts)
            stages += [_rbm_stage(medium, at, STACKS[units][at], config) for at in (0, 1)]
        stages.append(_pair_stage(config))
        for medium in data.media:
            stages += [_rbm_stage(medium, 2, UPON_CODES, config)] if config.fuse else []
            stages.append(_class_stage(medium, config))
        scores = Stage("scores", 0, ClassPairs(1), (), before=_measure_embeddings)
        return (*stages, _task_stage(config), scores)

    def embed(self, model: nn.Module, medium: Medium, inputs: Tensor) -> Tensor:
        """What the contrastive term compares, in z-scores [n, width]."""
        stream = _stream(model, medium)
        embeddings: Tensor = stream.score(stream.tasks(inputs)[0])
        return embeddings


class Network(nn.Module):
    """A stream for each medium: they share what is lowered, and no layer."""

    def __init__(self, data: Dataset, config: CclConfig) -> None:
        super().__init__()
        self.streams = nn.ModuleDict()
        for medium in data.media:
            inputs = data.train[medium].inputs
            units = visible_units(medium, inputs, config.word_counts)
            self.streams[medium] = Stream(inputs, units, data.classes, config)


class Stream(nn.Module):
    """All layers of one medium, from features to embeddings."""

    def __init__(self, inputs: Inputs, units: Visible, classes: int, config: CclConfig) -> None:
        super().__init__()
        width = usual_width(classes) if config.width is None else config.width
        words = units is Visible.WORDS
        self.standardise = nn.Identity() if words else Standardise.of(inputs)
        first = width if words else 2 * width
        self.rbms = nn.ModuleList([lower_rbm(inputs.shape[0], first, units), Rbm(first, width)])
        self.encode, self.decode = dense(width, width), dense(width, width)
        if config.fuse:
            self.rbms.append(Rbm(width, 2 * width))
        fused = 2 * width if config.fuse else width
        self.norm = Standardise(fused)
        self.learn = nn.Sequential()
        for entering in (fused, width, width):
            self.learn.extend([dense(entering, width), nn.ReLU()])
        self.classify = dense(width, classes)
        self.rescale = Standardise(width)
        self.enter, self.share = _xavier(width, width), _xavier(width, width)
        self.categorise = _xavier(width, max(classes, config.least_outputs))
        self.score = Standardise(width)

    def entering(self, rows: Tensor, at: int) -> Tensor:
        """What RBM number ``at`` takes; the last, which fuses, the autoencoder's codes."""
        rows = self.standardise(rows)
        for number in range(min(at, 2)):
            rows = self.rbm(number).hidden(rows)
        return rows if at < 2 else self.encode(rows).sigmoid()

    def stacked(self, rows: Tensor) -> Tensor:
        """The codes [b, width] of the first two RBMs."""
        return self.rbm(1).hidden(self.entering(rows, 1))

    def fused(self, rows: Tensor) -> Tensor:
        """What the classifier starts from, before z-scores."""
        codes = self.entering(rows, 2)
        return self.rbm(2).hidden(codes) if len(self.rbms) > 2 else codes

    def represent(self, rows: Tensor) -> Tensor:
        """The medium's own representation [b, width]: the classifier's last hidden layer."""
        learnt: Tensor = self.learn(self.norm(self.fused(rows)))
        return learnt

    def tasks(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Of one layer: what is compared, between 0 and 1 [b, width], and scores of classes."""
        shared = self.share(self.enter(self.rescale(self.represent(rows))).sigmoid())
        return shared.sigmoid(), self.categorise(shared)

    def rbm(self, at: int) -> Rbm:
        return cast(Rbm, self.rbms[at])


def _xavier(entering: int, width: int) -> nn.Linear:
    """A layer as Caffe draws it: weights from U(−a, a), a² = 3/``entering``, and biases of 0."""
    layer = nn.Linear(entering, width)
    nn.init.kaiming_uniform_(layer.weight, nonlinearity="linear")
    nn.init.zeros_(layer.bias)
    return layer


def _stream(model: nn.Module, medium: Medium) -> Stream:
    return cast(Stream, cast(Network, model).streams[medium])


def _streams(model: nn.Module) -> Mapping[Medium, Stream]:
    return {Medium(name): _stream(model, Medium(name)) for name in cast(Network, model).streams}


def _rbm_stage(medium: Medium, at: int, course: RbmCourse, config: CclConfig) -> Stage:
    player = rbm_player(
        replace(course, updates=UPDATES),
        config.rbm_epochs,
        lambda model: _stream(model, medium).rbm(at),
        lambda model, batch: _stream(model, medium).entering(batch.inputs[medium], at),
        longer_chains=config.longer_chains,
    )
    name = f"rbm {at + 1} of {medium}"
    return Stage(name, config.rbm_epochs, ClassPairs(config.rbm_rows), (player,), (medium,))


def _pair_stage(config: CclConfig) -> Stage:
    player = Player(
        "autoencoders",
        lambda model: decayed(
            [p for s in _streams(model).values() for p in (s.encode, s.decode)], 1e-4
        ),
        partial(_pair_losses, config),
        partial(torch.optim.SGD, lr=config.pair_rate, momentum=0.5),
        annealing(config.pair_epochs, half_life=1.0, ramp=1.0),
    )
    return Stage("pairs", config.pair_epochs, ClassPairs(config.pair_rows), (player,))


def _pair_losses(config: CclConfig, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
    """Half the squared distances, of rows to what is given back and of the codes of pairs."""
    codes, lost = [], []
    for medium, inputs in batch.inputs.items():
        stream = _stream(model, medium)
        rows = stream.stacked(inputs)
        codes.append(stream.encode(rows).sigmoid())
        lost.append(paired_distances(stream.decode(codes[-1]).sigmoid(), rows).square().mean() / 2)
    apart = paired_distances(codes[0], codes[1]).square().mean() / 2
    return {
        "reconstruction": (1 - config.correlation) * torch.stack(lost).sum(),
        "correlation": config.correlation * apart,
    }


def _class_stage(medium: Medium, config: CclConfig) -> Stage:
    player = Player(
        "classifier",
        lambda model: decayed(
            [_stream(model, medium).learn, _stream(model, medium).classify], 1e-3
        ),
        partial(_class_losses, medium),
        partial(torch.optim.SGD, lr=config.class_rate, momentum=0.9),
        annealing(config.class_epochs, Decay.EXPONENTIAL, half_life=0.2, momentum=(0.9, 0.9)),
    )
    batches, epochs = ClassPairs(config.class_rows), config.class_epochs
    before = partial(_measure_codes, medium) if config.standardise_codes else None
    return Stage(f"classes of {medium}", epochs, batches, (player,), (medium,), before)


def _class_losses(medium: Medium, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
    stream = _stream(model, medium)
    scores = stream.classify(stream.represent(batch.inputs[medium]))
    return {"classes": cross_entropy(scores, batch.labels[medium])}


def _task_stage(config: CclConfig) -> Stage:
    player = Player(
        "tasks",
        partial(_task_parameters, config),
        partial(_task_losses, config),
        partial(torch.optim.SGD, lr=config.task_rate, momentum=0.9, weight_decay=0.004),
    )
    batches, epochs = ClassPairs(config.task_rows), config.task_epochs
    return Stage("tasks", epochs, batches, (player,), before=_measure_representations)


def _task_parameters(config: CclConfig, model: nn.Module) -> Iterable[dict[str, Any]]:
    """Biases move at twice the rate, but for those of the layer that both tasks share."""
    for stream in _streams(model).values():
        layers = stream.enter, stream.categorise
        yield {"params": [*(layer.weight for layer in layers), *stream.share.parameters()]}
        yield {"params": [layer.bias for layer in layers], "lr": 2 * config.task_rate}


def _task_losses(config: CclConfig, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
    (a, (x, of_a)), (b, (y, of_b)) = (
        (medium, _stream(model, medium).tasks(rows)) for medium, rows in batch.inputs.items()
    )
    same = batch.gather(batch.labels[a])[:, None] == batch.gather(batch.labels[b])[None, :]
    apart = contrastive_term(batch.gather(x), batch.gather(y), same, config.margin)
    categories = cross_entropy(of_a, batch.labels[a]) + cross_entropy(of_b, batch.labels[b])
    return {
        "contrastive": config.contrastive_weight * apart,
        "categories": config.category_weight * categories,
    }


def _measure_codes(medium: Medium, model: nn.Module, whole: Whole) -> None:
    stream = _stream(model, medium)
    stream.norm.measure(stream.fused(rows) for rows in whole(medium))


def _measure_representations(model: nn.Module, whole: Whole) -> None:
    for medium, stream in _streams(model).items():
        stream.rescale.measure(stream.represent(rows) for rows in whole(medium))


def _measure_embeddings(model: nn.Module, whole: Whole) -> None:
    for medium, stream in _streams(model).items():
        stream.score.measure(stream.tasks(rows)[0] for rows in whole(medium))
