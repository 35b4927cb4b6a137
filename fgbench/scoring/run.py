"""A scored run as it lies on disk or in memory: its record and its per-query values, verified.

A folder made by ``fgbench score --out`` is input like any other: it may be cut off, edited by
hand, or made against another benchmark.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from fgbench import remote
from fgbench.errors import Fault, FaultyInput, InputError
from fgbench.record import Record

if TYPE_CHECKING:
    from fgbench.scoring.score import Result

RECORD = "record.json"
PER_QUERY = "per_query.parquet"
MAX_RECORD = 1 << 24
MAX_PER_QUERY = 1 << 28
"""Bytes, packed and unpacked; a run on fgxmedia-2019 needs about 1 MB."""

SCORE_AGAIN = "score the submission again with `fgbench score … --out DIR`"
_WANTED = f"a folder with {RECORD} and {PER_QUERY}"
_TEXT = (pa.string(), pa.large_string())
_COLUMNS = pa.schema(
    {
        "item_id": pa.string(),
        "task": pa.string(),
        "ap_excluded": pa.float32(),
        "ap_included": pa.float32(),
    }
)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_digests(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(map(_is_text, value.values()))


_KEYS = {
    "benchmark.id": ("text", _is_text),
    "benchmark.files": ("file names with their SHA-256", _is_digests),
    "benchmark.split_column": ("text", _is_text),
    "submission.sha256": ("text", _is_text),
    "per_query.sha256": ("text", _is_text),
    "protocol": ("text", _is_text),
}
"""What a run is read by: the key in the record, what it must be, and whether it is that."""


@dataclass(frozen=True, slots=True)
class Run:
    """One scored submission. ``name`` is printable: the method's, else the folder's."""

    name: str
    source: str
    submission: str
    protocol: str
    benchmark: str
    split_column: str
    files: Mapping[str, str]
    per_query: pa.Table


def read_run(source: str | Path | Result, label: str) -> tuple[Run | None, list[Fault]]:
    """Read a run's folder, or take a result of ``fgbench.score`` as it is; or say all its faults.

    A folder's path or fsspec URL; one that cannot be fetched is a fault too.
    ``label`` names the run in faults, and stands in for a name where there is none. With a sound
    record the run comes also where its values are faulty, without a row, so that all can be said.
    """
    if not isinstance(source, str | Path):
        return _run(source.record, source.per_query, label, label), []
    name = remote.show_url(str(source))
    where = f"{label}, {name}"
    try:
        with _opened(source) as folder:
            record, faults = _read_record(folder / RECORD, where)
            if record is None:
                return None, faults
            table, faults = _read_per_query(folder / PER_QUERY, record.per_query["sha256"], where)
            return _run(record, table, name, folder.resolve().name), faults
    except InputError as error:  # of a URL
        return None, [Fault(error.code, where, error.what, _WANTED, error.fix)]


@contextmanager
def _opened(source: str | Path) -> Iterator[Path]:
    """The folder of a run; of a URL, a copy of its two files for the while."""
    if (path := remote.local_path(source)) is not None:
        yield path
        return
    limit = MAX_RECORD + MAX_PER_QUERY
    with remote.fetched(str(source), (RECORD, PER_QUERY), limit) as folder:
        yield folder


def _run(record: Record, table: pa.Table, source: str, fallback: str) -> Run:
    meta = record.submission.get("meta")
    method = meta.get("method") if isinstance(meta, dict) else None
    return Run(
        name=printable(method if isinstance(method, str) and method.strip() else fallback),
        source=printable(source),
        submission=record.submission["sha256"],
        protocol=record.protocol,
        benchmark=record.benchmark["id"],
        split_column=record.benchmark["split_column"],
        files=record.benchmark["files"],
        per_query=table,
    )


def printable(text: str) -> str:
    """Up to 60 signs of a text, without those that move a cursor or break an encoder."""
    return "".join(c if c.isprintable() else "�" for c in text.strip())[:60]


def _read_record(path: Path, where: str) -> tuple[Record | None, list[Fault]]:
    if not path.is_file():
        found = f"no {RECORD} in it" if path.parent.is_dir() else "no such folder"
        return None, [Fault("FG-C001", where, found, _WANTED, SCORE_AGAIN)]
    where = f"{where}, {RECORD}"
    try:
        record = Record.from_json(_content(path, MAX_RECORD).decode())
    except FaultyInput as error:
        return None, [replace(fault, where=f"{where}, {fault.where}") for fault in error.faults]
    except (OSError, ValueError) as error:
        return None, [Fault("FG-C002", where, str(error), "a record", SCORE_AGAIN)]
    faults = [
        Fault("FG-C002", f"{where}, {key}", brief(_look_up(record, key)), kind, SCORE_AGAIN)
        for key, (kind, fits) in _KEYS.items()
        if not fits(_look_up(record, key))
    ]
    return (None if faults else record), faults


def _content(path: Path, limit: int) -> bytes:
    if (size := path.stat().st_size) > limit:
        raise ValueError(f"{size:,} bytes, more than {limit:,}")
    return path.read_bytes()


def _look_up(record: Record, key: str) -> Any:
    group, _, name = key.partition(".")
    value = getattr(record, group)
    if not name:
        return value
    return value.get(name) if isinstance(value, dict) else None


def brief(value: Any) -> str:
    """A value as faults show it, escaped and cut."""
    return "nothing" if value is None else repr(value)[:60]


def _read_per_query(path: Path, digest: str, where: str) -> tuple[pa.Table, list[Fault]]:
    where = f"{where}, {PER_QUERY}"
    nothing = _COLUMNS.empty_table()
    if not path.is_file():
        return nothing, [Fault("FG-C003", where, "no such file", "the run's values", SCORE_AGAIN)]
    try:
        content = _content(path, MAX_PER_QUERY)
        if (found := hashlib.sha256(content).hexdigest()) != digest:
            wanted = f"{digest[:12]!r}…, as {RECORD} says"
            fix = f"the file was changed after scoring: {SCORE_AGAIN}"
            return nothing, [Fault("FG-C004", where, f"SHA-256 {found[:12]!r}…", wanted, fix)]
        if faults := _wrong_columns(pq.read_schema(pa.BufferReader(content)), where):
            return nothing, faults
        file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=["item_id", "task"])
        _refuse_bomb(file.metadata)
        table = file.read(columns=_COLUMNS.names)
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        found = str(error).partition("\n")[0]
        return nothing, [Fault("FG-C003", where, found, "a Parquet file", SCORE_AGAIN)]
    return table, []


def _refuse_bomb(metadata: pq.FileMetaData) -> None:
    groups = range(metadata.num_row_groups)
    declared = sum(metadata.row_group(g).total_byte_size for g in groups)
    # A row takes 16 bytes in memory (two codes, two values), however well it was packed.
    if (size := max(declared, 16 * metadata.num_rows)) > MAX_PER_QUERY:
        raise ValueError(f"{size:,} bytes unpacked, more than {MAX_PER_QUERY:,}")


def _wrong_columns(schema: pa.Schema, where: str) -> list[Fault]:
    faults = []
    for wanted in _COLUMNS:
        kinds = [field.type for field in schema if field.name == wanted.name]
        plain = [k.value_type if pa.types.is_dictionary(k) else k for k in kinds]
        if [pa.string() if k in _TEXT else k for k in plain] != [wanted.type]:
            at = f"{where}, `{wanted.name}`"
            found = ", ".join(map(str, plain)) or "no such column"
            faults.append(Fault("FG-C005", at, found, str(wanted.type), SCORE_AGAIN))
    return faults
