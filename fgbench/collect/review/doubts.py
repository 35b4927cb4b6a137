"""What is in doubt in a build folder: the items that a person is asked about."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench.dataset.contents import REJECTED_FILE
from fgbench.dataset.io import read_table
from fgbench.dataset.rendering import address
from fgbench.dataset.schema import MANIFESTS, REJECTED, Row, Stage
from fgbench.errors import InputError
from fgbench.protocol import Medium
from fgbench.species import species

DOUBTFUL = "doubtful"
"""The flag of an item that is kept although nobody has decided on it."""

_TOLD = (
    *("site", "source_id", "title", "author", "licence", "place", "recorded_on", "text"),
    *("reason", "detail", "start_s", "end_s", "activity"),
)
_MEDIA = "media"
"""The folder of a build that files of items are under; none outside it is ever opened."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """An item that the build could not decide on; ``row`` is its row in the tables.

    ``name`` and ``scientific_name`` are the class's. ``file`` is the item's file, inside the build
    folder, or None where it has none or it is gone.
    """

    item_id: str
    label: int
    medium: Medium
    name: str
    scientific_name: str
    file: Path | None
    row: Row

    def to_json(self) -> dict[str, Any]:
        """All that the page shows of it; links only where a browser may follow them."""
        told = {name: _finite(self.row.get(name)) for name in _TOLD}
        links = {name: address(self.row.get(name)) for name in ("source_url", "licence_url")}
        return {
            "id": self.item_id,
            "medium": self.medium.value,
            "name": self.name,
            "scientific_name": self.scientific_name,
            "has_file": self.file is not None,
            **told,
            **links,
        }


def read_doubts(folder: Path) -> Mapping[str, Doubt]:
    """The doubtful items of a build folder, by item_id, class by class.

    Those are what the build withheld for review, what it kept all the same (``DOUBTFUL``), and what
    a person kept before, who may think again.

    Raises ``InputError`` (FG-V001, FG-D…) or, with every fault, ``FaultyInput``.
    """
    manifests = folder / "manifests"
    if not (manifests / REJECTED_FILE).is_file():
        raise InputError(
            "FG-V001",
            f"{folder} is no build folder: it has no manifests/{REJECTED_FILE}",
            why="What is in doubt stands there.",
            fix="Give the --out folder of a `fgbench build-data` that has finished.",
        )
    rejected: list[Row] = read_table(manifests / REJECTED_FILE, REJECTED).to_pylist()
    rows = [row for row in rejected if row["stage"] == Stage.REVIEW]
    for medium, columns in MANIFESTS.items():
        path = manifests / f"{medium}.parquet"
        if path.is_file():
            items = read_table(path, columns).to_pylist()
            rows += [r for r in items if r["review"] or DOUBTFUL in (r["flags"] or ())]
    doubts = {row["item_id"]: _doubt(row, folder) for row in rows}
    return dict(sorted(doubts.items(), key=lambda pair: (pair[1].label, pair[0])))


def _finite(value: Any) -> Any:
    """The value, with None for what is no number and stands where one should: JSON has none."""
    if isinstance(value, dict):
        return {key: _finite(of) for key, of in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _doubt(row: Row, folder: Path) -> Doubt:
    known = species()
    label = row["label"]
    bird = known[label] if 0 <= label < len(known) else None
    return Doubt(
        item_id=row["item_id"],
        label=label,
        medium=Medium(row["medium"]),
        name=bird.name if bird else row["species"],
        scientific_name=bird.scientific_name if bird else "",
        file=_file(row.get("path"), folder),
        row=row,
    )


def _file(path: str | None, folder: Path) -> Path | None:
    """The file, once it is one and lies where files of a build do, links followed."""
    if path is None:
        return None
    try:
        found = (folder / path).resolve()
        inside = found.is_relative_to((folder / _MEDIA).resolve())
        return found if inside and found.is_file() else None
    except (OSError, RuntimeError, ValueError):  # too long, a loop of links, a null byte
        return None
