"""JRL at the full size of the paper's data set: seconds and peak memory of each pair of media.

``python tests/bench/jrl.py [--pairs image_video,image_audio] [--form paper]``

Features are drawn, so the numbers of a fit mean nothing: as many items and as wide as the paper's
(section 3.2), 200 classes. Each pair is fitted, embedded and compared in a process of its own, of
which the operating system says the peak memory; that of a process that only drew the features
stands beside it.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from itertools import combinations
from pathlib import Path

import numpy as np
from report import describe_machine, table

from fgbench.media.preset import Form
from fgbench.protocol import Medium
from fgbench.train.dataset import Dataset, Items
from fgbench.train.forms import load_form
from fgbench.train.inputs import FeatureInputs
from fgbench.train.registry import load
from fgbench.train.score_matrices import score_matrices

CLASSES = 200
SIZES = {
    Medium.IMAGE: (5994, 5794, 200),
    Medium.TEXT: (4000, 4000, 1000),
    Medium.VIDEO: (12666, 5682, 200),
    Medium.AUDIO: (6000, 6000, 128),
}
"""Training items, test items, and how wide their features are."""


def main() -> None:
    asked = _arguments()
    if asked.alone:
        print(*measure(asked.alone, asked.form, idle=asked.idle))
        return
    machine, rows = describe_machine(), []
    for pair in asked.pairs.split(","):
        _, idle = _apart(pair, asked.form, "--idle")
        seconds, peak = _apart(pair, asked.form)
        rows.append([pair, f"{seconds:.1f}", f"{peak:.0f}", f"{idle:.0f}"])
    print("\n".join(table(["pair", "s", "peak MB", "of which before it MB"], rows)), "\n")
    print("\n".join(f"{what}: {said}" for what, said in machine.items()))


def measure(pair: str, form: Form, *, idle: bool) -> tuple[float, float]:
    """Seconds, and this process' peak memory in MB."""
    data = draw(tuple(Medium(name) for name in pair.split("_")))
    since = time.perf_counter()
    if not idle:
        method, config = load("jrl"), load_form("jrl", form)
        fitted = method.fit(data, config, np.random.default_rng(0), lambda **figures: None)
        rows = {medium: fitted.embed(medium, of.inputs) for medium, of in data.test.items()}
        with tempfile.TemporaryDirectory() as folder:
            score_matrices([(rows, method.similarity(config, None))], Path(folder))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3 * 1.024
    return time.perf_counter() - since, peak


def draw(media: tuple[Medium, ...]) -> Dataset:
    """Items about points of their classes."""
    sides: tuple[dict[Medium, Items], dict[Medium, Items]] = ({}, {})
    for medium in media:
        rng = np.random.default_rng(list(Medium).index(medium))
        *counts, width = SIZES[medium]
        points = rng.normal(size=(CLASSES, width)).astype(np.float32)
        for side, count in zip(sides, counts, strict=True):
            labels = np.arange(count) % CLASSES
            rows = points[labels] + 3 * rng.standard_normal((count, width), dtype=np.float32)
            side[medium] = Items(np.arange(count).astype(str), labels, FeatureInputs(rows))
    return Dataset(*sides, CLASSES)


def _apart(pair: str, form: Form, *more: str) -> tuple[float, float]:
    command = [sys.executable, __file__, "--alone", pair, "--form", form.value, *more]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds, peak = map(float, said.split())
    return seconds, peak


def _arguments() -> argparse.Namespace:
    pairs = ",".join("_".join(pair) for pair in combinations(SIZES, 2))
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", default=pairs)
    parser.add_argument("--form", type=Form, default=Form.PAPER)
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    parser.add_argument("--idle", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
