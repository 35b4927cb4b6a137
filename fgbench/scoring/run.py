"""A scored run as it lies on disk or in memory: its record and its per-query values, verified.

A folder made by ``fgbench score --out`` is input like any other: it may be cut off, edited by
hand, or made against another benchmark.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from fgbench.errors import Fault

RECORD = "record.json"
PER_QUERY = "per_query.parquet"
MAX_RECORD = 1 << 24
MAX_PER_QUERY = 1 << 28
"""Bytes, packed and unpacked; a run on fgxmedia-2019 needs about 1 MB."""

SCORE_AGAIN = "score the submission again with `fgbench score … --out DIR`"
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
    "protocol": ("text", _is_text),
    "benchmark.id": ("text", _is_text),
    "benchmark.files": ("file names with their SHA-256", _is_digests),
    "submission.sha256": ("text", _is_text),
    "per_query.sha256": ("text", _is_text),
    "benchmark.split_column": ("text", lambda value: value is None or _is_text(value)),
}
"""What a run is read by: the key in the record, what it must be, and whether it is that."""


class Result(Protocol):
    """What ``fgbench.score`` returns, as far as a run needs it."""

    @property
    def record(self) -> Any: ...

    @property
    def per_query(self) -> pa.Table: ...


@dataclass(frozen=True, slots=True)
class Run:
    """One scored submission. ``name`` is printable: the method's, else the folder's."""

    name: str
    source: str
    submission: str
    protocol: str
    benchmark: str
    split_column: str | None
    files: Mapping[str, str]
    per_query: pa.Table


def read_run(source: str | Path | Result, label: str) -> tuple[Run | None, list[Fault]]:
    """Read a run's folder, or take a result of ``fgbench.score`` as it is; or say all its faults.

    ``label`` names the run in faults, and stands in for a name where there is none. With a sound
    record the run comes also where its values are faulty, without a row, so that all can be said.
    """
    if not isinstance(source, str | Path):
        record = json.loads(source.record.to_json())
        return _run(record, source.per_query, label, label), []
    folder = Path(source)
    where = f"{label}, {folder}"
    record, faults = _read_record(folder / RECORD, where)
    if record is None:
        return None, faults
    table, faults = _read_per_query(folder / PER_QUERY, record["per_query"]["sha256"], where)
    return _run(record, table, str(folder), folder.resolve().name), faults


def _run(record: Mapping[str, Any], table: pa.Table, source: str, fallback: str) -> Run:
    benchmark, submission = record["benchmark"], record["submission"]
    meta = submission.get("meta")
    method = meta.get("method") if isinstance(meta, dict) else None
    name = method if isinstance(method, str) and method.strip() else fallback
    return Run(
        name=printable(name),
        source=printable(source),
        submission=submission["sha256"],
        protocol=record["protocol"],
        benchmark=benchmark["id"],
        split_column=benchmark.get("split_column"),
        files=benchmark["files"],
        per_query=table,
    )


def printable(text: str) -> str:
    """Up to 60 signs of a text, without those that move a cursor or break an encoder."""
    return "".join(c if c.isprintable() else "�" for c in text.strip())[:60]


def _read_record(path: Path, where: str) -> tuple[dict[str, Any] | None, list[Fault]]:
    if not path.is_file():
        found = f"no {RECORD} in it" if path.parent.is_dir() else "no such folder"
        wanted = f"a folder with {RECORD} and {PER_QUERY}"
        return None, [Fault("FG-C001", where, found, wanted, SCORE_AGAIN)]
    where = f"{where}, {RECORD}"
    try:
        record = json.loads(_content(path, MAX_RECORD), parse_constant=_refuse_constant)
    except (OSError, ValueError, RecursionError) as error:
        return None, [Fault("FG-C002", where, str(error), "strict JSON", SCORE_AGAIN)]
    faults = [
        Fault("FG-C002", f"{where}, `{key}`", brief(_look_up(record, key)), kind, SCORE_AGAIN)
        for key, (kind, fits) in _KEYS.items()
        if not fits(_look_up(record, key))
    ]
    return (None if faults else record), faults


def _content(path: Path, limit: int) -> bytes:
    if (size := path.stat().st_size) > limit:
        raise ValueError(f"{size:,} bytes, more than {limit:,}")
    return path.read_bytes()


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _look_up(record: Any, key: str) -> Any:
    for part in key.split("."):
        record = record.get(part) if isinstance(record, dict) else None
    return record


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
        file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=["item_id", "task"])
        if faults := _wrong_columns(file.schema_arrow, where):
            return nothing, faults
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
        if plain != [wanted.type]:
            at = f"{where}, `{wanted.name}`"
            found = ", ".join(map(str, plain)) or "no such column"
            faults.append(Fault("FG-C005", at, found, str(wanted.type), SCORE_AGAIN))
    return faults
