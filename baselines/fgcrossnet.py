"""FGCrossNet: one network for all media, trained with classes, centres and ranking.

He, Peng, Xie, "A New Benchmark and Approach for Fine-grained Cross-media Retrieval" (ACM MM 2019);
"the code" is what they released, PKU-ICST-MIPL/FGCrossNet_ACMMM2019 at 26ee4de.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy
from torch.optim import SGD
from torch.optim.lr_scheduler import LambdaLR

from fgbench.errors import InputError
from fgbench.media.backbone import NONE, load_backbone
from fgbench.protocol import Medium
from fgbench.train.dataset import Dataset
from fgbench.train.method import Batch, Facts, Kind, Player, Sampler, Scope, Stage, Whole
from fgbench.train.quadruplets import Quadruplets, arrange
from fgbench.train.recipe import takes_vectors
from fgbench.train.terms import batch_centres, batch_ranking_term, centre_term, ranking_term
from fgbench.train.uniform import UniformNetwork
from fgbench.train.zipped import Zipped


class Constraint(StrEnum):
    """The last constraint that is taken, after those before it: the rows of the paper's Table 5."""

    CLASSIFICATION = "classification"
    CENTER = "center"
    RANKING = "ranking"


class Sampling(StrEnum):
    """QUADRUPLETS: section 3.4.1. SHUFFLED: each medium on its own, an epoch as long as the
    smallest. IN_ORDER: the same and unshuffled, as the code has it.
    """

    QUADRUPLETS = "quadruplets"
    SHUFFLED = "shuffled"
    IN_ORDER = "in_order"


class Centers(StrEnum):
    """LEARNED: parameters from N(0, 1), as in the code. BATCH: means of a batch, section 3.3.2."""

    LEARNED = "learned"
    BATCH = "batch"


class CenterScale(StrEnum):
    """HALF_SUM: equation 3, over a batch. MEAN: the code."""

    HALF_SUM = "half_sum"
    MEAN = "mean"


class Ranking(StrEnum):
    """QUADRUPLETS: equation 4, two hinges of squared distances, over the sampler's quadruplets.
    BATCH: the code's one hinge of plain distances, over all quadruplets of a batch, whatever their
    media, and the mean of those above 0.
    """

    QUADRUPLETS = "quadruplets"
    BATCH = "batch"


@dataclass(frozen=True, slots=True)
class FGCrossNetConfig:
    """Every choice; the defaults are the paper's, or the code's where the paper is silent."""

    backbone: str = "resnet50"
    """A classifier of torchvision by name, or ``tiny``. Section 3.1: ResNet50, or any other."""
    weights: str = "imagenet"
    """``imagenet`` (section 3.4.2), ``none``, or a file of the backbone's weights."""
    width: int = 1024
    """Of the streams that stand for the backbone where media come as features. Ours."""
    constraint: Constraint = Constraint.RANKING
    image_epochs: int = 30
    """Of images alone (section 3.4.2). Ours: neither source gives a number."""
    image_batch: int = 32
    """Ours."""
    center_epochs: int = 50
    """Of all media before ranking. The code's; the paper gives none."""
    ranking_epochs: int = 50
    """Likewise."""
    batch: int = 4
    """Items of each medium in a step; quadruplets, of four media. The code's."""
    sampling: Sampling = Sampling.QUADRUPLETS
    lr: float = 0.001
    """Section 3.4.2, of plain SGD, which is the code's."""
    momentum: float = 0.9
    """The code's."""
    halve_every: int = 3
    """Epochs after which the rate is halved (section 3.4.2), anew in each stage."""
    early_halving: bool = False
    """The first halving comes an epoch early, as the code does it on torch 1.1 and later."""
    center_weight: float = 0.001
    """The code's; the paper adds the terms up."""
    center_scale: CenterScale = CenterScale.HALF_SUM
    centers: Centers = Centers.LEARNED
    fresh_centers: bool = False
    """Ranking starts from new centres: the code's checkpoint holds none."""
    ranking_weight: float = 0.1
    """The code's; the paper adds the terms up."""
    ranking: Ranking = Ranking.QUADRUPLETS
    softmax: bool = False
    """Embeddings are probabilities (the code) instead of what the last layer gives (3.5)."""

    def __post_init__(self) -> None:
        """Raises ``ValueError`` where values do not go together."""
        ranks = self.constraint is Constraint.RANKING and self.ranking is Ranking.QUADRUPLETS
        if ranks and self.sampling is not Sampling.QUADRUPLETS:
            raise ValueError("ranking of quadruplets needs the sampling of quadruplets")
        if min(self.width, self.batch, self.image_batch, self.halve_every) < 1:
            raise ValueError("width, batch, image_batch and halve_every are at least 1")
        if min(self.image_epochs, self.center_epochs, self.ranking_epochs) < 0:
            raise ValueError("epochs are at least 0")
        if min(self.lr, self.center_weight, self.ranking_weight) <= 0:
            raise ValueError("lr and the weights are above 0: constraint leaves terms out")


class FGCrossNet:
    """The method."""

    facts: ClassVar[Facts] = Facts(
        name="fgcrossnet",
        title="FGCrossNet",
        year=2019,
        source="He, Peng, Xie (ACM MM 2019), sections 3 and 4.4",
        scope=Scope.JOINT,
        takes=Kind.MEDIA,
        space="embedding",
        learns="SGD",
        deviations={
            "weights of terms": "the paper prints none: both forms take the released code's",
            "ranking": "the paper's sum over quadruplets is a mean, since its weight is one of a "
            "mean; a quadruplet counts with i and j, and k and l, in either order",
            "centres": "learned in both forms, as in the code: in a batch of 16 a class has one "
            "item or two",
            "image stage": "not released: 30 epochs in batches of 32 are ours",
            "defects": "left out: labels mixed up on several GPUs, checkpoints that do not load, "
            "a video of fewer than 25 frames that takes some of the next",
            "other sizes": "where pictures are not 448 wide, texts are averaged to their width",
            "features": "a medium given as features takes a stream of its own (standardise, "
            "linear, ReLU) in place of the backbone",
            "fewer media": "items of a quadruplet take fewer than four media in turn",
        },
    )
    Config: ClassVar[type[FGCrossNetConfig]] = FGCrossNetConfig

    def build(self, data: Dataset, config: FGCrossNetConfig) -> UniformNetwork:
        """The network; it has a backbone only where a medium comes as pictures or characters.

        Its weights come as the first stage begins: what is trained already does not want them.
        """
        vectors = {
            medium: items.inputs.shape[0]
            for medium, items in data.train.items()
            if takes_vectors(items)
        }
        shapes = [items.inputs.shape for m, items in data.train.items() if m not in vectors]
        side = max((shape[-1] for shape in shapes if len(shape) > 1), default=448)
        trunk: nn.Module = nn.Identity()
        width = config.width
        if shapes:
            trunk, width = load_backbone(config.backbone, NONE)
            _check_side(trunk, config.backbone, side)
        return UniformNetwork(
            trunk,
            width,
            data.classes,
            side=side if shapes else None,
            vectors=vectors,
            centres=_center_sets(config).values(),
            softmax=config.softmax,
        )

    def stages(self, data: Dataset, config: FGCrossNetConfig) -> Sequence[Stage]:
        """Images alone, all media with centres, all media with ranking: section 3.4.2."""
        found = []
        if Medium.IMAGE in data.media:
            only = (Medium.IMAGE,)
            player = _player(only, config, Constraint.CLASSIFICATION)
            batches = Zipped(config.image_batch)
            found.append(Stage("image", config.image_epochs, batches, (player,), media=only))
        for constraint, epochs in _joint_stages(config).items():
            player = _player(data.media, config, constraint)
            found.append(Stage(constraint.value, epochs, _sampler(config), (player,)))
        found = [stage for stage in found if stage.epochs]
        return [replace(s, before=partial(_load_weights, config)) for s in found[:1]] + found[1:]

    def embed(self, model: nn.Module, medium: Medium, inputs: Tensor) -> Tensor:
        """Logits, or probabilities with ``softmax``; of a video from the mean of its frames'."""
        return cast(UniformNetwork, model).embed(medium, inputs)


def _load_weights(config: FGCrossNetConfig, model: nn.Module, whole: Whole) -> None:
    """Give the trunk its pretrained weights."""
    trunk = cast(UniformNetwork, model).trunk
    if config.weights != NONE and not isinstance(trunk, nn.Identity):
        pretrained, _ = load_backbone(config.backbone, config.weights)
        trunk.load_state_dict(pretrained.state_dict())


def _check_side(trunk: nn.Module, name: str, side: int) -> None:
    """Raise ``InputError`` (FG-Y053) where a trunk makes no vectors of pictures of that side."""
    # On the meta device only shapes are computed.
    state = {**dict(trunk.named_parameters()), **dict(trunk.named_buffers())}
    on_meta = {key: torch.empty_like(value, device="meta") for key, value in state.items()}
    try:
        found = functional_call(trunk, on_meta, torch.empty(2, 3, side, side, device="meta"))
        trouble = "" if isinstance(found, Tensor) and found.dim() == 2 else "it gives no vectors"
    except (AssertionError, RuntimeError, ValueError) as error:
        trouble = str(error).partition("\n")[0]
    if trouble:
        raise InputError(
            "FG-Y053",
            f"the backbone {name} does not take pictures of {side} × {side}: {trouble}",
            fix="Choose one that takes any size, as resnet50, or another --side.",
        )


def _joint_stages(config: FGCrossNetConfig) -> dict[Constraint, int]:
    """The stages of all media and their epochs; classification alone is a stage of Table 5 only."""
    stages = {Constraint.CENTER: config.center_epochs, Constraint.RANKING: config.ranking_epochs}
    if config.constraint is Constraint.CLASSIFICATION:
        return {Constraint.CLASSIFICATION: config.center_epochs}
    if config.constraint is Constraint.CENTER:
        del stages[Constraint.RANKING]
    return stages


def _center_sets(config: FGCrossNetConfig) -> dict[Constraint, str]:
    """The set of learned centres of each stage that has some."""
    if config.centers is Centers.BATCH:
        return {}
    stages = [stage for stage in _joint_stages(config) if stage is not Constraint.CLASSIFICATION]
    kept = Constraint.CENTER
    return {stage: (stage if config.fresh_centers else kept).value for stage in stages}


def _sampler(config: FGCrossNetConfig) -> Sampler:
    if config.sampling is Sampling.QUADRUPLETS:
        return Quadruplets(config.batch)
    return Zipped(config.batch, shuffle=config.sampling is Sampling.SHUFFLED)


def _player(media: Sequence[Medium], config: FGCrossNetConfig, constraint: Constraint) -> Player:
    return Player(
        "network",
        partial(_parameters, media, config, constraint),
        partial(_losses, config, constraint),
        partial(SGD, lr=config.lr, momentum=config.momentum),
        partial(LambdaLR, lr_lambda=partial(_rate, config)),
    )


def _rate(config: FGCrossNetConfig, epoch: int) -> float:
    return 0.5 ** ((epoch + config.early_halving) // config.halve_every)


def _parameters(
    media: Sequence[Medium], config: FGCrossNetConfig, constraint: Constraint, model: nn.Module
) -> list[dict[str, Any]]:
    """What these media pass through; centres at a rate that makes up for the weight of their term.

    The code divides their gradient by that weight, which comes to the same.
    """
    network = cast(UniformNetwork, model)
    groups: list[dict[str, Any]] = [{"params": network.path(media)}]
    if (name := _center_sets(config).get(constraint)) is not None:
        points = [*network.centres[name].parameters()]
        groups.append({"params": points, "lr": config.lr / config.center_weight})
    return groups


def _losses(
    config: FGCrossNetConfig, constraint: Constraint, model: nn.Module, batch: Batch
) -> dict[str, Tensor]:
    """Equation 1, term by term, over what all processes have."""
    network = cast(UniformNetwork, model)
    logits = {m: batch.gather(rows) for m, rows in network(batch.inputs).items()}
    labels = {medium: batch.gather(batch.labels[medium]) for medium in logits}
    of_media = [cross_entropy(rows, labels[medium]) for medium, rows in logits.items()]
    found = {"classification": torch.stack(of_media).sum()}
    if constraint is not Constraint.CLASSIFICATION:
        center = _center(config, constraint, network, logits, labels)
        found["center"] = config.center_weight * center
    if constraint is Constraint.RANKING:
        found["ranking"] = config.ranking_weight * _ranking(config, logits, labels)
    return found


def _center(
    config: FGCrossNetConfig,
    constraint: Constraint,
    network: UniformNetwork,
    logits: Mapping[Medium, Tensor],
    labels: Mapping[Medium, Tensor],
) -> Tensor:
    rows, classes = _together(logits, labels)
    if (name := _center_sets(config).get(constraint)) is not None:
        mean: Tensor = network.centres[name](rows, classes)
    else:
        mean = centre_term(rows, classes, batch_centres(rows, classes, rows.shape[1]))
    return mean * len(rows) / 2 if config.center_scale is CenterScale.HALF_SUM else mean


def _ranking(
    config: FGCrossNetConfig, logits: Mapping[Medium, Tensor], labels: Mapping[Medium, Tensor]
) -> Tensor:
    if config.ranking is Ranking.BATCH:
        return batch_ranking_term(*_together(logits, labels))
    i, j, k, other = arrange(logits, labels)
    return ranking_term(i, j, k, other)


def _together(
    logits: Mapping[Medium, Tensor], labels: Mapping[Medium, Tensor]
) -> tuple[Tensor, Tensor]:
    """The rows of all media with their classes."""
    return torch.cat([*logits.values()]), torch.cat([labels[medium] for medium in logits])
