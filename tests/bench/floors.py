"""What a method reaches on two sets of real features, beside what a sound one must reach.

``python tests/bench/floors.py NAME [--form paper] [--data DIR] [--sets wikipedia,digits]
[--seeds 5] [--budget full] [--set key=value …]``

Each seed is a run as ``fgbench baseline run`` makes it: trained, embedded, submitted and scored.
The floors were measured with other implementations of the same methods, before these were written:
their mean over seeds, less three standard deviations or .015. They hold for a form as it stands;
with ``--set`` the same floors are shown, and what was changed. A mean below its floor: exit code 1.
``--held-out`` trains on four fifths of the training items and scores the rest, to choose by; then
there are no floors. ``--record`` puts what a form as it stands comes to on Wikipedia into the table
of baselines, baselines/results.csv and README.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from record import record
from report import describe_machine, table

import fgbench
from fgbench.media.preset import Form
from fgbench.train.dataset import Dataset
from fgbench.train.hardware import Device, Hardware
from fgbench.train.method import Budget
from fgbench.train.recipe import Recipe
from fgbench.train.run import Run
from fgbench.train.source import dataset, hold_out

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "integration"))
from feature_benchmarks import READERS, write_benchmark  # noqa: E402

CELLS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "wikipedia": {"I→T": ("i2t",), "T→I": ("t2i",)},
    "digits": {"I–T": ("i2t", "t2i"), "I–V": ("i2v", "v2i"), "T–V": ("t2v", "v2t")},
}
"""The figures of each set, and the tasks that each is the mean of."""

FLOORS: Mapping[tuple[str, Form, str], tuple[float | None, ...]] = {
    ("jrl", Form.PAPER, "wikipedia"): (0.300, 0.215),
    ("jrl", Form.PAPER, "digits"): (0.72, 0.71, 0.85),
    ("jrl", Form.RELEASED, "wikipedia"): (0.315, 0.235),
    ("jrl", Form.RELEASED, "digits"): (0.76, 0.755, 0.90),
    ("acmr", Form.PAPER, "wikipedia"): (0.270, 0.205),
    ("acmr", Form.PAPER, "digits"): (0.73, 0.715, 0.89),
    ("mhtn", Form.PAPER, "wikipedia"): (0.250, 0.185),
    ("mhtn", Form.PAPER, "digits"): (0.77, 0.78, 0.935),
    ("gsph", Form.PAPER, "wikipedia"): (0.278, 0.220),
    ("gsph", Form.PAPER, "digits"): (0.78, 0.79, 0.95),
    ("gsph bits=16", Form.PAPER, "wikipedia"): (0.240, 0.195),
    ("gsph bits=16", Form.PAPER, "digits"): (0.76, 0.77, 0.94),
    ("gsph bits=32", Form.PAPER, "wikipedia"): (0.265, 0.210),
    ("cmdn", Form.PAPER, "wikipedia"): (0.235, 0.175),
    ("cmdn", Form.PAPER, "digits"): (0.70, None, None),
    ("uncsm", Form.PAPER, "wikipedia"): (0.277, 0.207),
    ("uncsm", Form.PAPER, "digits"): (0.736, 0.745, 0.886),
    ("uncsm score=cosine", Form.PAPER, "wikipedia"): (0.240, 0.170),
    ("uncsm score=cosine", Form.PAPER, "digits"): (0.63, None, None),
    ("cmgans", Form.PAPER, "wikipedia"): (0.200, 0.155),
    ("cmgans", Form.PAPER, "digits"): (0.73, 0.76, 0.92),
    ("ccl", Form.PAPER, "wikipedia"): (0.260, 0.195),
    ("ccl", Form.PAPER, "digits"): (0.68, None, 0.85),
}
"""In the order of the cells. ACMR's last two were measured at 200 dimensions, which do worse; those
of GSPH's 128 bits at 64 and, on digits, at 32, which do worse too. UNCSM's metric reached .158 and
.124, and .68, elsewhere: its floors are of these very runs, when they were first made."""


@dataclass(frozen=True)
class Setting:
    """What is run on each set."""

    name: str
    form: Form
    budget: Budget
    overrides: Mapping[str, str]

    def floors(self, benchmark: str) -> tuple[float | None, ...]:
        """Those of just these choices, or else of the form; none where nobody measured any."""
        changed = " ".join(f"{name}={value}" for name, value in self.overrides.items())
        form = (self.name, self.form, benchmark)
        return FLOORS.get((f"{self.name} {changed}", *form[1:]), FLOORS.get(form, ()))


@dataclass(frozen=True)
class Found:
    """What runs came to: ``maps`` [seeds, cells], ``seconds`` of each, scoring left out."""

    maps: np.ndarray
    seconds: np.ndarray
    parameters: int | None


def main() -> int:
    asked, machine = _arguments(), describe_machine()
    setting = Setting(asked.name, asked.form, asked.budget, dict(asked.set))
    rows, sound = [], True
    for benchmark in asked.sets.split(","):
        with tempfile.TemporaryDirectory() as folder:
            data, scored = prepare(benchmark, asked.data, Path(folder), held_out=asked.held_out)
            ran = run_seeds(setting, CELLS[benchmark], data, scored, asked.seeds)
        if asked.record and benchmark == "wikipedia":
            record(setting.name, setting.form, setting.budget, benchmark, ran)
        found = ran.maps
        floors = () if asked.held_out else setting.floors(benchmark)
        for at, cell in enumerate(CELLS[benchmark]):
            mean, spread = found[:, at].mean(), found[:, at].std(ddof=1) if len(found) > 1 else 0.0
            floor = floors[at] if floors else None
            sound &= floor is None or mean >= floor
            verdict = "–" if floor is None else "reached" if mean >= floor else "MISSED"
            shown = f"{floor:.3f}" if floor is not None else "–"
            figures = f"{mean:.3f} ± {spread:.3f}"
            rows.append([benchmark, cell, figures, shown, verdict, f"{ran.seconds.mean():.1f}"])
    changed = " ".join(f"{name}={value}" for name, value in setting.overrides.items())
    print(
        f"{asked.name}, form {asked.form}, budget {asked.budget}, {asked.seeds} seeds {changed}\n"
    )
    print("\n".join(table(["set", "task", "MAP", "floor", "", "s a run"], rows)), "\n")
    print("\n".join(f"{what}: {said}" for what, said in machine.items()))
    return 0 if sound else 1


def prepare(
    name: str, real_data: Path, folder: Path, *, held_out: bool
) -> tuple[Dataset, fgbench.benchmark.Benchmark]:
    """The data set to learn from, and the benchmark that its test items are scored against."""
    written = write_benchmark(name, real_data, folder / name)
    data = dataset(written.benchmark, written.features)
    if not held_out:
        return data, fgbench.load_benchmark(written.benchmark)
    data = hold_out(data)
    where = folder / "held-out"
    where.mkdir()
    for medium, items in data.test.items():
        columns = {
            "item_id": items.ids.tolist(),
            "medium": [medium.value] * len(items),
            "label": items.labels,
            "split": ["test"] * len(items),
        }
        pq.write_table(pa.table(columns), where / f"{medium}.parquet")
    return data, fgbench.load_benchmark(where)


def run_seeds(
    setting: Setting,
    cells: Mapping[str, tuple[str, ...]],
    data: Dataset,
    benchmark: fgbench.benchmark.Benchmark,
    seeds: int,
) -> Found:
    """Train, embed, submit and score with each seed; a cell is the mean over its tasks."""
    found, seconds, parameters = [], [], None
    for seed in range(seeds):
        recipe = Recipe.choose(setting.name, setting.form, setting.budget, setting.overrides, seed)
        with tempfile.TemporaryDirectory() as out:
            since = time.perf_counter()
            run = Run(recipe, data, Path(out), Hardware(device=Device.CPU))
            run.train()
            submission = run.embed()
            seconds.append(time.perf_counter() - since)
            scores = fgbench.score(submission, benchmark, draws=2).record.scores
            with fgbench.read_submission(submission) as written:
                parameters = written.meta["parameters"]
        maps = {task: score.map for task, score in scores.items()}
        found.append([np.mean([maps[t] for t in tasks]) for tasks in cells.values()])
        print(setting.name, seed, np.round(found[-1], 4), file=sys.stderr)
    return Found(np.array(found), np.array(seconds), parameters)


def _arguments() -> argparse.Namespace:
    here = HERE.parents[1].parent / "shared" / "data"
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", choices=sorted({name.partition(" ")[0] for name, _, _ in FLOORS}))
    parser.add_argument("--form", type=Form, default=Form.PAPER)
    parser.add_argument("--budget", type=Budget, default=Budget.FULL)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("FGBENCH_REAL_DATA", here))
    )
    parser.add_argument("--sets", default=",".join(READERS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], type=lambda text: text.split("=", 1))
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    if asked.record and (asked.set or asked.held_out):
        parser.error("--record is for a form as it stands, on the test items")
    return asked


if __name__ == "__main__":
    raise SystemExit(main())
