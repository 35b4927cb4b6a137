"""What a benchmark lists for training and for test: items with their content, and their labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fgbench import remote
from fgbench.benchmark import DEFAULT, load_benchmark, opened
from fgbench.dataset.check import is_inside
from fgbench.dataset.contents import read_contents
from fgbench.dataset.schema import Row, Split
from fgbench.errors import Fault, FaultyInput
from fgbench.manifest import show
from fgbench.media.item import MediaItem
from fgbench.protocol import Medium

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """The items of one medium on one side of the split, and their labels [n] in the benchmark."""

    items: tuple[MediaItem, ...]
    labels: NDArray[np.int64]

    @property
    def ids(self) -> NDArray[np.str_]:
        return np.array([item.item_id for item in self.items], dtype=np.str_)


@dataclass(frozen=True, slots=True)
class Listing:
    """Every medium that is tested, in the paper's order, in the order of the manifests.

    ``media_root``: the folder that paths are relative to, where there is one. ``left_out``: labels
    that the benchmark declares to have no test item of a medium.
    """

    train: Mapping[Medium, Listed]
    test: Mapping[Medium, Listed]
    left_out: Mapping[Medium, frozenset[int]]
    media_root: Path | None

    def items(self, medium: Medium) -> tuple[MediaItem, ...]:
        """Those of training, then those of test."""
        return self.train[medium].items + self.test[medium].items


def read_listing(
    benchmark: str | Path = DEFAULT,
    media_root: Path | None = None,
    split_column: str | None = None,
) -> Listing:
    """What a benchmark lists; ``media_root`` is a build's own folder unless another is given.

    An item has the ``path`` or ``text`` of its row in the manifest; where that has no such column,
    as the official lists, the path is its id. Raises as ``load_benchmark`` and ``read_contents``
    do, and ``FaultyInput`` (FG-F060) for an id that is listed twice.
    """
    with opened(str(benchmark)) as folder:
        tested = load_benchmark(folder, split_column)
        contents = read_contents(folder, split_column)
        local = remote.local_path(benchmark) is not None and folder.name == "manifests"
        root = media_root or (folder.parent if local else None)
    rows = {medium: contents.items[medium] for medium in tested.media}
    if faults := [fault for medium in rows if (fault := _repeated(medium, rows[medium]))]:
        raise FaultyInput(f"The benchmark {benchmark} cannot be used", faults)
    column = tested.split_column
    train, test = (
        {medium: _list(medium, rows[medium], column, side, root) for medium in rows}
        for side in (Split.TRAIN, Split.TEST)
    )
    return Listing(train, test, tested.left_out, root)


def _list(
    medium: Medium, rows: Sequence[Row], column: str, side: Split, root: Path | None
) -> Listed:
    mine = [row for row in rows if row.get(column) == side]
    items = (
        MediaItem(row["item_id"], medium, path=_path(row, root), text=row.get("text"))
        for row in mine
    )
    return Listed(tuple(items), np.array([row["label"] for row in mine], np.int64))


def _path(row: Row, root: Path | None) -> Path | None:
    """Where an item's file is: an id is a path where the manifest has no column of contents."""
    path = row.get("path")
    if "path" not in row and "text" not in row and is_inside(row["item_id"]):
        path = row["item_id"]
    return root / path if root and path else None


def _repeated(medium: Medium, rows: Sequence[Row]) -> Fault | None:
    """An id in two manifests, or on both sides; one manifest has been looked at alone."""
    often = sorted(i for i, n in Counter(row["item_id"] for row in rows).items() if n > 1)
    if not often:
        return None
    found = f"{len(often)} ids that come twice or more, as {show(often[0])}"
    fix = "drop the repeats, or give them ids of their own"
    return Fault("FG-F060", medium, found, "every id once in a medium", fix)
