"""``fgbench baseline``: the reference systems, trained and embedded into a submission."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fgbench.benchmark import DEFAULT
from fgbench.cli._baseline_options import (
    budget_option,
    data_options,
    form_option,
    hardware_options,
    is_first,
    open_dataset,
    usual_budget,
)
from fgbench.cli._folder import LocalFolder
from fgbench.cli._progress import Bar
from fgbench.cli._reproduce import reproduce
from fgbench.errors import InputError
from fgbench.media.preset import Form
from fgbench.train.hardware import Device, Hardware, Precision
from fgbench.train.method import Budget, Facts, Kind
from fgbench.train.registry import names, read_facts

if TYPE_CHECKING:
    from fgbench.train.recipe import Recipe
    from fgbench.train.run import Run


@click.group("baseline")
def command() -> None:
    """Train and run the reference systems, and those of other packages."""


command.add_command(reproduce)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_baselines(as_json: bool) -> None:
    """The methods that there are. Needs no torch."""
    found: list[Facts] = []
    broken: list[InputError] = []
    for name in names():
        try:
            found.append(read_facts(name))
        except InputError as error:
            broken.append(error)
    if as_json:
        click.echo(json.dumps([_plain(facts) for facts in found], ensure_ascii=False, indent=2))
    else:
        Console().print(_table(found))
    for fault in broken:
        click.echo(f"\n{fault}\n", err=True)
    if broken:
        sys.exit(3)


def _training_options(function: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(
        [
            click.option(
                "--out",
                required=True,
                type=LocalFolder(),
                help="The run's folder. An interrupted run goes on.",
            ),
            form_option,
            budget_option,
            click.option(
                "--set", "settings", metavar="KEY=VALUE", multiple=True, help="Another choice."
            ),
            click.option("--seed", type=click.IntRange(0), default=0, show_default=True),
            click.option(
                "--slices",
                type=click.IntRange(1),
                default=1,
                show_default=True,
                help="Cut each step's rows, for less memory.",
            ),
            click.option("--compile", "compiled", is_flag=True, help="Use torch.compile."),
        ]
    ):
        function = option(function)
    return function


@command.command("run")
@click.argument("name")
@data_options
@_training_options
@hardware_options
def run(as_json: bool, **options: Any) -> None:
    """Train the method NAME and embed the test items: RUN/submission.npz."""
    made = _open_new(**options)
    with Bar("Training") as bar:
        made.train(_first(bar))
    submission = made.embed()
    _tell(options["out"], submission, options["benchmark"], as_json)


@command.command("train")
@click.argument("name")
@data_options
@_training_options
@hardware_options
def train(as_json: bool, **options: Any) -> None:
    """Train the method NAME, and no more: fgbench baseline embed does the rest."""
    with Bar("Training") as bar:
        _open_new(**options).train(_first(bar))
    _tell(options["out"], None, options["benchmark"], as_json)


@command.command("embed")
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@data_options
@hardware_options
def embed(folder: Path, as_json: bool, **options: Any) -> None:
    """Embed the test items with what was trained in the folder RUN: RUN/submission.npz."""
    from fgbench.train.recipe import Recipe

    submission = _open(Recipe.read(folder), folder, **options).embed()
    _tell(folder, submission, options["benchmark"], as_json)


def _open_new(
    name: str,
    form: str,
    budget: str | None,
    settings: tuple[str, ...],
    seed: int,
    out: Path,
    **options: Any,
) -> Run:
    from fgbench.train.recipe import Recipe

    chosen = Budget(budget) if budget else usual_budget(name, Device(options["device"]))
    return _open(Recipe.choose(name, Form(form), chosen, _pairs(settings), seed), out, **options)


def _open(
    recipe: Recipe,
    out: Path,
    device: str,
    precision: str,
    workers: int | None,
    slices: int = 1,
    compiled: bool = False,
    **data: Any,
) -> Run:
    from fgbench.train.run import Run

    hardware = Hardware(Device(device), Precision(precision), slices, compiled, workers)
    opened = open_dataset(recipe.form, **data, parts=recipe.method.facts.takes is Kind.PARTS)
    return Run(recipe, opened, out, hardware)


def _pairs(settings: tuple[str, ...]) -> dict[str, str]:
    wrong = [text for text in settings if "=" not in text]
    if wrong:
        raise click.UsageError(f"--set wants KEY=VALUE, not {', '.join(wrong)}.")
    return {key.strip(): value for key, _, value in (s.partition("=") for s in settings)}


def _first(bar: Bar) -> Callable[[float], None]:
    return bar if is_first() else lambda part: None


def _tell(folder: Path, submission: Path | None, benchmark: str, as_json: bool) -> None:
    if not is_first():
        return
    if as_json:
        described: dict[str, Any] = json.loads((folder / "run.json").read_text("utf-8"))
        places = {"out": str(folder), "submission": str(submission) if submission else None}
        click.echo(json.dumps({**places, **described}, ensure_ascii=False, indent=2))
        return
    option = "" if benchmark == DEFAULT else f" --benchmark {benchmark}"
    if submission:
        click.echo(f"\n  Written: {submission}\n  Score it: fgbench score {submission}{option}\n")
    else:
        click.echo(f"\n  Trained: {folder}\n  Then: fgbench baseline embed {folder}{option} …\n")


def _plain(facts: Facts) -> dict[str, Any]:
    return {
        name: dict(value) if isinstance(value, Mapping) else value
        for name in Facts.__slots__
        for value in [getattr(facts, name)]
    }


def _table(found: list[Facts]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for header in ("Name", "Year", "Learns", "Media", "Takes", "Source"):
        table.add_column(header, no_wrap=header != "Source")
    for facts in found:
        row = (facts.name, str(facts.year), facts.learns, facts.scope, facts.takes, facts.source)
        table.add_row(*map(Text, row))
    return table
