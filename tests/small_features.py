"""A benchmark of four media with features that lie apart by class, in files: a few kilobytes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fgbench.protocol import MEDIA, Medium

CLASSES, TRAIN, TEST = 5, 6, 3
WIDTH = 6


@dataclass(frozen=True)
class SmallFeatures:
    """Where the benchmark and its features lie."""

    benchmark: Path
    features: Path

    @property
    def options(self) -> list[str]:
        """For the command line."""
        return ["--benchmark", str(self.benchmark), "--features", str(self.features)]


def write_small_features(
    folder: Path, media: tuple[Medium, ...] = MEDIA, title: str = "Small"
) -> SmallFeatures:
    """Write ``folder/benchmark`` and ``folder/features``."""
    found = SmallFeatures(folder / "benchmark", folder / "features")
    found.benchmark.mkdir(parents=True)
    found.features.mkdir()
    about = json.dumps({"id": "small", "title": title})
    (found.benchmark / "benchmark.json").write_text(about)
    for medium in media:
        rng = np.random.default_rng(MEDIA.index(medium))
        labels = np.repeat(np.arange(CLASSES), TRAIN + TEST)
        ids = [f"{medium}/{number}" for number in range(len(labels))]
        columns = {
            "item_id": ids,
            "medium": [medium.value] * len(labels),
            "label": labels,
            "split": (["train"] * TRAIN + ["test"] * TEST) * CLASSES,
        }
        pq.write_table(pa.table(columns), found.benchmark / f"{medium}.parquet")
        rows = rng.normal(0, 2, (CLASSES, WIDTH))[labels] + rng.normal(size=(len(labels), WIDTH))
        np.savez(
            found.features / f"{medium}.npz", ids=np.array(ids), features=rows.astype(np.float32)
        )
    return found
