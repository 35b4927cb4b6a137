"""``fgbench baseline reproduce``: a printed table done again, and a report that compares."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fgbench.benchmark import load_benchmark
from fgbench.cli._baseline_options import (
    budget_option,
    data_options,
    form_option,
    hardware_options,
    open_dataset,
    usual_budget,
)
from fgbench.cli._progress import Bar
from fgbench.media.preset import Form
from fgbench.train.hardware import Device, Hardware, Precision
from fgbench.train.method import Budget, Kind
from fgbench.train.targets import PrintedTable

if TYPE_CHECKING:
    from fgbench.train.reproduction import Reproduction


@click.command("reproduce")
@click.argument("table", type=click.Choice([t.value for t in PrintedTable]))
@data_options
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Runs and report. What was run is not run again; tables share their runs.",
)
@click.option(
    "--methods", metavar="NAME,…", help="Only these rows of the table. Default: all that are here."
)
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="Runs each.")
@form_option
@budget_option
@hardware_options
def reproduce(
    table: str,
    out: Path,
    methods: str | None,
    seeds: int,
    form: str,
    budget: str | None,
    device: str,
    precision: str,
    workers: int | None,
    as_json: bool,
    **data: Any,
) -> None:
    """Do TABLE of the benchmark's paper again: table3, table4, or table5, FGCrossNet's ablation.

    Trains and scores every method of it that is here, and writes OUT/TABLE.html, .md and .json:
    the paper's value, ours, its 95 % interval, a verdict by a written rule, and what is done
    otherwise. Exit code 3 where a run failed; the others are in the report.
    """
    from fgbench.train.plan import plan
    from fgbench.train.reproduction import reproduce as run_all
    from fgbench.train.reproduction_report import describe, render_report, write_report

    chosen = PrintedTable(table)
    hardware = Hardware(Device(device), Precision(precision), workers=workers)
    planned = plan(
        chosen,
        Form(form),
        lambda name: Budget(budget) if budget else usual_budget(name, Device(device)),
        seeds,
        [key.strip() for key in methods.split(",")] if methods else None,
    )
    takes = {recipe.method.facts.takes for row in planned for recipe in row.recipes}
    opened = open_dataset(Form(form), **data, parts=Kind.PARTS in takes)
    benchmark = load_benchmark(data["benchmark"], data["split_column"])
    with Bar(chosen.heading) as bar:
        for found in run_all(
            chosen,
            planned,
            opened,
            benchmark,
            out,
            hardware,
            lambda doing, part: bar(part),
        ):
            render_report(found)  # a package that it lacks is told of before the first run
    written = write_report(found, out)
    if as_json:
        click.echo(json.dumps(describe(found), ensure_ascii=False, indent=1))
    else:
        Console().print(to_text(found, written))
    if not found.complete:
        sys.exit(3)


def to_text(found: Reproduction, written: tuple[Path, ...]) -> RenderableType:
    """A line a method, what failed, and where the report lies."""
    reasons = dict.fromkeys(reason for row in found.rows for reason in row.obstacles)
    failed = [
        Padding(Text(f"{row.target.key}, seed {seed} failed:\n{said}"), (1, 2, 0, 2))
        for row in found.rows
        for seed, said in row.failed.items()
    ]
    return Group(
        Padding(_table(found), (1, 2)),
        *(Text(f"  Not comparable: {reason}.", "yellow") for reason in reasons),
        *failed,
        Padding(Text(f"Report: {written[0]}, .md, .json"), (1, 2)),
    )


def _table(found: Reproduction) -> Table:
    """Each method's mean over the tasks that all have, and how many cells have each verdict."""
    from fgbench.published import digits
    from fgbench.train.reproduction_report import TITLES

    order = found.order
    paper, ours = (dict(order.printed), dict(order.ours)) if order else ({}, {})
    table = Table(box=None, pad_edge=False, header_style="bold", caption_justify="left")
    for header in ("method", "runs", "paper", "ours", "verdicts"):
        table.add_column(header, justify="right" if header in ("paper", "ours") else "left")
    for row in found.rows:
        key = row.target.key
        counts = Counter(row.verdict(cell).value for cell in row.target.printed)
        verdicts = ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
        table.add_row(
            Text(row.target.name),
            str(len(row.submissions)) if row.submissions else Text(row.state, "dim"),
            digits(paper[key]) if key in paper else "–",
            digits(ours[key]) if key in ours else "–",
            verdicts if row.submissions else "",
        )
    if order:
        table.caption = f"mean over {', '.join(TITLES[code] for code in order.tasks)}"
    return table
