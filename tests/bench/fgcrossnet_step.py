"""FGCrossNet's training step beside a plain float32 one of the released code, on one device.

``python tests/bench/fgcrossnet_step.py [--rows 4,16,32] [--steps 20] [--turns 3]``

A step: forward, terms, gradients and update of the last stage, with all three constraints, at the
size of the paper (ResNet50, 448 × 448, 200 classes) and with weights drawn at random. Rows are
those of each of four media: 4 make the 16 items of the paper. Ours is the trainer's own step, from
bytes on the device, checks included; the plain one is rebuilt here: float32, without TF32,
pictures normalised beforehand, every term as the released code writes it. Nothing is loaded from a
disk. Ways take turns; the median turn counts. The share is of the rate of a bfloat16 product of
``--product`` rows and columns, measured in the same run, and counts the multiplications of
convolutions and products, twice each, as torch's own counter does.

On a CPU, to see that it works: ``--backbone tiny --side 64 --rows 1,2 --steps 2 --turns 1
--product 256``.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from report import describe_machine, installed, table
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode

from fgbench.baselines.fgcrossnet import FGCrossNet, FGCrossNetConfig
from fgbench.media.backbone import load_backbone
from fgbench.media.preset import Form
from fgbench.protocol import MEDIA, Medium
from fgbench.train.dataset import Dataset, Items, Places
from fgbench.train.forms import load_form
from fgbench.train.hardware import Hardware, Precision
from fgbench.train.learner import Learner, Losses
from fgbench.train.machine import Machine
from fgbench.train.method import Batch
from fgbench.train.uniform import Characters

CLASSES = 200
PACKAGES = ("torch", "torchvision", "accelerate")


@dataclass(frozen=True)
class Made:
    """Inputs made up on demand."""

    shape: tuple[int, ...]

    def __len__(self) -> int:
        return 2 * CLASSES

    def take(self, places: Places, rng: np.random.Generator | None = None) -> NDArray[Any]:
        rng = rng or np.random.default_rng(0)
        if len(self.shape) == 1:
            return rng.integers(0, 69, (len(places), *self.shape))
        return rng.integers(0, 256, (len(places), *self.shape), np.uint8)


@dataclass(frozen=True)
class Way:
    """A step that can be taken again and again, of so many items."""

    name: str
    items: int
    step: Callable[[], None]


class PlainStep:
    """The released step: one network, CE of each medium + 0.001 · center + 0.1 · ranking."""

    def __init__(self, backbone: str, side: int, batch: Batch, device: torch.device) -> None:
        self.trunk, width = load_backbone(backbone, "none")
        self.text, self.fc = Characters(side), nn.Linear(width, CLASSES)
        self.centers = nn.Parameter(torch.randn(CLASSES, CLASSES))
        parts = nn.ModuleList([self.trunk, self.text, self.fc])
        parts.register_parameter("centers", self.centers)
        parts.to(device).train()
        self.optimiser = torch.optim.SGD(parts.parameters(), lr=0.001, momentum=0.9)
        self.batch = batch

    def __call__(self) -> None:
        inputs, labels = self.batch.inputs, self.batch.labels
        pictures = [self.text(x) if m is Medium.TEXT else x for m, x in inputs.items()]
        outputs = self.fc(self.trunk(torch.cat(pictures)))
        classes = torch.cat([*labels.values()])
        parts = zip(outputs.split([len(x) for x in inputs.values()]), labels.values(), strict=True)
        entropy = sum(cross_entropy(rows, y) for rows, y in parts)
        loss = entropy + 0.001 * self._center(outputs, classes) + 0.1 * _ranking(outputs, classes)
        self.optimiser.zero_grad()
        loss.backward()
        assert self.centers.grad is not None
        self.centers.grad.mul_(1 / 0.001)
        self.optimiser.step()
        loss.item()  # each step prints its loss

    def _center(self, x: Tensor, y: Tensor) -> Tensor:
        squares = x.pow(2).sum(1, keepdim=True) + self.centers.pow(2).sum(1)
        apart = squares.addmm(x, self.centers.t(), beta=1, alpha=-2)
        mask = y[:, None] == torch.arange(CLASSES, device=y.device)
        return (apart * mask.float()).clamp(min=1e-12, max=1e12).sum() / len(x)


def _ranking(x: Tensor, y: Tensor) -> Tensor:
    """One hinge over all quadruples of distinct rows, the mean of those above 0."""
    product = x @ x.t()
    square = product.diag()
    apart = (square[:, None] - 2 * product + square).clamp(min=0)
    zero = (apart == 0).float()
    apart = (apart + zero * 1e-16).sqrt() * (1 - zero)
    first = apart[:, :, None, None] - apart[:, None, :, None] + 1
    second = apart[:, :, None, None] - apart[None, None, :, :] + 0.5
    other = ~torch.eye(len(x), dtype=torch.bool, device=x.device)
    alike = y[:, None] == y
    valid = (
        (other & alike)[:, :, None, None]
        & (other & ~alike)[:, None, :, None]
        & (other & ~alike)[:, None, None, :]
        & (other & ~alike)[None, None, :, :]
    )
    hinge = ((first + second) * valid.float()).clamp(min=0)
    return hinge.sum() / ((hinge > 1e-16).float().sum() + 1e-16)


def make_data(side: int) -> Dataset:
    shapes = dict.fromkeys(MEDIA, (3, side, side)) | {Medium.TEXT: (448,)}
    labels = np.arange(2 * CLASSES) % CLASSES
    ids = labels.astype(str)
    items = {medium: Items(ids, labels, Made(shape)) for medium, shape in shapes.items()}
    return Dataset(items, items, CLASSES)


def draw_batch(data: Dataset, config: FGCrossNetConfig, machine: Machine) -> Batch:
    """The first batch of the last stage: bytes and indices, on the device."""
    stage = FGCrossNet().stages(data, config)[-1]
    places = next(stage.batches(data.train, np.random.default_rng(0)))

    def on_device(array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(machine.device)

    inputs = {m: on_device(data.train[m].inputs.take(p)) for m, p in places.items()}
    labels = {m: on_device(data.train[m].labels[p]) for m, p in places.items()}
    return Batch(inputs, labels, 0.0, machine.gather)


def make_ours(data: Dataset, config: FGCrossNetConfig, hardware: Hardware) -> Way:
    machine = Machine(hardware, pixels=True)
    torch.manual_seed(0)
    model = FGCrossNet().build(data, config)
    machine.adopt(model)
    model.train()
    (player,) = FGCrossNet().stages(data, config)[-1].players
    learner = Learner(player, model, machine)
    losses = machine.accelerator.prepare_model(Losses(model))
    stored = draw_batch(data, config, machine)

    def check(figures: Mapping[str, float]) -> None:
        assert all(map(math.isfinite, figures.values()))

    def step() -> None:
        inputs = {medium: machine.place(x) for medium, x in stored.inputs.items()}
        learner.update(losses, [replace(stored, inputs=inputs)], check)

    compiled = ", compiled" if hardware.compiled else ""
    name = f"ours, {config.ranking} ranking, {machine.precision}{compiled}"
    return Way(name, sum(map(len, stored.labels.values())), step)


def make_plain(data: Dataset, config: FGCrossNetConfig, side: int, *, tf32: bool) -> Way:
    machine = Machine(Hardware(precision=Precision.OFF), pixels=True)
    stored = draw_batch(data, config, machine)
    inputs = {medium: machine.place(x).contiguous() for medium, x in stored.inputs.items()}
    plain = PlainStep(config.backbone, side, replace(stored, inputs=inputs), machine.device)

    def step() -> None:
        with convolutions(tf32=tf32):
            plain()

    name = "plain, as torch's default (TF32 convolutions)" if tf32 else "plain, float32"
    return Way(name, sum(map(len, stored.labels.values())), step)


@contextmanager
def convolutions(*, tf32: bool) -> Iterator[None]:
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = tf32
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def clock(work: Callable[[], object], times: int) -> float:
    """Seconds each."""
    wait = torch.cuda.synchronize if torch.cuda.is_available() else lambda: None
    wait()
    start = time.perf_counter()
    for _ in range(times):
        work()
    wait()
    return (time.perf_counter() - start) / times


def measure_product(size: int, turns: int) -> float:
    """Operations a second of a bfloat16 product, two for each multiplication; the fastest turn."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    a, b = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    clock(lambda: a @ b, 3)
    return 2 * size**3 / min(clock(lambda: a @ b, 20) for _ in range(max(turns, 3)))


def count_operations(data: Dataset, config: FGCrossNetConfig) -> float:
    """Of a step, for each item; forward and backward."""
    torch.manual_seed(0)
    model = FGCrossNet().build(data, config)
    rows = {m: torch.from_numpy(data.train[m].inputs.take(np.zeros(2, int))) for m in MEDIA}
    inputs = {m: x if m is Medium.TEXT else x.float() for m, x in rows.items()}
    with FlopCounterMode(display=False) as counter:
        torch.cat([*model(inputs).values()]).sum().backward()
    return counter.get_total_flops() / sum(map(len, rows.values()))


def make_ways(options: argparse.Namespace, data: Dataset) -> list[Way]:
    """The plain step at the size of the released code, then ours."""
    sizes = [int(rows) for rows in options.rows.split(",")]
    own = {"backbone": options.backbone, "weights": "none"}
    paper, released = (replace(load_form("fgcrossnet", form), **own) for form in Form)
    first = replace(released, batch=sizes[0])
    ways = [make_plain(data, first, options.side, tf32=tf32) for tf32 in (False, True)]
    for precision, compiled in (
        (Precision.OFF, False),
        (Precision.BF16, False),
        (Precision.BF16, True),
    ):
        hardware = Hardware(precision=precision, compiled=compiled)
        ways.append(make_ours(data, first, hardware))
        ways += [make_ours(data, replace(paper, batch=rows), hardware) for rows in sizes]
    return ways


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="resnet50")
    parser.add_argument("--side", type=int, default=448)
    parser.add_argument("--rows", default="4,16,32", help="of each of the four media")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--product", type=int, default=8192)
    options = parser.parse_args()
    card = (
        torch.cuda.get_device_name() if torch.cuda.is_available() else "none: figures mean little"
    )
    machine = {
        **describe_machine(),
        "card": card,
        "packages": ", ".join(f"{name} {installed(name)}" for name in PACKAGES),
    }
    # A run has one size of batch; else what is compiled second would be compiled for any size.
    torch._dynamo.config.automatic_dynamic_shapes = False
    data = make_data(options.side)
    own = replace(FGCrossNetConfig(), backbone=options.backbone, weights="none")
    each = count_operations(data, own)
    rate = measure_product(options.product, options.turns)
    ways = make_ways(options, data)
    for way in ways:
        clock(way.step, 3)  # kernels are chosen and compiled
    taken = [[clock(way.step, options.steps) for way in ways] for _ in range(options.turns)]
    rows = []
    for number, way in enumerate(ways):
        speed = way.items / median(turn[number] for turn in taken)
        beside = median(way.items / turn[number] / (ways[0].items / turn[0]) for turn in taken)
        share = f"{speed * each / rate:.1%}"
        rows.append([way.name, str(way.items), f"{speed:,.1f}", f"{beside:.1f}×", share])
    print(*(f"- {name}: {value}" for name, value in machine.items()), sep="\n")
    print(f"- bfloat16 product, {options.product}²: {rate / 1e12:,.2f} TFLOP/s")
    print(f"- a step at {options.side}²: {each / 1e9:,.2f} GFLOP an item", "", sep="\n")
    head = ("step", "items", "items a second", "÷ plain float32", "of the product's rate")
    print(*table(head, rows), sep="\n")


if __name__ == "__main__":
    main()
