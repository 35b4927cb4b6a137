"""What a bench measured of a baseline, into the table of baselines."""

from __future__ import annotations

import datetime
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.media.preset import Form
from fgbench.train.method import Budget
from fgbench.train.table import RESULTS, Result, record_results, write_table

if TYPE_CHECKING:
    from floors import Found

BASELINES = Path(__file__).resolve().parents[2] / "baselines"
PLACES = {"--data", "--features", "--out"}
"""Options that say where something lies, which is each reader's own business."""
TASKS = ("i2t", "t2i")
"""Of the two columns that a figure of the table is of."""


def record(name: str, form: Form, budget: Budget, benchmark: str, found: Found) -> None:
    """Put a form's figures into results.csv, and write README.md anew.

    Of a tiny run its seconds; else its MAPs and parameters.
    """
    script, *arguments = sys.argv
    for option in PLACES.intersection(arguments):
        at = arguments.index(option)
        del arguments[at : at + 2]
    command = shlex.join(["python", f"tests/bench/{Path(script).name}", *arguments])
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    rows = [
        Result(name, form, budget, benchmark, figure, seeds, mean, spread, command, today)
        for figure, seeds, mean, spread in _figures(budget, found)
    ]
    record_results(BASELINES / RESULTS, rows)
    write_table(BASELINES)


def _figures(budget: Budget, found: Found) -> Iterator[tuple[str, int, float, float]]:
    """Each figure, over how many seeds, its mean and its spread."""
    seeds = len(found.maps)
    measured = {"seconds": found.seconds}
    if budget is not Budget.TINY:
        measured = dict(zip(TASKS, found.maps.T, strict=True))
        if found.parameters:
            yield "parameters", 1, float(found.parameters), 0.0
    for figure, values in measured.items():
        yield figure, seeds, float(values.mean()), float(values.std(ddof=1)) if seeds > 1 else 0.0
