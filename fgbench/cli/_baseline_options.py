"""Options that the verbs of ``fgbench baseline`` share, and what they mean."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fgbench.benchmark import DEFAULT
from fgbench.media.preset import PRESETS, Form
from fgbench.train.hardware import Device, Precision
from fgbench.train.method import Budget
from fgbench.train.registry import load

if TYPE_CHECKING:
    from fgbench.train.dataset import Dataset


form_option = click.option(
    "--form",
    type=click.Choice([f.value for f in Form]),
    default=Form.PAPER.value,
    show_default=True,
    help="As the paper says, or as the released code does.",
)
budget_option = click.option(
    "--budget",
    type=click.Choice([b.value for b in Budget]),
    help="How long a method is trained. Default: cpu where there is no card, else full.",
)


def data_options(function: Callable[..., None]) -> Callable[..., None]:
    """What is learned from: the arguments of :func:`open_dataset`."""
    for option in reversed(
        [
            click.option("--benchmark", metavar="ID|FOLDER", default=DEFAULT, show_default=True),
            click.option("--split-column", metavar="NAME", help="Which column says train or test."),
            click.option(
                "--features",
                metavar="DIR|URL",
                help="A folder of feature files, as fgbench features writes, or s3://bucket/name.",
            ),
            click.option(
                "--media-root",
                type=click.Path(path_type=Path),
                help="Where the benchmark's media lie. Default: a build's own folder.",
            ),
            click.option(
                "--side", type=click.IntRange(16, 448), help="Pictures' side in pixels, for 448."
            ),
        ]
    ):
        function = option(function)
    return function


def hardware_options(function: Callable[..., None]) -> Callable[..., None]:
    """What is computed on, and ``--json``."""
    for option in reversed(
        [
            click.option(
                "--device",
                type=click.Choice([d.value for d in Device]),
                default=Device.AUTO.value,
                show_default=True,
            ),
            click.option(
                "--precision",
                type=click.Choice([p.value for p in Precision]),
                default=Precision.AUTO.value,
                show_default=True,
                help="auto: bf16 where pictures go through a card that can, else off.",
            ),
            click.option("--workers", type=click.IntRange(0), help="Processes that load items."),
            click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
        ]
    ):
        function = option(function)
    return function


def open_dataset(
    form: Form,
    benchmark: str,
    split_column: str | None,
    features: str | None,
    media_root: Path | None,
    side: int | None,
    *,
    parts: bool,
) -> Dataset:
    """What the options name; media are decoded the form's way, features with parts if so asked.

    Raises what ``dataset`` raises.
    """
    from fgbench.train.source import dataset

    if features and media_root:
        raise click.UsageError("Name --features or --media-root, not both.")
    preset = PRESETS[form]
    return dataset(
        benchmark,
        features,
        media_root,
        split_column,
        preset.at_side(side) if side else preset,
        note=lambda text: click.echo(text, err=True) if is_first() else None,
        parts=parts,
    )


def usual_budget(name: str, device: Device) -> Budget:
    """By whether a card will be used; a closed form takes as long as it takes."""
    if hasattr(load(name), "fit"):
        return Budget.FULL
    import torch

    card = torch.cuda.is_available() and device is not Device.CPU
    return Budget.FULL if card else Budget.CPU


def is_first() -> bool:
    """Of the processes that torchrun started, one speaks."""
    return os.environ.get("RANK", "0") == "0"
