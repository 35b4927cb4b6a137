"""Read and write what a build leaves: tables, SHA256SUMS, benchmark.json.

A file appears whole or not at all, and equal rows give equal bytes (within one pyarrow release,
which writes its version into the file): rows are sorted, row groups fixed, no clock is read.
Tables are read from and written to paths or fsspec URLs (``s3://…``, ``memory://…``).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fgbench import remote
from fgbench.benchmark_json import SHIPPED_TAXONOMY
from fgbench.dataset.check import check_columns, check_values
from fgbench.dataset.parquet import read_parquet
from fgbench.dataset.schema import MANIFESTS, Column, Row, Split
from fgbench.errors import Fault, FaultyInput, FgbenchError, InputError
from fgbench.manifest import show
from fgbench.protocol import MEDIA, Medium

ROW_GROUP = 4096
SUMS = "SHA256SUMS"


def write_table(target: str | Path, rows: Iterable[Row], columns: Sequence[Column]) -> None:
    """Write rows as a Parquet file, sorted by label and item_id; equal rows, equal bytes.

    Raises ``FaultyInput`` with every fault of the rows (FG-D…); then nothing is written.
    """
    table = _sorted(_build(str(target), list(rows), columns))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=ROW_GROUP, compression="zstd")
    write_bytes(target, sink.getvalue().to_pybytes())


def read_table(source: str | Path, columns: Sequence[Column]) -> pa.Table:
    """The table in a Parquet file, with just these columns, in their order and types.

    A file that went through another tool may have other columns besides, 64-bit strings or
    dictionaries. Raises ``InputError`` or, with every fault, ``FaultyInput`` (FG-D…).
    """
    found = read_parquet(read_bytes(source), str(source))
    table, faults = check_columns(str(source), found, columns)
    faults += check_values(str(source), table, columns)
    if faults:
        raise FaultyInput(f"The table {source} cannot be used", faults)
    return table


def write_bytes(target: str | Path, data: bytes) -> None:
    """Write a file whole or not at all; its folder is made where missing."""
    path = remote.local_path(target)
    if path is None:
        remote.write(str(target), data)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        try:
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise FgbenchError(
            "FG-D010",
            f"{target} could not be written: {error}",
            why="The file that was there before, if any, is unchanged.",
            fix="See to disk space and permissions, then run the same command again.",
        ) from error


def read_bytes(source: str | Path) -> bytes:
    """The content of a file, from a path or an fsspec URL."""
    path = remote.local_path(source)
    if path is None:
        return remote.read(str(source))
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            "FG-D011",
            f"{source} could not be read: {error}",
            fix="See to its name and permissions.",
        ) from error


def write_checksums(folder: Path, names: Iterable[str]) -> None:
    """Write SHA256SUMS of files in a folder, in the form that ``sha256sum -c`` reads."""
    lines = [f"{_digest(folder / name)}  {name}\n" for name in sorted(names)]
    write_bytes(folder / SUMS, "".join(lines).encode())


def verify_checksums(folder: Path) -> tuple[str, ...]:
    """The names in a folder's SHA256SUMS, once every file is found to be what it says.

    Raises ``FaultyInput`` with every file that is missing, changed or outside the folder (FG-D012).
    """
    names, faults = [], []
    for line in read_bytes(folder / SUMS).decode("utf-8", "replace").splitlines():
        expected, _, name = line.partition("  ")
        if (found := _state(folder, name)) == expected:
            names.append(name)
            continue
        where, fix = f"{SUMS}, {show(name or line)}", "fetch or build the file again"
        faults.append(Fault("FG-D012", where, show(found), show(expected), fix))
    if faults:
        raise FaultyInput(f"The files of {folder} are not as {SUMS} says", faults)
    return tuple(names)


def _state(folder: Path, name: str) -> str:
    """The SHA-256 of a file, or why it has none."""
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            return "a file outside the folder"
        return _digest(path) if path.is_file() else "no such file"
    except (OSError, RuntimeError, ValueError):  # too long, a loop of links, a null byte
        return "a name that no file can have"


def write_benchmark(
    folder: Path, benchmark: str, title: str, split_column: str = "split_grouped"
) -> None:
    """Write benchmark.json, which makes a folder of manifests a benchmark.

    ``left_out`` declares for each medium the labels that are tested in another medium and have no
    test item here: queries of these labels are not asked of it.
    """
    files: dict[str, str] = {}
    tested: dict[Medium, set[int]] = {}
    for medium in MEDIA:
        path = folder / f"{medium}.parquet"
        if path.is_file():
            files[path.name] = _digest(path)
            table = read_table(path, MANIFESTS[medium])
            rows = zip(table["label"].to_pylist(), table[split_column].to_pylist(), strict=True)
            tested[medium] = {label for label, split in rows if split == Split.TEST}
    every = set().union(*tested.values())
    spec = {
        "id": benchmark,
        "title": title,
        "split_column": split_column,
        "files": files,
        "taxonomy": SHIPPED_TAXONOMY,
        "left_out": {m: sorted(every - labels) for m, labels in tested.items() if every - labels},
    }
    text = json.dumps(spec, indent=2, ensure_ascii=False) + "\n"
    write_bytes(folder / "benchmark.json", text.encode())


def _build(where: str, rows: Sequence[Row], columns: Sequence[Column]) -> pa.Table:
    faults = [
        Fault(
            "FG-D002",
            f"{where}, column `{show(name)}`",
            "a column that the schema does not know",
            "only columns of fgbench.dataset.schema",
            "leave it out, or add it to the schema",
        )
        for name in sorted({key for row in rows for key in row} - {c.name for c in columns})
    ]
    arrays: dict[str, pa.Array] = {}
    for column in columns:
        try:
            arrays[column.name] = pa.array([row.get(column.name) for row in rows])
        except (pa.ArrowException, UnicodeEncodeError, OverflowError) as error:
            place, fix = f"{where}, column `{column.name}`", "give values of that type"
            faults.append(Fault("FG-D003", place, show(str(error)), str(column.type), fix))
    readable = [c for c in columns if c.name in arrays]
    table, more = check_columns(where, pa.table(arrays), readable)
    faults += more + check_values(where, table, readable)
    if faults:
        raise FaultyInput(f"These rows cannot be written to {where}", faults)
    return table


def _sorted(table: pa.Table) -> pa.Table:
    """By label, then item_id, then every other plain column, so that ties are equal rows."""
    first = [name for name in ("label", "item_id") if name in table.column_names]
    plain = [f.name for f in table.schema if not pa.types.is_nested(f.type) and f.name not in first]
    return table.sort_by([(name, "ascending") for name in (*first, *plain)]).combine_chunks()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError("FG-D011", f"{path} could not be read: {error}") from error
