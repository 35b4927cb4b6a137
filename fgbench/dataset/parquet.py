"""Reads a Parquet file of unknown origin, and unpacks no more than a manifest can hold."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fgbench.errors import InputError
from fgbench.manifest import MAX_BYTES, MAX_ROWS, show


def read_parquet(data: bytes, where: str) -> pa.Table:
    """The table in a Parquet file, its text as dictionaries; ``where`` names it in messages.

    Raises ``InputError`` for what is no Parquet file (FG-D001), and for what would be too large
    unpacked (FG-D014): a file of a few kilobytes may say a long text millions of times.
    """
    try:
        with pq.ParquetFile(pa.BufferReader(data)) as file:
            metadata = file.metadata
        claimed = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
        _check_size(where, metadata.num_rows, claimed)
        text = sorted(_text_columns(metadata))
        with pq.ParquetFile(pa.BufferReader(data), read_dictionary=text) as file:
            table = file.read()
        table.validate(full=True)
    # Whatever a broken file makes pyarrow raise: bad pages, bad UTF-8, kinds it cannot read.
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        raise InputError(
            "FG-D001",
            f"{where} cannot be read as Parquet: {show(str(error))}",
            why="A manifest is a Parquet file.",
            fix="Fetch or build it again; `sha256sum -c SHA256SUMS` says whether it is whole.",
        ) from error
    _check_size(where, table.num_rows, sum(_text_bytes(column) for column in table.columns))
    return table


def _text_columns(metadata: pq.FileMetaData) -> Iterator[str]:
    for i in range(metadata.num_row_groups):
        group = metadata.row_group(i)
        for chunk in (group.column(j) for j in range(group.num_columns)):
            if chunk.physical_type == "BYTE_ARRAY":
                if (
                    "DELTA_BYTE_ARRAY" in chunk.encodings
                ):  # unpacks to any size, not to dictionaries
                    raise pa.ArrowInvalid(f"column {chunk.path_in_schema!r} is DELTA_BYTE_ARRAY")
                if not any(encoding.startswith("DELTA") for encoding in chunk.encodings):
                    yield chunk.path_in_schema


def _text_bytes(column: pa.ChunkedArray) -> int:
    """The bytes that the text of a column takes once each row has its own copy."""
    total = 0
    for chunk in column.chunks:
        while pa.types.is_list(chunk.type):
            chunk = chunk.flatten()
        if pa.types.is_dictionary(chunk.type):
            lengths = pc.binary_length(chunk.dictionary)
            total += pc.sum(pc.take(lengths, chunk.indices)).as_py() or 0
    return total


def _check_size(where: str, rows: int, size: int) -> None:
    if rows > MAX_ROWS or size > MAX_BYTES:
        raise InputError(
            "FG-D014",
            f"{where} holds {rows:,} rows of {size:,} bytes",
            why=f"At most {MAX_ROWS:,} rows and {MAX_BYTES:,} bytes are read.",
            fix="Give a manifest: one row an instance, and no media in it.",
        )
