"""CMDN: representations within and across two media, fused, and joined level by level with labels.

Peng, Huang, Qi, "Cross-media shared representation by hierarchical learning with multiple deep
networks" (IJCAI 2016). Released: PKU-ICST-MIPL/CMDN_IJCAI2016 at 3d0a1aa, settings for deepnet,
where all that follows is from; the paper's own text was not at hand. Of each medium an autoencoder
and two RBMs; an RBM upon both media's codes, which stands for the medium that an item lacks; an RBM
that fuses the two representations; a classifier whose last hidden layer is kept. Then autoencoders
of both media with labels, each upon the last one's codes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import ClassVar, cast

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
from fgbench.train.standardise import Range, Standardise
from fgbench.train.terms import paired_distances


class Outputs(StrEnum):
    """Units that give back features, and what the classifiers make of them."""

    LINEAR = "linear"
    """Of z-scores. Ours: what is to be given back is not between 0 and 1."""
    LOGISTIC = "logistic"
    """As released: of features scaled to 0…1, and of rectified units as they are."""


@dataclass(frozen=True, slots=True)
class CmdnConfig:
    """Widths, epochs, rates. Where nothing else is said: as released."""

    width: int | None = None
    """Of most codes and layers; the autoencoders' codes have half of it, the joint RBM and the
    lower one of real features twice it. None: five times the number of classes, at least 128 and at
    most 1,024, as released."""
    levels: tuple[int, ...] | None = None
    """Widths of the last autoencoders' codes. None: 1/2, 1/4, 1/8 and 1/16 of ``width``."""
    word_counts: bool | None = None
    """Whether text features are counts of words, for a replicated softmax. None: where all are
    whole numbers, none below 0. Ours: the release's always are."""
    outputs: Outputs = Outputs.LINEAR
    mean_squares: bool = True
    """Whether squared losses are means over units; as released, sums."""
    autoencoder_rates: tuple[float, float] = (0.5, 0.5)
    """Of the outer layers alone, and of all; the release's .1 and .01, of sums over units. Ours, as
    the other rates and the epochs: for stages that are a hundredth as long, chosen on held-out
    training items."""
    autoencoder_l2: tuple[float, float] = (1e-5, 1e-5)
    """The release has 1e-3 and 1e-4, beside sums over units."""
    rbm_rates: float = 10.0
    """What the release's rates of RBMs are multiplied by."""
    longer_chains: bool = False
    """Whether Gibbs chains grow, to 39 steps in the end; as released."""
    mean_field: int = 10
    """Steps that fill in the codes of the medium that an item lacks."""
    supervised_rate: float = 0.1
    """The release's .01."""
    bimodal_rate: float = 1.0
    """The release's .05, beside sums over units."""
    label_weight: float = 1.0
    """Of the classes against what is given back, in the last autoencoders; ours, for the release
    says nothing."""
    rows: int = 115
    """Of a step, in all stages but the two that follow; the release has 128 for the RBMs."""
    supervised_rows: int = 100
    bimodal_rows: int = 77
    """Pairs; three rows each: one medium, the other, both."""
    epochs: int = 40
    """Of each stage without labels; the release's 100,000 updates, twice that for three of the
    RBMs, are some 5,000 epochs of Wikipedia, and 900 of the paper's 12,666 training videos."""
    supervised_epochs: int = 15
    """The release's 50,000 updates: 395 epochs of these videos."""
    bimodal_epochs: int = 15
    """Of each level. The release's 20,000 updates, 2,000 of the first: 122 epochs."""

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for what cannot be trained."""
        sizes = self.mean_field, self.rows, self.supervised_rows, self.bimodal_rows
        epochs = self.epochs, self.supervised_epochs, self.bimodal_epochs
        if min(*sizes, *epochs, *(self.levels or ())) < 1:
            raise ValueError("a width, steps, rows or epochs below 1")
        if (self.width is not None and self.width < 2) or self.levels == ():
            raise ValueError("a width below 2, or no levels")
        rates = *self.autoencoder_rates, self.supervised_rate, self.bimodal_rate
        if min(rates) <= 0 or min(*self.autoencoder_l2, self.label_weight) < 0:
            raise ValueError("a rate that is not above 0, or a decay or a weight below 0")


class Cmdn:
    """The method, for exactly two media."""

    facts: ClassVar[Facts] = Facts(
        name="cmdn",
        title="Cross-media multiple deep network",
        year=2016,
        source="Peng, Huang, Qi, IJCAI 2016; released code at 3d0a1aa",
        scope=Scope.PAIRWISE,
        takes=Kind.FEATURES,
        space="embedding",
        learns="SGD",
        deviations={
            "length": "epochs for updates, and rates, momentum and chains by the share of a stage; "
            "the release makes 1.2 million updates on 2,173 items",
            "width": "five times the number of classes, 128 to 1,024; the release has 1,024 for 10 "
            "classes and features of 2,296 and 3,000 numbers",
            "pairs": "the release pairs row with row; items here have no partner, so pairs are "
            "drawn within each class, anew each epoch",
            "statistics": "z-scores and ranges by the training items; the release takes each "
            "split's own, so that an item's embedding depends on the others",
            "lacking medium": "its codes start at 1/2; the release does not say",
            "words": "no up_factor: the release multiplies by 10 what hidden units get of words, "
            "which no RBM's energy does",
            "sparsity": "by the means of a step's rows; the release's are running ones",
            "last autoencoders": "the release cannot be loaded: its settings name a layer that "
            "there is not; the three rows of a pair are in one step, and theirs are shuffled",
            "other media": "Gaussian units for features of videos and audios, as for images",
        },
    )
    Config: ClassVar[type[CmdnConfig]] = CmdnConfig

    def build(self, data: Dataset, config: CmdnConfig) -> Network:
        return Network(data, config)

    def stages(self, data: Dataset, config: CmdnConfig) -> Sequence[Stage]:
        """Within each medium, across both, fused, with classes, and joined; then z-scores."""
        stages: list[Stage] = []
        for medium in data.media:
            units = visible_units(medium, data.train[medium].inputs, config.word_counts)
            stages += [_autoencoder_stage(medium, at, config) for at in (0, 1)]
            stages += [_stack_stage(medium, at, STACKS[units][at], config) for at in (0, 1)]
        stages.append(_joint_stage(config))
        for medium in data.media:
            stages += [_fusion_stage(medium, config), _supervised_stage(medium, config)]
        stages += [_bimodal_stage(at, config) for at in range(len(_levels(data, config)))]
        return (*stages, Stage("scores", 0, ClassPairs(1), (), before=_measure_embeddings))

    def embed(self, model: nn.Module, medium: Medium, inputs: Tensor) -> Tensor:
        """The last level's code of one medium alone, in z-scores [n, width]."""
        network = cast(Network, model)
        embeddings: Tensor = network.score[medium](network.code(medium, inputs))
        return embeddings


def _width(data: Dataset, config: CmdnConfig) -> int:
    return usual_width(data.classes) if config.width is None else config.width


def _levels(data: Dataset, config: CmdnConfig) -> tuple[int, ...]:
    if config.levels is not None:
        return config.levels
    return tuple(max(1, _width(data, config) // part) for part in (2, 4, 8, 16))


class Network(nn.Module):
    """A stream for each medium, the RBM and the autoencoders of both."""

    def __init__(self, data: Dataset, config: CmdnConfig) -> None:
        super().__init__()
        width, levels = _width(data, config), _levels(data, config)
        self.media, self.mean_field = data.media, config.mean_field
        self.streams = nn.ModuleDict()
        for medium in data.media:
            inputs = data.train[medium].inputs
            units = visible_units(medium, inputs, config.word_counts)
            self.streams[medium] = Stream(inputs, units, width, data.classes, config)
        self.joint = Rbm(2 * width, 2 * width)
        self.levels = nn.ModuleList(
            Level(data.media, entering, joined, data.classes)
            for entering, joined in zip((width, *levels), levels, strict=False)
        )
        self.score = nn.ModuleDict({medium: Standardise(levels[-1]) for medium in data.media})

    def stream(self, medium: Medium) -> Stream:
        return cast(Stream, self.streams[medium])

    def level(self, at: int) -> Level:
        return cast(Level, self.levels[at])

    def pair(self, inputs: Mapping[Medium, Tensor]) -> Tensor:
        """Both media's codes side by side [b, 2 · width]: what the joint RBM takes."""
        return torch.cat([self.stream(m).stacked(inputs[m]) for m in self.media], 1)

    def across(self, medium: Medium, rows: Tensor) -> Tensor:
        """The joint RBM's hidden units [b, 2 · width], the other medium's codes filled in."""
        own = self.stream(medium).stacked(rows)
        lacking = torch.full_like(own, 0.5)
        pair = torch.cat([own if m is medium else lacking for m in self.media], 1)
        sides = torch.tensor([m is medium for m in self.media], device=own.device)
        known = sides.repeat_interleave(own.shape[1])
        return self.joint.hidden(self.joint.complete(pair, known, self.mean_field))

    def parts(self, medium: Medium, rows: Tensor) -> Tensor:
        """What is fused [b, 2.5 · width]: the representations within and across media."""
        stream = self.stream(medium)
        within: Tensor = stream.scale(stream.compressed(rows))
        return torch.cat([within, self.across(medium, rows)], 1)

    def learnt(self, medium: Medium, rows: Tensor) -> Tensor:
        """The classifier's last hidden layer [b, width]."""
        stream = self.stream(medium)
        return stream.hidden(stream.fusion.hidden(self.parts(medium, rows)))

    def code(self, medium: Medium, rows: Tensor, levels: int | None = None) -> Tensor:
        """What so many levels, or all, make of one medium alone."""
        code: Tensor = self.stream(medium).rescale(self.learnt(medium, rows))
        for at in range(len(self.levels) if levels is None else levels):
            code = self.level(at)({medium: code})
        return code


class Stream(nn.Module):
    """The layers of one medium."""

    def __init__(
        self, inputs: Inputs, units: Visible, width: int, classes: int, config: CmdnConfig
    ) -> None:
        super().__init__()
        entering, words = inputs.shape[0], units is Visible.WORDS
        linear = config.outputs is Outputs.LINEAR
        self.standardise = Standardise.of(inputs)
        self.words = words
        self.enter = self.standardise if linear else Range(entering)
        self.encode = nn.ModuleList([dense(entering, width), dense(width, width // 2)])
        self.decode = nn.ModuleList([dense(width, entering), dense(width // 2, width)])
        first = width if words else 2 * width
        self.rbms = nn.ModuleList([lower_rbm(entering, first, units), Rbm(first, width)])
        self.scale = Range(width // 2)
        self.fusion = Rbm(width // 2 + 2 * width, width)
        self.norm = Standardise(width)
        self.learn = nn.Sequential()
        for _ in range(3):
            self.learn.extend([dense(width, width), nn.ReLU()])
        self.classify = dense(width, classes)
        self.rescale = Standardise(width) if linear else nn.Identity()

    def compressed(self, rows: Tensor, layers: int = 2) -> Tensor:
        """The autoencoder's code: of all its layers [b, width / 2], or of the first."""
        code: Tensor = self.enter(rows)
        for layer in self.encode[:layers]:
            code = layer(code).relu()
        return code

    def restored(self, code: Tensor, layers: int) -> Tensor:
        """What the autoencoder gives back of the code of so many layers, its units' drive."""
        if layers == 2:
            code = self.decode[1](code).relu()
        restored: Tensor = self.decode[0](code)
        return restored

    def entering(self, rows: Tensor, at: int) -> Tensor:
        """What RBM number ``at`` takes."""
        rows = rows if self.words else self.standardise(rows)
        return rows if at == 0 else self.rbm(0).hidden(rows)

    def stacked(self, rows: Tensor) -> Tensor:
        """The codes [b, width] of the medium's own two RBMs."""
        return self.rbm(1).hidden(self.entering(rows, 1))

    def hidden(self, fused: Tensor) -> Tensor:
        learnt: Tensor = self.learn(self.norm(fused))
        return learnt

    def rbm(self, at: int) -> Rbm:
        return cast(Rbm, self.rbms[at])


class Level(nn.Module):
    """An autoencoder of both media with a classifier; either medium may be lacking."""

    def __init__(self, media: Sequence[Medium], entering: int, joined: int, classes: int) -> None:
        super().__init__()
        self.encode = nn.ModuleDict({m: dense(entering, joined, bias=False) for m in media})
        self.bias = nn.Parameter(torch.zeros(joined))
        self.decode = nn.ModuleDict({m: dense(joined, entering) for m in media})
        self.classify = dense(joined, classes)

    def forward(self, rows: Mapping[Medium, Tensor]) -> Tensor:
        """The joint code of the media that there are."""
        drives = [self.encode[medium](of_medium) for medium, of_medium in rows.items()]
        return (torch.stack(drives).sum(0) + self.bias).sigmoid()


def _network(model: nn.Module) -> Network:
    return cast(Network, model)


def _autoencoder_stage(medium: Medium, at: int, config: CmdnConfig) -> Stage:
    """The outer layers alone, or the inner ones and all."""
    logistic = config.outputs is Outputs.LOGISTIC
    player = Player(
        "autoencoder",
        lambda model: decayed(
            [
                *_network(model).stream(medium).encode[: at + 1],
                *_network(model).stream(medium).decode[: at + 1],
            ],
            config.autoencoder_l2[at],
        ),
        partial(_autoencoder_losses, medium, at, config),
        partial(torch.optim.SGD, lr=config.autoencoder_rates[at], momentum=0.5),
        annealing(config.epochs, half_life=0.1, ramp=0.5),
    )
    return Stage(
        f"autoencoder {at + 1} of {medium}",
        config.epochs,
        ClassPairs(config.rows),
        (player,),
        (medium,),
        partial(_measure_features, medium) if logistic and at == 0 else None,
    )


def _autoencoder_losses(
    medium: Medium, at: int, config: CmdnConfig, model: nn.Module, batch: Batch
) -> Mapping[str, Tensor]:
    stream, rows = _network(model).stream(medium), batch.inputs[medium]
    restored = stream.restored(stream.compressed(rows, at + 1), at + 1)
    if config.outputs is Outputs.LOGISTIC:
        restored = restored.sigmoid()
    return {"reconstruction": _squares(restored, stream.enter(rows), config)}


def _squares(restored: Tensor, rows: Tensor, config: CmdnConfig) -> Tensor:
    """Half the squared distances of rows [b, d], a row's sum over units or their mean."""
    half = paired_distances(restored, rows).square().mean() / 2
    return half / rows.shape[1] if config.mean_squares else half


def _stack_stage(medium: Medium, at: int, course: RbmCourse, config: CmdnConfig) -> Stage:
    player = rbm_player(
        replace(course, rate=config.rbm_rates * course.rate),
        config.epochs,
        lambda model: _network(model).stream(medium).rbm(at),
        lambda model, batch: _network(model).stream(medium).entering(batch.inputs[medium], at),
        longer_chains=config.longer_chains,
    )
    name = f"rbm {at + 1} of {medium}"
    return Stage(name, config.epochs, ClassPairs(config.rows), (player,), (medium,))


def _joint_stage(config: CmdnConfig) -> Stage:
    player = rbm_player(
        replace(
            UPON_CODES, updates=2 * UPON_CODES.updates, rate=config.rbm_rates * UPON_CODES.rate
        ),
        config.epochs,
        lambda model: _network(model).joint,
        lambda model, batch: _network(model).pair(batch.inputs),
        longer_chains=config.longer_chains,
    )
    return Stage("joint rbm", config.epochs, ClassPairs(config.rows), (player,))


def _fusion_stage(medium: Medium, config: CmdnConfig) -> Stage:
    player = rbm_player(
        replace(UPON_CODES, rate=config.rbm_rates * UPON_CODES.rate),
        config.epochs,
        lambda model: _network(model).stream(medium).fusion,
        lambda model, batch: _network(model).parts(medium, batch.inputs[medium]),
        longer_chains=config.longer_chains,
    )
    return Stage(
        f"fusion of {medium}",
        config.epochs,
        ClassPairs(config.rows),
        (player,),
        (medium,),
        partial(_measure_compressed, medium),
    )


def _supervised_stage(medium: Medium, config: CmdnConfig) -> Stage:
    player = Player(
        "classifier",
        lambda model: decayed(
            [_network(model).stream(medium).learn, _network(model).stream(medium).classify], 1e-3
        ),
        partial(_supervised_losses, medium),
        partial(torch.optim.SGD, lr=config.supervised_rate, momentum=0.9),
        annealing(config.supervised_epochs, Decay.EXPONENTIAL, half_life=0.2, momentum=(0.9, 0.9)),
    )
    return Stage(
        f"classes of {medium}",
        config.supervised_epochs,
        ClassPairs(config.supervised_rows),
        (player,),
        (medium,),
        partial(_measure_fused, medium),
    )


def _supervised_losses(medium: Medium, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
    network = _network(model)
    scores = network.stream(medium).classify(network.learnt(medium, batch.inputs[medium]))
    return {"classes": cross_entropy(scores, batch.labels[medium])}


def _bimodal_stage(at: int, config: CmdnConfig) -> Stage:
    player = Player(
        "level",
        lambda model: decayed([_network(model).level(at)], 1e-4),
        partial(_bimodal_losses, at, config),
        partial(torch.optim.SGD, lr=config.bimodal_rate, momentum=0.5),
        annealing(config.bimodal_epochs, half_life=0.5, ramp=0.5),
    )
    return Stage(
        f"level {at + 1}",
        config.bimodal_epochs,
        ClassPairs(config.bimodal_rows),
        (player,),
        before=_measure_learnt if at == 0 and config.outputs is Outputs.LINEAR else None,
    )


def _bimodal_losses(
    at: int, config: CmdnConfig, model: nn.Module, batch: Batch
) -> Mapping[str, Tensor]:
    """Of either medium alone and of both: what is given back of both, and the classes."""
    network, level = _network(model), _network(model).level(at)
    rows = {m: network.code(m, of_medium, at) for m, of_medium in batch.inputs.items()}
    lost, wrong = [], []
    for known in (*([medium] for medium in rows), list(rows)):
        code = level({medium: rows[medium] for medium in known})
        for medium, of_medium in rows.items():
            restored = level.decode[medium](code)
            if at or config.outputs is Outputs.LOGISTIC:
                restored = restored.sigmoid()
            lost.append(_squares(restored, of_medium, config))
        wrong.append(cross_entropy(level.classify(code), batch.labels[known[0]]))
    return {
        "reconstruction": torch.stack(lost).sum() / len(wrong),
        "classes": config.label_weight * torch.stack(wrong).mean(),
    }


def _measure_features(medium: Medium, model: nn.Module, whole: Whole) -> None:
    cast(Range, _network(model).stream(medium).enter).measure(whole(medium))


def _measure_compressed(medium: Medium, model: nn.Module, whole: Whole) -> None:
    stream = _network(model).stream(medium)
    stream.scale.measure(stream.compressed(rows) for rows in whole(medium))


def _measure_fused(medium: Medium, model: nn.Module, whole: Whole) -> None:
    network, stream = _network(model), _network(model).stream(medium)
    fused = (stream.fusion.hidden(network.parts(medium, rows)) for rows in whole(medium))
    stream.norm.measure(fused)


def _measure_learnt(model: nn.Module, whole: Whole) -> None:
    network = _network(model)
    for medium in network.media:
        rescale = cast(Standardise, network.stream(medium).rescale)
        rescale.measure(network.learnt(medium, rows) for rows in whole(medium))


def _measure_embeddings(model: nn.Module, whole: Whole) -> None:
    network = _network(model)
    for medium in network.media:
        score = cast(Standardise, network.score[medium])
        score.measure(network.code(medium, rows) for rows in whole(medium))
