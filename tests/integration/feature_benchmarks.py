"""Two sets of real features as benchmarks with feature files, to train on features alone.

``python tests/integration/feature_benchmarks.py OUT`` writes both. Each becomes a folder with
``benchmark/`` (for ``--benchmark``) and ``features/`` (for ``--features``). Items at one position
are one instance in every medium: the numbers in their ids are equal.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.io import loadmat

from fgbench.media.features import Features, feature_path, write_features
from fgbench.protocol import Medium

SIDES = {"train": "tr", "test": "te"}
"""Each side of the split, and how the two sets call it."""


@dataclass(frozen=True)
class FeatureBenchmark:
    """Where a benchmark and its features lie."""

    benchmark: Path
    features: Path


@dataclass(frozen=True)
class Side:
    """One side of the split: rows by medium, [n, d] each, and the class of each position [n]."""

    rows: Mapping[Medium, np.ndarray]
    labels: np.ndarray


def read_wikipedia(real_data: Path) -> dict[str, Side]:
    """Rasiwasia et al. (ACM MM 2010): image [n, 128] and text [n, 10], classes 1-10."""
    folder = real_data / "features/wikipedia_rasiwasia2010"
    stored = loadmat(folder / "raw_features.mat")
    sides = {}
    for side, suffix in SIDES.items():
        lines = (folder / f"{side}set_txt_img_cat.list").read_text().splitlines()
        rows = {Medium.IMAGE: stored[f"I_{suffix}"], Medium.TEXT: stored[f"T_{suffix}"]}
        sides[side] = Side(rows, np.array([int(line.split()[-1]) for line in lines]))
    return sides


def read_digits(real_data: Path) -> dict[str, Side]:
    """Multiple Features (UCI): three views of the same digits, classes 1-10.

    I, 76 Fourier coefficients, as image; T, 64 Karhunen-Loève ones, as text; P, 240 pixels, as
    video.
    """
    stored = loadmat(real_data / "features/uci_mfeat_3view/uci_all.mat")
    views = {Medium.IMAGE: "I", Medium.TEXT: "T", Medium.VIDEO: "P"}
    return {
        side: Side(
            {medium: stored[f"{view}_{suffix}"] for medium, view in views.items()},
            stored[f"L_{suffix}"].ravel().astype(int),
        )
        for side, suffix in SIDES.items()
    }


READERS = {"wikipedia": read_wikipedia, "digits": read_digits}


def write_benchmark(name: str, real_data: Path, out: Path) -> FeatureBenchmark:
    """Write ``wikipedia`` or ``digits`` as ``out/benchmark`` and ``out/features``."""
    sides = READERS[name](real_data)
    written = FeatureBenchmark(out / "benchmark", out / "features")
    written.benchmark.mkdir(parents=True)
    for medium in sides["train"].rows:
        ids = [f"{medium}/{side}/{i:04}" for side in sides for i in range(len(sides[side].labels))]
        table = {
            "item_id": ids,
            "medium": [str(medium)] * len(ids),
            "label": np.concatenate([side.labels for side in sides.values()]),
            "split": [name for name, side in sides.items() for _ in side.labels],
        }
        pq.write_table(pa.table(table), written.benchmark / f"{medium}.parquet")
        rows = np.concatenate([side.rows[medium] for side in sides.values()])
        features = Features(np.array(ids), rows.astype(np.float32))
        write_features(feature_path(written.features, medium), features)
    return written


if __name__ == "__main__":
    here = Path(__file__).resolve().parents[2]
    real = Path(os.environ.get("FGBENCH_REAL_DATA", here.parent / "shared" / "data"))
    for benchmark in READERS:
        print(write_benchmark(benchmark, real, Path(sys.argv[1]) / benchmark))
