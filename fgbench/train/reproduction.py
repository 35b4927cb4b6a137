"""A printed table done again: its methods run with several seeds, scored, and set beside it.

::

    OUT/runs/jrl/seed-0          a run's folder, as fgbench baseline run leaves it
    OUT/runs/jrl/seed-0/score    its record, as fgbench score leaves it

Tables share their runs. What was trained is not trained again; scores, which take seconds, are
always taken anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from fgbench.benchmark import Benchmark
from fgbench.errors import FgbenchError, InputError
from fgbench.protocol import MEDIA, tasks
from fgbench.published import MEAN_BIMODAL, MEAN_MULTIMODAL
from fgbench.scoring.score import Result, score
from fgbench.train.dataset import Dataset
from fgbench.train.hardware import Hardware
from fgbench.train.measurement import Measure, measure
from fgbench.train.plan import Planned, obstacles, official
from fgbench.train.run import SUBMISSION, Run
from fgbench.train.taken import as_taken
from fgbench.train.targets import PrintedTable, Target, Verdict, judge

Progress = Callable[[str, float], None]
"""Told what is being done, and the part of the whole that is."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """What a row came to. ``measures``: by task code or name of a mean, over the seeds that ended.

    ``submissions``: their SHA-256 by seed; ``failed``: what was said of the others.
    ``obstacles``: why no figure can be compared with a printed one.
    """

    planned: Planned
    obstacles: tuple[str, ...]
    measures: Mapping[str, Measure] = field(default_factory=dict)
    submissions: Mapping[int, str] = field(default_factory=dict)
    failed: Mapping[int, str] = field(default_factory=dict)

    @property
    def target(self) -> Target:
        return self.planned.target

    @property
    def state(self) -> str:
        """Whether there are figures; else why not."""
        if self.planned.idle:
            return self.planned.idle
        if self.measures:
            return "run"
        return "failed" if self.failed else "not run yet"

    def verdict(self, cell: str) -> Verdict:
        """On one of the printed cells."""
        found = self.measures.get(cell)
        if found is None:
            return Verdict.NOT_MEASURED
        interval = found.ci95 or (found.map, found.map)
        return judge(self.target.printed[cell], interval, "; ".join(self.obstacles))


@dataclass(frozen=True, slots=True)
class Order:
    """Rows by their mean over ``tasks``, all that each of them has: the printed, and ours."""

    tasks: tuple[str, ...]
    printed: tuple[tuple[str, float], ...]
    ours: tuple[tuple[str, float], ...]

    @property
    def same(self) -> bool:
        return [key for key, _ in self.printed] == [key for key, _ in self.ours]


@dataclass(frozen=True, slots=True, eq=False)
class Reproduction:
    """A table done again, on a benchmark, so far."""

    table: PrintedTable
    benchmark: Benchmark
    rows: tuple[Row, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """The table's columns: task codes, then its mean."""
        bimodal = self.table is not PrintedTable.TABLE4
        codes = [task.code for task in tasks(MEDIA) if task.bimodal is bimodal]
        return (*codes, MEAN_BIMODAL if bimodal else MEAN_MULTIMODAL)

    @property
    def complete(self) -> bool:
        """Whether no run failed."""
        return not any(row.failed for row in self.rows)

    @property
    def order(self) -> Order | None:
        """None where the rows that were run have no task in common, or there are none."""
        measured = {row.target.key: row for row in self.rows if row.measures}
        shared = tuple(
            code
            for code in self.cells[:-1]
            if all(code in r.target.printed and code in r.measures for r in measured.values())
        )
        if not measured or not shared:
            return None
        printed = {
            key: float(np.mean([float(row.target.printed[code].value) for code in shared]))
            for key, row in measured.items()
        }
        ours = {
            key: float(np.mean([row.measures[code].map for code in shared]))
            for key, row in measured.items()
        }
        return Order(shared, _ranked(printed), _ranked(ours))


def reproduce(
    table: PrintedTable,
    planned: Sequence[Planned],
    data: Dataset,
    benchmark: Benchmark,
    out: Path,
    hardware: Hardware,
    progress: Progress = lambda doing, part: None,
) -> Iterator[Reproduction]:
    """Runs and scores what is planned; yields what there is before the first run and after each.

    A row whose method does not take such data is left out, and says so. A run that fails is noted
    and the next one begins. Raises ``InputError`` where the call is at
    fault: runs of another recipe or other data in ``out`` (FG-G031), a device that is not there
    (FG-G040, FG-G041), several processes (FG-G061).
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise InputError(
            "FG-G061",
            "a table is done again in one process",
            fix="Start it without torchrun. To train one run in several, call fgbench baseline run "
            "under torchrun with --out OUT/runs/METHOD/seed-N; here it will then be found done.",
        )
    same = official(benchmark)
    planned = [_suited(row, data) for row in planned]
    rows = [Row(row, obstacles(row, data, same)) for row in planned]
    found = Reproduction(table, benchmark, tuple(rows))
    yield found
    total, done = sum(len(row.recipes) for row in planned), 0
    for at, row in enumerate(planned):
        results: dict[int, Result] = {}
        failed: dict[int, str] = {}
        for recipe in row.recipes:
            folder = out / "runs" / row.target.key / f"seed-{recipe.seed}"
            step = _Step(f"{row.target.key}, seed {recipe.seed}", done, total, progress)
            run = Run(recipe, data, folder, hardware)
            try:
                results[recipe.seed] = _score(run, folder, benchmark, step)
            except FgbenchError as error:
                failed[recipe.seed] = str(error)
            done += 1
            rows[at] = _measured(rows[at], results, failed, benchmark)
            found = replace(found, rows=tuple(rows))
            yield found


def _suited(row: Planned, data: Dataset) -> Planned:
    """The row; or, where its method does not take such data, without runs, and why."""
    try:
        for recipe in row.recipes:
            as_taken(data, recipe)
    except InputError as error:
        return replace(row, recipes=(), idle=error.what)
    return row


@dataclass(frozen=True, slots=True)
class _Step:
    """A run among all of them, for the progress."""

    doing: str
    done: int
    total: int
    progress: Progress

    def __call__(self, part: float) -> None:
        self.progress(self.doing, (self.done + part) / self.total)


def _score(run: Run, folder: Path, benchmark: Benchmark, step: _Step) -> Result:
    """The run's score; trains and embeds first, unless that was done."""
    step(0.0)
    submission = folder / SUBMISSION
    if not submission.exists():  # it is written whole, after all else
        run.train(step)
        run.embed()
    result = score(submission, benchmark)
    result.write(folder / "score", force=True)
    return result


def _measured(
    row: Row, results: Mapping[int, Result], failed: Mapping[int, str], benchmark: Benchmark
) -> Row:
    if not results:
        return replace(row, failed=dict(failed))
    printed = row.target.printed
    families = {MEAN_BIMODAL: True, MEAN_MULTIMODAL: False}
    means = {
        name: tuple(t.code for t in tasks(MEDIA) if t.code in printed and t.bimodal is bimodal)
        for name, bimodal in families.items()
        if name in printed
    }
    return replace(
        row,
        measures=measure([*results.values()], benchmark, means),
        submissions={seed: r.record.submission["sha256"] for seed, r in results.items()},
        failed=dict(failed),
    )


def _ranked(means: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(means.items(), key=lambda pair: (-pair[1], pair[0])))
