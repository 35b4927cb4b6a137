"""The trainer's loading alone: rows a second, decoded from the files of a build.

``python tests/bench/loader.py BUILD [--workers 0,1,2] [--steps 20]``

BUILD is a folder of ``fgbench build-data`` with all four media; without it the sample world is
built. Rows are those of FGCrossNet's last stage, at the paper's size: four pictures, one frame of
four videos, four texts and four spectrograms a step. What a training step takes of them on a device
is in ``fgcrossnet_step.py``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

from report import describe_machine, table

from fgbench.baselines.fgcrossnet import FGCrossNet
from fgbench.media.preset import Form
from fgbench.train.forms import load_form
from fgbench.train.loading import Loading, load_stage
from fgbench.train.method import Budget
from fgbench.train.source import dataset


def measure(build: Path, workers: int, steps: int) -> tuple[int, float]:
    """Rows of so many steps, and the seconds that they took once the first step was there."""
    data = dataset(build / "manifests", media_root=build)
    config = load_form("fgcrossnet", Form.PAPER, Budget.FULL, {})
    stage = FGCrossNet().stages(data, config)[-1]
    batches = load_stage(data.train, stage, 0, 0, Loading(workers))
    next(batches)
    start, rows = time.perf_counter(), 0
    for loaded in islice(batches, steps):
        rows += sum(len(labels) for labels in loaded.labels.values())
    seconds = time.perf_counter() - start
    batches.close()
    return rows, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=Path, nargs="?")
    parser.add_argument("--workers", default="0,1,2")
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        build = options.build or Path(made)
        if not options.build:
            command = [sys.executable, "-m", "fgbench", "build-data", "--sample"]
            given = ["--per-class", "12", "--out", str(build)]
            subprocess.run([*command, *given], check=True, capture_output=True)
        lines = []
        for workers in map(int, options.workers.split(",")):
            rows, seconds = measure(build, workers, options.steps)
            lines.append([str(workers), str(rows), f"{seconds:.1f}", f"{rows / seconds:.0f}"])
    print("\n".join(f"- {name}: {value}" for name, value in describe_machine().items()), end="\n\n")
    print("\n".join(table(["processes", "rows", "s", "rows a second"], lines)))


if __name__ == "__main__":
    main()
