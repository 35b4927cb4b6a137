"""Methods that take parts on real pictures and texts: ten classes of birds and their captions.

``OMP_NUM_THREADS=1 python tests/bench/captions.py NAME [--form paper] [--data DIR] [--seeds 5]
[--budget full] [--features DIR] [--side 224] [--set key=value …] [--held-out] [--record]``

Images are those of CUB-200-2011's classes 1 to 10 with their official split; a text is five
captions of an image (Reed et al., CVPR 2016), on its image's side. Features and parts are made by
``fgbench features``: 3 × 3 regions of EfficientNet-Lite0 with weights of ImageNet, and the first 60
words of the texts: fewer than the 36 and 96 that are usual, for a CPU. With ``--features`` they are
kept there. Each seed is a run as ``fgbench baseline run`` makes it. ``--held-out`` scores a part of
the training items, to choose by. ``--record`` puts what comes of it into the table of baselines;
epochs may be other ones than the budget's then, which are meant for more items than these 600.

Exit code 1 where a direction is not at least half above a random order in the mean over seeds.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from floors import Setting, run_seeds
from real_birds import BACKBONE, write_weights
from record import record
from report import describe_machine, table

import fgbench
from fgbench.media.preset import Form
from fgbench.scoring.chance import expected_map
from fgbench.train.method import Budget
from fgbench.train.registry import names
from fgbench.train.source import dataset
from fgbench.train.table import CAPTIONS

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "integration"))
from bird_benchmark import BirdBenchmark, Texts, write_birds  # noqa: E402

CELLS = {"I→T": ("i2t",), "T→I": ("t2i",)}
ENOUGH = 1.5
"""Times a random order."""


def main() -> int:
    asked, machine = _arguments(), describe_machine()
    setting = Setting(asked.name, asked.form, asked.budget, dict(asked.set))
    with tempfile.TemporaryDirectory() as scratch:
        birds = write_birds(
            asked.data, Path(scratch) / "birds", Texts.CAPTIONS, held_out=asked.held_out
        )
        features = asked.features or Path(scratch) / "features"
        if asked.features and asked.held_out:
            features = features.with_name(f"{features.name}-held-out")
        extract(birds, features, asked.side)
        data = dataset(birds.benchmark, features, parts=True)
        benchmark = fgbench.load_benchmark(birds.benchmark)
        found = run_seeds(setting, CELLS, data, benchmark, asked.seeds)
    if asked.record:
        record(setting.name, setting.form, setting.budget, CAPTIONS, found)
    rows, sound = [], True
    for at, (cell, (code,)) in enumerate(CELLS.items()):
        (task,) = (task for task in benchmark.tasks if task.code == code)
        chance = expected_map(benchmark, task)
        mean = found.maps[:, at].mean()
        spread = found.maps[:, at].std(ddof=1) if asked.seeds > 1 else 0.0
        sound &= mean >= ENOUGH * chance
        figures = f"{mean:.3f} ± {spread:.3f}"
        rows.append([cell, figures, f"{chance:.3f}", f"{mean / chance:.1f}×"])
    changed = " ".join(f"{name}={value}" for name, value in setting.overrides.items())
    print(f"{asked.name}, form {asked.form}, budget {asked.budget}, {asked.seeds} seeds {changed}")
    print(f"{found.seconds.mean():.1f} s a run\n")
    print("\n".join(table(["task", "MAP", "a random order", ""], rows)), "\n")
    print("\n".join(f"{what}: {said}" for what, said in machine.items()))
    return 0 if sound else 1


def extract(birds: BirdBenchmark, out: Path, side: int) -> None:
    """Make the feature files; what is there already is not made again."""
    out.mkdir(parents=True, exist_ok=True)
    weights = out / "efficientnet_lite0.pt"
    if not weights.exists():
        write_weights(weights)
    choices = {
        "benchmark": birds.benchmark,
        "media-root": birds.media_root,
        "out": out,
        "extractor": "paper",
        "backbone": BACKBONE,
        "weights": weights,
        "layer": "penultimate",
        "side": side,
        "regions": "grid:3x3",
        "longest": 60,
    }
    options = [text for name, value in choices.items() for text in (f"--{name}", str(value))]
    subprocess.run(
        [sys.executable, "-m", "fgbench", "features", *options, "--parts"], check=True, stdout=2
    )


def _arguments() -> argparse.Namespace:
    here = HERE.parents[1].parent / "shared" / "data"
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", choices=names())
    parser.add_argument("--form", type=Form, default=Form.PAPER)
    parser.add_argument("--budget", type=Budget, default=Budget.FULL)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("FGBENCH_REAL_DATA", here))
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--features", type=Path)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--set", action="append", default=[], type=lambda text: text.split("=", 1))
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    if asked.record and (asked.held_out or {name for name, _ in asked.set} - {"epochs"}):
        parser.error("--record is for a form as it stands but for its length, on the test items")
    return asked


if __name__ == "__main__":
    raise SystemExit(main())
