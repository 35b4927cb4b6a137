"""Parquet files that are broken, or that would fill the memory."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgbench.dataset import parquet
from fgbench.dataset.parquet import read_parquet
from fgbench.errors import InputError

ROWS = 200


def packed(column: object, **options: object) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"x": column}), sink, compression="zstd", **options)
    return sink.getvalue().to_pybytes()


def test_a_table_comes_back() -> None:
    for values in (["a", None, "a"], [["a"], [], None], [1, 2, None], [0.5, None, 1.5]):
        assert read_parquet(packed(values), "m").to_pydict() == {"x": values}


def test_what_is_no_parquet_file_is_named() -> None:
    whole = packed([f"text {n}" for n in range(ROWS)])
    for broken in (b"", b"<html>", whole[:-20], whole[: len(whole) // 2], b"PAR1" * 9):
        with pytest.raises(InputError, match=r"FG-D001  m\.parquet"):
            read_parquet(broken, "m.parquet")


def test_bad_utf8_is_a_fault() -> None:
    raw = pa.array([b"\xff\xfe"] * 3).view(pa.string())
    with pytest.raises(InputError, match="FG-D001"):
        read_parquet(packed(raw), "m.parquet")


LONG = "x" * 9_999


@pytest.mark.parametrize(
    "data",
    [
        packed([LONG] * ROWS),  # one entry of a dictionary, many rows
        packed([[LONG]] * ROWS),
        packed([LONG] * ROWS, use_dictionary=False),  # zstd alone
        packed([LONG] * ROWS, use_dictionary=False, column_encoding="DELTA_LENGTH_BYTE_ARRAY"),
    ],
)
def test_a_small_file_that_unpacks_to_too_much_is_refused(
    monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    assert len(data) < ROWS * len(LONG) / 20
    assert read_parquet(data, "m").num_rows == ROWS
    monkeypatch.setattr(parquet, "MAX_BYTES", ROWS * len(LONG) // 2)
    with pytest.raises(InputError, match="FG-D014"):
        read_parquet(data, "m")


def test_an_encoding_that_hides_its_size_is_refused() -> None:
    data = packed([LONG] * ROWS, use_dictionary=False, column_encoding="DELTA_BYTE_ARRAY")
    with pytest.raises(InputError, match="DELTA_BYTE_ARRAY"):
        read_parquet(data, "m")


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "MAX_ROWS", ROWS - 1)
    with pytest.raises(InputError, match="FG-D014"):
        read_parquet(packed([None] * ROWS), "m")
