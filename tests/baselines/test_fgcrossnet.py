"""FGCrossNet: its terms, what moves in which stage, its forms, on pixels and on features."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from fgbench.baselines.fgcrossnet import (
    Centers,
    CenterScale,
    Constraint,
    FGCrossNet,
    FGCrossNetConfig,
    Ranking,
    Sampling,
)
from fgbench.errors import InputError
from fgbench.media.backbone import load_backbone
from fgbench.media.preset import Form
from fgbench.protocol import MEDIA, Medium
from fgbench.train.dataset import Dataset, Items, Places
from fgbench.train.forms import load_form
from fgbench.train.hardware import Device, Hardware
from fgbench.train.method import Batch, Budget, Stage
from fgbench.train.quadruplets import Quadruplets
from fgbench.train.recipe import Recipe
from fgbench.train.run import Run
from fgbench.train.uniform import UniformNetwork

CLASSES, SIDE = 4, 32
SMALL = FGCrossNetConfig(backbone="tiny", weights="none", width=8, image_epochs=1)


@dataclass(frozen=True)
class Stored:
    """Inputs in memory; of videos one frame is drawn for training."""

    whole: NDArray[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.whole.shape[1:]

    def __len__(self) -> int:
        return len(self.whole)

    def take(self, places: Places, rng: np.random.Generator | None = None) -> NDArray[Any]:
        chosen = self.whole[places]
        if rng is None or chosen.ndim < 5:
            return chosen
        return chosen[np.arange(len(chosen)), rng.integers(0, chosen.shape[1], len(chosen))]


def items(inputs: NDArray[Any]) -> Items:
    ids = np.array([f"item{k}" for k in range(len(inputs))])
    return Items(ids, np.arange(len(inputs)) % CLASSES, Stored(inputs))


def of_pixels(count: int = 12) -> Dataset:
    rng = np.random.default_rng(0)
    shapes = {Medium.VIDEO: (count, 25, 3, SIDE, SIDE)}
    side = {
        medium: items(
            rng.integers(0, 69, (count, 448))
            if medium is Medium.TEXT
            else rng.standard_normal(shapes.get(medium, (count, 3, SIDE, SIDE)), np.float32)
        )
        for medium in MEDIA
    }
    return Dataset(side, side, CLASSES)


def of_features(count: int = 12, media: tuple[Medium, ...] = MEDIA, noise: float = 1.0) -> Dataset:
    """Classes that differ in means, which each medium has in a space of its own."""
    rng = np.random.default_rng(0)
    found: dict[str, dict[Medium, Items]] = {"train": {}, "test": {}}
    for medium in media:
        means = rng.standard_normal((CLASSES, 6))
        for side in found.values():
            spread = noise * rng.standard_normal((count, 6))
            side[medium] = items((means[np.arange(count) % CLASSES] + spread).astype(np.float32))
    return Dataset(found["train"], found["test"], CLASSES)


def batches(data: Dataset, stage: Stage, rng: np.random.Generator) -> Iterator[Batch]:
    of_stage = {medium: data.train[medium] for medium in stage.media or data.media}
    for step in stage.batches(of_stage, rng):
        inputs = {m: torch.from_numpy(of_stage[m].inputs.take(p, rng)) for m, p in step.items()}
        labels = {m: torch.from_numpy(of_stage[m].labels[p]) for m, p in step.items()}
        yield Batch(inputs, labels, 0.0, lambda rows: rows)


def train(model: UniformNetwork, data: Dataset, stage: Stage, most: int | None = None) -> None:
    """A plain loop."""
    (player,) = stage.players
    optimiser = player.optimiser(player.parameters(model))
    assert player.schedule is not None
    schedule = player.schedule(optimiser)
    rng = np.random.default_rng(0)
    model.train()
    for _ in range(stage.epochs):
        for number, batch in enumerate(batches(data, stage, rng)):
            if number == most:
                break
            optimiser.zero_grad()
            sum(player.losses(model, batch).values(), torch.zeros(())).backward()
            optimiser.step()
        schedule.step()


def build(data: Dataset, config: FGCrossNetConfig) -> tuple[UniformNetwork, list[Stage]]:
    torch.manual_seed(0)
    method = FGCrossNet()
    return method.build(data, config), list(method.stages(data, config))


def state(model: UniformNetwork) -> dict[str, Tensor]:
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def moved(model: UniformNetwork, before: Mapping[str, Tensor]) -> set[str]:
    """The parts of the network of which something has moved."""
    changed = {name for name, p in model.named_parameters() if not torch.equal(p, before[name])}
    return {".".join(n.split(".")[: 2 if n.startswith("centres") else 1]) for n in changed}


# Terms


def squared(a: NDArray[Any], b: NDArray[Any]) -> float:
    return float(((a - b) ** 2).sum())


def slow_terms(
    config: FGCrossNetConfig, x: list[list[NDArray[Any]]], y: list[list[int]], centres: NDArray[Any]
) -> dict[str, float]:
    """The terms of equation 1, entry by entry; ``x`` and ``y`` by medium and row."""
    entropy = 0.0
    for rows, labels in zip(x, y, strict=True):
        losses = [math.log(np.exp(r).sum()) - r[c] for r, c in zip(rows, labels, strict=True)]
        entropy += sum(losses) / len(losses)
    flat = [row for rows in x for row in rows]
    classes = [label for labels in y for label in labels]
    if config.centers is Centers.BATCH:
        alike = [[r for r, c in zip(flat, classes, strict=True) if c == k] for k in classes]
        points = [np.mean(rows, axis=0) for rows in alike]
    else:
        points = [centres[k] for k in classes]
    total = sum(squared(row, point) for row, point in zip(flat, points, strict=True))
    center = total / 2 if config.center_scale is CenterScale.HALF_SUM else total / len(flat)
    hinges = []
    if config.ranking is Ranking.BATCH:
        for i, j, k, last in permutations(range(len(flat)), 4):
            if classes[i] == classes[j] and len({classes[n] for n in (i, k, last)}) == 3:
                d = [math.sqrt(squared(flat[a], flat[b])) for a, b in ((i, j), (i, k), (k, last))]
                hinges.append(max(0.0, d[0] - d[1] + 1 + d[0] - d[2] + 0.5))
        hinges = [hinge for hinge in hinges if hinge > 0]
    else:
        for row in range(len(x[0])):  # four media: a quadruplet has a row of each
            own = [(x[m][row], y[m][row]) for m in range(4)]
            for (i, yi), (j, yj), (k, yk), (last, yl) in permutations(own):
                if yi == yj and len({yi, yk, yl}) == 3:
                    near = squared(i, j)
                    first = max(0.0, near - squared(i, k) + 1)
                    hinges.append(first + max(0.0, near - squared(last, k) + 0.5))
    return {
        "classification": entropy,
        "center": config.center_weight * center,
        "ranking": config.ranking_weight * sum(hinges) / max(1, len(hinges)),
    }


@settings(max_examples=30, deadline=None)
@given(
    scale=st.floats(0.01, 3),
    seed=st.integers(0, 1000),
    centers=st.sampled_from(Centers),
    center_scale=st.sampled_from(CenterScale),
    ranking=st.sampled_from(Ranking),
    count=st.integers(1, 3),
)
def test_terms_equal_the_slow_ones(
    scale: float,
    seed: int,
    centers: Centers,
    center_scale: CenterScale,
    ranking: Ranking,
    count: int,
) -> None:
    config = replace(
        SMALL, batch=count, centers=centers, center_scale=center_scale, ranking=ranking
    )
    data = of_features()
    model, stages = build(data, config)
    model.double()
    model.eval()
    with torch.no_grad():
        model.fc.weight.mul_(scale)
    batch = next(batches(data, stages[-1], np.random.default_rng(seed)))
    inputs = {medium: x.double() for medium, x in batch.inputs.items()}
    found = stages[-1].players[0].losses(model, replace(batch, inputs=inputs))
    logits = model(inputs)
    x = [[*logits[medium].detach().numpy()] for medium in MEDIA]
    y = [batch.labels[medium].tolist() for medium in MEDIA]
    centres = state(model).get("centres.center.points", torch.zeros(1)).numpy()
    expected = slow_terms(config, x, y, centres)
    assert list(found) == list(expected)
    for name, term in found.items():
        assert float(term.detach()) == pytest.approx(expected[name], rel=1e-5)


def test_the_batch_of_the_release_has_every_quadruplet() -> None:
    """16 items, four of a medium: 65,536 quadruples, whatever their media."""
    config = replace(SMALL, ranking=Ranking.BATCH, sampling=Sampling.SHUFFLED)
    data = of_features()
    model, stages = build(data, config)
    model.eval()
    batch = next(batches(data, stages[-1], np.random.default_rng(0)))
    found = stages[-1].players[0].losses(model, batch)["ranking"]
    x = [[*model(batch.inputs)[medium].detach().double().numpy()] for medium in MEDIA]
    y = [batch.labels[medium].tolist() for medium in MEDIA]
    expected = slow_terms(config, x, y, state(model)["centres.center.points"].numpy())
    assert float(found.detach()) == pytest.approx(expected["ranking"], rel=1e-5)


@pytest.mark.parametrize("form", Form)
def test_gradients_are_those_of_differences(form: Form) -> None:
    config = replace(load_form("fgcrossnet", form), backbone="tiny", weights="none", width=3)
    data = of_features()
    model, stages = build(data, replace(config, image_epochs=0, batch=2))
    model.double()
    model.eval()
    batch = next(batches(data, stages[-1], np.random.default_rng(1)))
    inputs = {m: x.double().requires_grad_() for m, x in batch.inputs.items()}

    def total(*of_media: Tensor) -> Tensor:
        given = replace(batch, inputs=dict(zip(inputs, of_media, strict=True)))
        return torch.stack([*stages[-1].players[0].losses(model, given).values()]).sum()

    assert torch.autograd.gradcheck(total, tuple(inputs.values()))


# Stages


def test_what_moves_in_which_stage() -> None:
    model, stages = build(of_pixels(), replace(SMALL, fresh_centers=True))
    expected = {
        "image": {"trunk", "fc"},
        "center": {"trunk", "fc", "characters", "centres.center"},
        "ranking": {"trunk", "fc", "characters", "centres.ranking"},
    }
    assert [stage.name for stage in stages] == list(expected)
    for stage in stages:
        before = state(model)
        train(model, of_pixels(), replace(stage, epochs=1), most=2)
        assert moved(model, before) == expected[stage.name]


def test_centres_stay_the_same_unless_fresh() -> None:
    model, _ = build(of_features(), replace(SMALL, fresh_centers=False))
    assert set(model.centres) == {"center"}
    model, _ = build(of_features(), replace(SMALL, fresh_centers=True))
    assert set(model.centres) == {"center", "ranking"}
    first, second = (model.centres[name].points for name in ("center", "ranking"))
    assert not torch.equal(first, second)


@pytest.mark.parametrize(
    ("constraint", "stages", "terms"),
    [
        (Constraint.CLASSIFICATION, ["image", "classification"], ["classification"]),
        (Constraint.CENTER, ["image", "center"], ["classification", "center"]),
        (
            Constraint.RANKING,
            ["image", "center", "ranking"],
            ["classification", "center", "ranking"],
        ),
    ],
)
def test_constraints_of_table_5(
    constraint: Constraint, stages: list[str], terms: list[str]
) -> None:
    data = of_features()
    model, found = build(data, replace(SMALL, constraint=constraint))
    assert [stage.name for stage in found] == stages
    batch = next(batches(data, found[-1], np.random.default_rng(0)))
    assert list(found[-1].players[0].losses(model, batch)) == terms
    assert ("center" in model.centres) == (constraint is not Constraint.CLASSIFICATION)


def test_a_stage_without_epochs_is_left_out() -> None:
    _, stages = build(of_features(), replace(SMALL, image_epochs=0, center_epochs=0))
    assert [stage.name for stage in stages] == ["ranking"]


def test_centres_move_as_if_their_term_had_no_weight() -> None:
    """The release multiplies their gradient by 1/0.001, in the same SGD with momentum."""
    config = replace(SMALL, constraint=Constraint.CENTER, image_epochs=0, center_epochs=1)
    data = of_features()
    model, (stage,) = build(data, config)
    (player,) = stage.players
    copy, _ = build(data, config)
    groups = [p for group in player.parameters(copy) for p in group["params"]]
    plain = torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum)
    start = copy.centres["center"].points.detach().clone()
    for batch in batches(data, replace(stage, epochs=1), np.random.default_rng(0)):
        plain.zero_grad()
        sum(player.losses(copy, batch).values(), torch.zeros(())).backward()
        gradient = copy.centres["center"].points.grad
        assert gradient is not None
        gradient.mul_(1 / config.center_weight)
        plain.step()
    train(model, data, stage)
    found, expected = (m.centres["center"].points for m in (model, copy))
    torch.testing.assert_close(found, expected)
    assert (expected - start).abs().max() > 1e-3


@pytest.mark.parametrize(("early", "first"), [(False, 3), (True, 2)])
def test_the_rate_is_halved_every_three_epochs(early: bool, first: int) -> None:
    config = replace(SMALL, early_halving=early)
    model, stages = build(of_features(), config)
    for stage in stages:
        (player,) = stage.players
        optimiser = player.optimiser(player.parameters(model))
        assert player.schedule is not None
        schedule = player.schedule(optimiser)
        rates = []
        for _ in range(8):
            rates.append(optimiser.param_groups[0]["lr"])
            optimiser.step()
            schedule.step()
        expected = [0.001] * first + [0.0005] * 3 + [0.00025] * 3
        assert rates == pytest.approx(expected[:8])


# Forms


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("data", [of_pixels, of_features], ids=["pixels", "features"])
def test_tiny_budget(form: Form, data: Callable[[], Dataset], tmp_path: Path) -> None:
    """A whole run, to the file that is submitted."""
    recipe = Recipe.choose("fgcrossnet", form, Budget.TINY)
    run = Run(recipe, data(), tmp_path, Hardware(device=Device.CPU, workers=0))
    run.train()
    with np.load(run.embed()) as submission:
        for medium in MEDIA:
            found = submission[medium]
            assert found.shape == (12, CLASSES)
            assert np.isfinite(found).all()
            assert np.allclose(found.sum(1), 1) == (form is Form.RELEASED)


@pytest.mark.parametrize("backbone", ["vit_b_32", "alexnet"])
def test_a_backbone_of_another_size_of_pictures_is_named(backbone: str) -> None:
    with pytest.raises(InputError, match=r"FG-Y053 .*32 × 32"):
        build(of_pixels(), replace(SMALL, backbone=backbone))


def test_the_papers_form_is_the_default() -> None:
    assert load_form("fgcrossnet", Form.PAPER) == FGCrossNetConfig()


def test_the_released_form_is_otherwise_in_five_choices() -> None:
    released = load_form("fgcrossnet", Form.RELEASED)
    assert {
        f.name: getattr(released, f.name)
        for f in fields(FGCrossNetConfig)
        if getattr(released, f.name) != getattr(FGCrossNetConfig(), f.name)
    } == {
        "sampling": Sampling.SHUFFLED,
        "center_scale": CenterScale.MEAN,
        "fresh_centers": True,
        "ranking": Ranking.BATCH,
        "softmax": True,
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"sampling": Sampling.SHUFFLED},
        {"batch": 0},
        {"ranking_epochs": -1},
        {"halve_every": 0},
        {"center_weight": 0.0},
        {"lr": -1.0},
    ],
)
def test_values_that_cannot_be_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"quadruplets|at least|above 0"):
        replace(FGCrossNetConfig(), **changes)


# Learning


@pytest.mark.parametrize("media", [MEDIA, MEDIA[:3], (Medium.TEXT, Medium.AUDIO)])
def test_it_learns_from_features(media: tuple[Medium, ...]) -> None:
    """A class's items come nearer to each other than to others, across media and on new items."""
    data = of_features(60, media, noise=0.3)
    config = replace(SMALL, width=64, lr=0.01, center_epochs=3, ranking_epochs=3, batch=3)
    model, stages = build(data, config)
    has_images = Medium.IMAGE in media
    assert [s.name for s in stages] == ["image"] * has_images + ["center", "ranking"]
    for stage in stages:
        train(model, data, stage)
    model.eval()
    unit = {}
    for medium in media:
        inputs = torch.from_numpy(data.test[medium].inputs.take(np.arange(60)))
        with torch.no_grad():
            found = FGCrossNet().embed(model, medium, inputs)
        unit[medium] = torch.nn.functional.normalize(found).numpy()
    alike = np.equal.outer(data.test[media[0]].labels, data.test[media[0]].labels)
    for query, gallery in product(media, media):
        if query is not gallery:
            nearest = (unit[query] @ unit[gallery].T).argmax(1)
            assert alike[np.arange(60), nearest].mean() > 0.8  # by chance 0.25


def test_images_as_pixels_beside_features() -> None:
    """A medium that comes as vectors joins the network behind the backbone."""
    pixels, vectors = of_pixels().train, of_features().train
    side = {m: vectors[m] if m is Medium.AUDIO else pixels[m] for m in MEDIA}
    model, stages = build(Dataset(side, side, CLASSES), SMALL)
    assert set(model.streams) == {"audio"}
    batch = next(batches(Dataset(side, side, CLASSES), stages[-1], np.random.default_rng(0)))
    assert isinstance(stages[-1].batches, Quadruplets)
    assert all(term.isfinite() for term in stages[-1].players[0].losses(model, batch).values())


def test_pretrained_weights_are_read_as_training_begins_and_never_again(tmp_path):
    trunk, _ = load_backbone("tiny", "none")
    torch.save(trunk.state_dict(), tmp_path / "weights.pt")
    config = replace(SMALL, weights=str(tmp_path / "weights.pt"))
    data = of_pixels()
    model = FGCrossNet().build(data, config)
    first, *others = FGCrossNet().stages(data, config)
    assert [stage.before for stage in others] == [None] * len(others)
    first.before(model, None)
    for name, value in trunk.state_dict().items():
        assert torch.equal(model.trunk.state_dict()[name], value)
    (tmp_path / "weights.pt").unlink()
    FGCrossNet().build(data, config)
