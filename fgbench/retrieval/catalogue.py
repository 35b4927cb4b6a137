"""A benchmark's test items with what there is to show of them: species, title, text, file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fgbench import remote
from fgbench.benchmark import DEFAULT, Benchmark, load_benchmark, opened
from fgbench.dataset.contents import read_contents
from fgbench.dataset.schema import Row
from fgbench.media.item import MediaItem
from fgbench.protocol import Medium


@dataclass(frozen=True, slots=True)
class Entry:
    """An item as it is shown. None, but for the item itself: nobody has said.

    ``attribution``: the credit line; ``redistributable``: whether the item may be passed on.
    """

    item: MediaItem
    label: int | None = None
    species: str | None = None
    title: str | None = None
    attribution: str | None = None
    source_url: str | None = None
    redistributable: bool | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The items of a benchmark. ``media_root``: the folder that their files lie in, where known."""

    source: str
    benchmark: Benchmark
    media_root: Path | None
    species: Mapping[int, str]
    rows: Mapping[tuple[Medium, str], Row]

    def entry(self, medium: Medium, item_id: str) -> Entry:
        """An item, of training too. Raises ``KeyError`` where there is none."""
        row = self.rows[medium, item_id]
        label = row["label"]
        path = Path(row["path"]) if row.get("path") else None
        root = self.media_root
        return Entry(
            MediaItem(item_id, medium, root / path if root and path else path, row.get("text")),
            label,
            self.species.get(label) or row.get("species") or f"label {label}",
            row.get("title"),
            row.get("attribution"),
            row.get("source_url"),
            row.get("redistributable"),
        )


def read_catalogue(
    benchmark: str | Path = DEFAULT,
    media_root: Path | None = None,
    split_column: str | None = None,
) -> Catalogue:
    """The catalogue of a benchmark; ``media_root`` is a build's own folder unless one is given.

    Raises as ``load_benchmark`` and ``read_contents`` do.
    """
    with opened(str(benchmark)) as folder:
        tested = load_benchmark(folder, split_column)
        contents = read_contents(folder, split_column)
        local = remote.local_path(benchmark) is not None and folder.name == "manifests"
        root = media_root or (folder.parent if local else None)
    taxonomy = tested.taxonomy
    names = zip(taxonomy.labels.tolist(), taxonomy.names, strict=True) if taxonomy else ()
    rows = {
        (medium, row["item_id"]): row
        for medium, of_medium in contents.items.items()
        for row in sorted(of_medium, key=lambda row: row.get(tested.split_column) == "test")
    }
    return Catalogue(str(benchmark), tested, root, dict(names), rows)
