"""Reads a manifest of unknown origin: a Parquet file of items, with every fault it may have."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fgbench.errors import Fault
from fgbench.protocol import MEDIA, Medium

MAX_ROWS = 2_000_000
MAX_BYTES = 1_000_000_000
"""Of a manifest, unpacked: a file of a few kilobytes may claim to hold more."""

MAX_TEXT = 512
"""Characters in an id or a name. NumPy stores all ids of a medium at the width of the longest."""

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_whole(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) and kind != pa.uint64())


Column = tuple[str, Callable[[pa.DataType], bool]]
"""What a column must hold: in words, and as a test of its type."""

TEXT: Column = ("strings", _is_text)
WHOLE: Column = ("integers within int64", _is_whole)


@dataclass(frozen=True, slots=True)
class Rows:
    """The test items of one file, by medium, in the order of the file; and the file's splits."""

    ids: dict[Medium, NDArray[np.str_]] = field(default_factory=dict)
    labels: dict[Medium, NDArray[np.int64]] = field(default_factory=dict)
    train: dict[Medium, int] = field(default_factory=dict)
    """How many training items there are beside them."""
    splits: frozenset[str] = frozenset()


def read_test_rows(path: Path, split_column: str) -> tuple[Rows, list[Fault]]:
    """The test items of a manifest and its faults; no items where there is a fault."""
    kinds = {"item_id": TEXT, "medium": TEXT, "label": WHOLE, split_column: TEXT}
    columns, faults = read_columns(path, kinds)
    if faults:
        return Rows(), faults
    item_id, medium, label, split = (columns[name] for name in kinds)
    test, train = split == "test", split == "train"
    faults += _stray_values(f"{path.name}, column `medium`", medium, set(MEDIA), MEDIA)
    mistyped = {v for v in split if v and v != "test" and v.strip().casefold() == "test"}
    faults += _stray_values(f"{path.name}, column `{split_column}`", mistyped, set(), ["test"])
    for name, values in (("item_id", item_id), ("label", label)):
        if gaps := sum(value is None or value == "" for value in values[test]):
            found = f"{gaps:,} test rows without a value"
            fix = "fill them in, or take the rows out of the test split"
            where = f"{path.name}, column `{name}`"
            faults.append(Fault("FG-B009", where, found, "one in every test row", fix))
    rows = Rows(splits=frozenset(str(value) for value in split if value))
    if not faults:
        for m in MEDIA:
            mine = medium == m.value
            rows.train[m] = int((mine & train).sum())
            if (chosen := mine & test).any():
                rows.ids[m] = item_id[chosen].astype(np.str_)
                rows.labels[m] = label[chosen].astype(np.int64)
    return rows, faults


def _stray_values(
    where: str, values: Iterable[object], known: Collection[object], expected: Iterable[str]
) -> list[Fault]:
    stray = sorted({show(value) for value in values if value not in known})
    if not stray:
        return []
    more = f" and {len(stray) - 5:,} more" if len(stray) > 5 else ""
    found = ", ".join(stray[:5]) + more
    return [Fault("FG-B008", where, found, ", ".join(expected), "write it exactly so")]


def read_columns(
    path: Path, columns: Mapping[str, Column]
) -> tuple[dict[str, NDArray[np.object_]], list[Fault]]:
    """The named columns of a Parquet file as Python values, or nothing but the file's faults.

    Reads at most ``MAX_ROWS`` rows and about ``MAX_BYTES`` bytes, and no text over ``MAX_TEXT``.
    """
    if not path.is_file():
        fix = f"restore it in {path.parent}, or take it out of benchmark.json"
        return {}, [Fault("FG-B003", path.name, "no such file", "a Parquet file", fix)]
    try:
        with pq.ParquetFile(path) as file:
            schema, metadata = file.schema_arrow, file.metadata
        faults = _column_faults(path.name, schema, columns)
        faults = faults or _size_faults(path.name, metadata)
        if faults:
            return {}, faults
        table = _read(path, columns)
        if faults := _text_faults(path.name, table):
            return {}, faults
        return {name: _values(table[name]) for name in columns}, []
    # Whatever a broken file makes pyarrow raise: bad pages, bad UTF-8, kinds that it cannot read.
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        reason = show(str(error).partition("\n")[0])
        return {}, [Fault("FG-B005", path.name, reason, "a Parquet file", "write it again")]


def _read(path: Path, columns: Mapping[str, Column]) -> pa.Table:
    """The columns, text as dictionaries: one long string may stand for millions of rows."""
    text = [name for name, kind in columns.items() if kind is TEXT]
    try:
        with pq.ParquetFile(path, read_dictionary=text) as file:
            table = file.read(list(columns))
    except OSError as error:
        if "Not yet implemented" not in str(error):
            raise
        table = _read_by_batches(path, columns)  # DELTA encodings
    table.validate(full=True)
    return table


def _read_by_batches(path: Path, columns: Collection[str]) -> pa.Table:
    batches, size = [], 0
    with pq.ParquetFile(path) as file:
        schema = pa.schema([file.schema_arrow.field(name) for name in columns])
        for batch in file.iter_batches(256, columns=list(columns)):
            batches.append(batch)
            size += batch.nbytes
            if size > MAX_BYTES:
                raise ValueError(f"it unpacks to more than {MAX_BYTES:,} bytes")
        return pa.Table.from_batches(batches, schema)


def _values(column: pa.ChunkedArray) -> NDArray[np.object_]:
    """The column as Python values, None where there is none."""
    if _is_text(column.type):
        column = column.cast(pa.large_string())
    return np.asarray(column.to_pylist(), dtype=object)  # to_numpy would import pandas: 0.3 s


def _column_faults(name: str, schema: pa.Schema, columns: Mapping[str, Column]) -> list[Fault]:
    faults = []
    for column, (words, fits) in columns.items():
        where = f"{name}, column `{column}`"
        indices = schema.get_all_field_indices(column)
        if len(indices) != 1:
            there = ", ".join(show(s) for s in schema.names[:12]) or "none"
            found = f"{len(indices)} of that name" if indices else f"columns {there}"
            fix = "rename or add it, or say in a benchmark.json which files are the benchmark's"
            faults.append(Fault("FG-B006", where, found, "one column of that name", fix))
        elif not fits(kind := schema.field(indices[0]).type):
            fix = "write the column with that type"
            faults.append(Fault("FG-B007", where, show(str(kind)), words, fix))
    return faults


def _size_faults(name: str, metadata: pq.FileMetaData) -> list[Fault]:
    # Not by column: pyarrow ends the process when the metadata of a column are broken.
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    rows = max(metadata.num_rows, sum(group.num_rows for group in groups))
    size = sum(group.total_byte_size for group in groups)
    if rows <= MAX_ROWS and size <= MAX_BYTES:
        return []
    found = f"{rows:,} rows of {size:,} bytes"
    expected = f"at most {MAX_ROWS:,} rows and {MAX_BYTES:,} bytes"
    return [Fault("FG-B013", name, found, expected, "keep only the items that are scored")]


def _text_faults(name: str, table: pa.Table) -> list[Fault]:
    """Text that is too long, or has control characters, which NumPy and terminals mangle."""
    faults = []
    for column in table.column_names:
        if not _is_text(table.schema.field(column).type):
            continue
        distinct: set[str | None] = set()
        for chunk in table[column].chunks:
            whole = pa.types.is_dictionary(chunk.type)
            distinct.update((chunk.dictionary if whole else chunk.unique()).to_pylist())
        bad = [v for v in distinct if v and (len(v) > MAX_TEXT or CONTROL.search(v))]
        if bad:
            found = f"{len(bad):,} values, as {show(min(bad))}"
            expected = f"at most {MAX_TEXT} characters, no control characters"
            where = f"{name}, column `{column}`"
            faults.append(Fault("FG-B014", where, found, expected, "rename them"))
    return faults


def show(value: object) -> str:
    """The value as it can stand in a message: on one line, printable and not too long."""
    text = value if isinstance(value, str) and value.isprintable() else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"
