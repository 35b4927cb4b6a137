"""A laboratory of strangers: their packages, as pip would leave them, and their data."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

Install = Callable[[Mapping[str, str], Mapping[str, str]], Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Writes files and the entry points ``name -> module:Class``; returns their folder."""
    before = set(sys.modules)

    def write(files: Mapping[str, str], points: Mapping[str, str]) -> Path:
        folder = tmp_path / "site"
        info = folder / "birdlab-1.0.dist-info"
        info.mkdir(parents=True)
        for name, text in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, "utf-8")
        lines = "".join(f"{name} = {value}\n" for name, value in points.items())
        (info / "entry_points.txt").write_text(f"[fgbench.baselines]\n{lines}")
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: birdlab\nVersion: 1.0\n")
        monkeypatch.syspath_prepend(str(folder))
        return folder

    yield write
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def toys(install: Install) -> Path:
    """The toy methods, installed: ``toy-linear`` and ``toy-means``, each with its paper's form."""
    linear = "{width: 4, epochs: 3, batch: 4, rate: 0.05, drop: 0.0, pull: 0.1, rivals: true,\n"
    files = {
        "toylab_linear.py": "from train.toys import Linear\n",
        "toylab_linear.paper.yaml": linear + " budgets: {tiny: {epochs: 1}, cpu: {}, full: {}}}\n",
        "toylab_means.py": "from train.toys import Means\n",
        "toylab_means.paper.yaml": "sharpness: 1.0\n",
    }
    points = {"toy-linear": "toylab_linear:Linear", "toy-means": "toylab_means:Means"}
    return install(files, points)


@pytest.fixture
def birds(tmp_path: Path) -> Path:
    """A folder with ``birds``, a benchmark with training items, and ``features`` of them all."""
    from train.toys import toy_data

    folder = tmp_path / "lab"
    for name in ("birds", "features"):
        (folder / name).mkdir(parents=True)
    data, columns = toy_data(), ("item_id", "medium", "label", "split")
    for medium in data.media:
        sides = {"train": data.train[medium], "test": data.test[medium]}
        rows = [
            (item, medium.value, int(label) + 40, split)
            for split, items in sides.items()
            for item, label in zip(items.ids.tolist(), items.labels, strict=True)
        ]
        table = pa.table(dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True)))
        pq.write_table(table, folder / "birds" / f"{medium}.parquet")
        np.savez(
            folder / "features" / f"{medium}.npz",
            ids=np.concatenate([items.ids for items in sides.values()]),
            features=np.concatenate([items.inputs.rows for items in sides.values()]),
        )
    return folder
