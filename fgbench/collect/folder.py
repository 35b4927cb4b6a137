"""The tables that a build leaves in ``OUT/manifests``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fgbench.collect.recipe import Recipe
from fgbench.dataset.contents import ABSENT_FILE, REJECTED_FILE
from fgbench.dataset.io import SUMS, write_benchmark, write_table
from fgbench.dataset.schema import ABSENT, MANIFESTS, REJECTED, Row
from fgbench.protocol import MEDIA, Medium

_REBUILT = "fgxmedia-rebuilt", "FG-Xmedia, rebuilt"
_SAMPLE = "fgxmedia-sample", "FG-Xmedia, rebuilt from the synthetic sample world"


def write_tables(
    folder: Path,
    recipe: Recipe,
    items: Mapping[Medium, Sequence[Row]],
    rejected: Sequence[Row],
    absent: Sequence[Row],
) -> None:
    """Writes a manifest a medium, rejected, absent and benchmark.json.

    The manifest of a medium that has no ``items``, of an earlier build, is deleted: the other
    tables no longer tell of it. SHA256SUMS is deleted first, and is written with the description.
    """
    (folder / SUMS).unlink(missing_ok=True)  # without it a folder is unfinished
    for medium in MEDIA:
        path = folder / f"{medium}.parquet"
        if medium in items:
            write_table(path, items[medium], MANIFESTS[medium])
        else:
            path.unlink(missing_ok=True)
    write_table(folder / REJECTED_FILE, rejected, REJECTED)
    write_table(folder / ABSENT_FILE, absent, ABSENT)
    write_benchmark(folder, *(_SAMPLE if recipe.sample else _REBUILT))
