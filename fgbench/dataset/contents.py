"""What a folder of manifests holds, read once for all that describes it.

A folder that a build wrote, or any other that is a benchmark: then only ``item_id``, ``label``,
``medium`` and a split are there for certain, and whatever else the schema knows is taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from fgbench.benchmark import locate
from fgbench.benchmark_json import SHIPPED_TAXONOMY, read_declaration
from fgbench.dataset.check import check_columns, check_values
from fgbench.dataset.io import read_bytes, read_table
from fgbench.dataset.parquet import read_parquet
from fgbench.dataset.schema import ABSENT, MANIFESTS, REJECTED, Column, Row
from fgbench.errors import Fault, FaultyInput, InputError
from fgbench.protocol import MEDIA, Medium
from fgbench.species import species

REJECTED_FILE, ABSENT_FILE = "rejected.parquet", "absent.parquet"
SPLITS = ("split_grouped", "split_paper")
_NEEDED = {"item_id", "label", "medium"}
_COLUMNS = {column.name: column for columns in MANIFESTS.values() for column in columns}


@dataclass(frozen=True, slots=True)
class Contents:
    """The rows of a folder, media in the paper's order; ``splits``: its split columns, the one
    that is scored first. ``rejected`` and ``absent`` are None where the folder has no such table.
    """

    folder: Path
    id: str
    title: str
    splits: tuple[str, ...]
    items: Mapping[Medium, Sequence[Row]]
    rejected: Sequence[Row] | None
    absent: Sequence[Row] | None
    files: Mapping[str, str]
    """Name to SHA-256 of the tables."""
    labels: frozenset[int]
    """The classes that have a row in any of the tables."""
    names: Mapping[int, str]
    """What to call a class, where that is known; its label is in the taxonomy that is shipped."""
    notes: Mapping[int, str]
    """What is wrong or doubtful about a class: it names a genus, or mixes species."""


def read_contents(source: str | Path, split_column: str | None = None) -> Contents:
    """What a folder of manifests, a build folder or a shipped benchmark (by its id) holds.

    ``split_column`` stands in for the one that the folder declares. Raises ``InputError`` (FG-A003,
    FG-B…, FG-D…) or, with every fault, ``FaultyInput``.
    """
    folder = locate(str(source))
    declared = read_declaration(folder)
    split = split_column or declared.split_column
    manifests = [n for n in declared.manifests if n not in (REJECTED_FILE, ABSENT_FILE)]
    if not manifests:
        raise InputError(
            "FG-A003",
            f"{folder} holds no manifest",
            why="There is nothing to count.",
            fix="Name a folder of Parquet manifests, or a build's folder.",
        )
    tables: dict[str, pa.Table] = {}
    faults: list[Fault] = []
    for name in manifests:
        tables[name], found = _read_manifest(folder / name, split)
        faults += found
    if faults:
        raise FaultyInput(f"The manifests of {folder} cannot be read", faults)
    other = {
        name: read_table(folder / name, columns).to_pylist()
        for name, columns in ((REJECTED_FILE, REJECTED), (ABSENT_FILE, ABSENT))
        if (folder / name).is_file()
    }
    items: dict[Medium, list[Row]] = {}
    for row in (row for table in tables.values() for row in table.to_pylist()):
        items.setdefault(Medium(row["medium"]), []).append(row)
    present = {column for table in tables.values() for column in table.column_names}
    known = species() if declared.taxonomy == SHIPPED_TAXONOMY else ()
    return Contents(
        folder=folder,
        id=declared.id,
        title=declared.title,
        splits=tuple(s for s in dict.fromkeys((split, *SPLITS)) if s in present),
        items={medium: items[medium] for medium in MEDIA if medium in items},
        rejected=other.get(REJECTED_FILE),
        absent=other.get(ABSENT_FILE),
        files={n: hashlib.sha256(read_bytes(folder / n)).hexdigest() for n in (*manifests, *other)},
        labels=frozenset(
            row["label"] for rows in (*items.values(), *other.values()) for row in rows
        ),
        names={s.label: s.name for s in known},
        notes={s.label: s.note for s in known if s.note},
    )


def _read_manifest(path: Path, split: str) -> tuple[pa.Table, list[Fault]]:
    """What the schema, or the name of the split, says of a table's columns; and its faults."""
    found = read_parquet(read_bytes(path), str(path))
    known = _COLUMNS | {split: _COLUMNS.get(split, Column(split, pa.string(), "train or test"))}
    columns = [c for c in known.values() if c.name in _NEEDED or c.name in found.column_names]
    table, faults = check_columns(str(path), found, columns)
    return table, faults + check_values(str(path), table, columns)
