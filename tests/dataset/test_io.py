"""Tables on disk: the same bytes, whole or not at all, every fault at once, read by everyone."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import datasets
import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgbench import load_benchmark
from fgbench.dataset import io
from fgbench.dataset.io import (
    read_bytes,
    read_table,
    verify_checksums,
    write_benchmark,
    write_bytes,
    write_checksums,
    write_table,
)
from fgbench.dataset.schema import ABSENT, MANIFESTS, REJECTED, Column, Row, rejection
from fgbench.errors import FaultyInput, FgbenchError, InputError, MissingExtra
from fgbench.protocol import Medium

TEXT, AUDIO = MANIFESTS[Medium.TEXT], MANIFESTS[Medium.AUDIO]


def text(number: int, label: int = 0, split: str | None = "test", **more: object) -> Row:
    return {
        "item_id": f"text/{number:04}",
        "label": label,
        "species": "Ovenbird",
        "medium": Medium.TEXT,
        "split_grouped": split,
        "text": f"Text {number} of the Ovenbird: naïve, “quoted”, 鳥.",
        "site": "wikipedia",
        "redistributable": True,
        "flags": ["piece:1/2"] if number % 2 else [],
        **more,
    }


def audio(number: int, label: int = 0, split: str | None = "test", **more: object) -> Row:
    row = text(number, label, split) | {"item_id": f"audio/{number}", "medium": Medium.AUDIO}
    del row["text"]
    facts = {"path": f"media/audio/{number}.flac", "sha256": "0" * 64, "bytes": 10}
    return row | facts | {"activity": {"snr_db": 3.5, "birdnet": 0.5}, "start_s": 0.25} | more


def faults_of(error: pytest.ExceptionInfo[FaultyInput]) -> list[str]:
    return [
        f"{fault.code} {fault.where.partition('`')[2].strip('`')}" for fault in error.value.faults
    ]


def test_equal_rows_give_equal_bytes_in_any_order(tmp_path: Path) -> None:
    rows = [text(n, label=n % 7) for n in range(200)]
    write_table(tmp_path / "a", rows, TEXT)
    random.Random(1).shuffle(rows)
    write_table(tmp_path / "b", rows, TEXT)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    order = [(r["label"], r["item_id"]) for r in read_table(tmp_path / "a", TEXT).to_pylist()]
    assert order == sorted(order)
    assert pq.read_schema(tmp_path / "a").metadata is None


def test_rejected_rows_that_differ_in_a_detail_alone_have_an_order_too(tmp_path: Path) -> None:
    rows = [rejection(text(1), "clean", "too_short", f"{n}") for n in range(9)]
    write_table(tmp_path / "a", rows, REJECTED)
    write_table(tmp_path / "b", rows[::-1], REJECTED)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("columns", [*MANIFESTS.values(), REJECTED, ABSENT])
def test_an_empty_table_keeps_its_columns(tmp_path: Path, columns: Sequence[Column]) -> None:
    write_table(tmp_path / "t", [], columns)
    table = read_table(tmp_path / "t", columns)
    assert table.num_rows == 0
    assert table.schema.names == [c.name for c in columns]


@pytest.mark.parametrize("make", [text, audio])
def test_every_reader_finds_the_same_rows(tmp_path: Path, make: Callable[..., Row]) -> None:
    columns = TEXT if make is text else AUDIO
    path = tmp_path / "m.parquet"
    write_table(path, [make(n, label=n % 3) for n in range(9)], columns)
    expected = read_table(path, columns).to_pylist()
    assert expected[0]["item_id"].endswith("0")
    assert pl.read_parquet(path).to_dicts() == expected
    found = duckdb.connect().execute("SELECT * FROM read_parquet(?)", [str(path)])
    names = [d[0] for d in found.description]
    assert [dict(zip(names, row, strict=True)) for row in found.fetchall()] == expected
    cache = str(tmp_path / "cache")
    loaded = datasets.load_dataset("parquet", data_files=str(path), split="train", cache_dir=cache)
    assert loaded.to_list() == expected
    frame = pd.read_parquet(path)
    again = pa.Table.from_pandas(frame, preserve_index=False).select([c.name for c in columns])
    frame_rows = [{k: v for k, v in row.items() if k != "bytes"} for row in again.to_pylist()]
    assert frame_rows == [{k: v for k, v in r.items() if k != "bytes"} for r in expected]


@pytest.mark.parametrize("tool", ["pandas", "polars"])
def test_a_manifest_that_went_through_another_tool_is_still_one(tmp_path: Path, tool: str) -> None:
    path, columns = tmp_path / "m.parquet", AUDIO
    write_table(path, [audio(1), audio(2, activity=None, start_s=None)], columns)
    expected = read_table(path, columns)
    if tool == "pandas":
        pd.read_parquet(path).assign(mine=1).to_parquet(path)
    else:
        pl.read_parquet(path).with_columns(pl.col("site").cast(pl.Categorical)).write_parquet(path)
    assert read_table(path, columns).equals(expected)


def test_all_faults_of_rows_are_told_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    rows = [
        audio(1, label=None),
        audio(2, path="../../etc/passwd", sha256="F" * 64),
        audio(3, path="/etc/passwd", split="dev", start_s="soon"),
        audio(3, medium="smell", bytes=2.5, activity={"loudness": 1.0}, colour="red"),
    ]
    with pytest.raises(FaultyInput) as error:
        write_table(tmp_path / "audio.parquet", rows, AUDIO)
    assert sorted(faults_of(error)) == [
        "FG-D002 colour",
        "FG-D003 activity",
        "FG-D003 bytes",
        "FG-D003 start_s",
        "FG-D005 label",
        "FG-D006 medium",
        "FG-D006 split_grouped",
        "FG-D007 item_id",
        "FG-D008 path",
        "FG-D009 sha256",
    ]
    assert "../../etc/passwd and 1 more" in str(error.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "path", ["../a", "a/../../b", "/a", "a\\b", "C:/a", "a\0b", "a\nb", "", ".."]
)
def test_no_path_leads_out_of_the_folder(tmp_path: Path, path: str) -> None:
    with pytest.raises(FaultyInput, match="FG-D008"):
        write_table(tmp_path / "t", [audio(1, path=path)], AUDIO)


@pytest.mark.parametrize("value", ["\ud800", b"\xff", 7, 2**70])
def test_text_that_is_no_text_is_a_fault(tmp_path: Path, value: object) -> None:
    with pytest.raises(FaultyInput) as error:
        write_table(tmp_path / "t", [text(1, title=value)], TEXT)
    assert faults_of(error) == ["FG-D003 title"]


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "m.parquet"
    table = pa.Table.from_pylist([text(1), text(1)]).drop_columns(["site", "split_grouped"])
    table = table.set_column(1, "label", pa.array([0.5, None]))
    pq.write_table(table, path)
    with pytest.raises(FaultyInput) as error:
        read_table(path, TEXT)
    told = faults_of(error)
    assert {"FG-D003 label", "FG-D004 site", "FG-D004 split_grouped", "FG-D007 item_id"} <= {*told}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"FG-D011.*none"):
        read_table(tmp_path / "none", TEXT)


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    write_bytes(tmp_path / "f", b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FgbenchError, match=r"FG-D010.*No space left"):
        write_bytes(tmp_path / "f", b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["f"]
    assert read_bytes(tmp_path / "f") == b"old"


def test_urls_of_fsspec_are_read_and_written(tmp_path: Path) -> None:
    rows = [text(n) for n in range(3)]
    write_table(tmp_path / "here", rows, TEXT)
    for url in ("memory://build/text.parquet", f"file://{tmp_path}/there/text.parquet"):
        write_table(url, rows, TEXT)
        assert read_bytes(url) == read_bytes(tmp_path / "here")
        assert read_table(url, TEXT).equals(read_table(tmp_path / "here", TEXT))
    with pytest.raises(InputError, match="FG-D011"):
        read_table("memory://build/none", TEXT)
    with pytest.raises(InputError, match="FG-D013"):
        read_table("gopher://build/none", TEXT)


def test_paths_need_no_fsspec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    write_bytes(tmp_path / "f", b"x")
    with pytest.raises(MissingExtra, match="fgbench\\[build\\]"):
        write_bytes("memory://f", b"x")


def test_checksums_are_those_of_sha256sum(tmp_path: Path) -> None:
    for name in ("b", "media/é a", "c"):
        write_bytes(tmp_path / name, name.encode())
    write_checksums(tmp_path, ["c", "b", "media/é a"])
    subprocess.run(["sha256sum", "--strict", "-c", io.SUMS], cwd=tmp_path, check=True)
    assert verify_checksums(tmp_path) == ("b", "c", "media/é a")


def test_every_file_that_is_not_as_its_checksum_says_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for name in ("in/kept", "in/changed", "in/gone", "out"):
        write_bytes(tmp_path / name, name.encode())
    write_checksums(folder, ["changed", "gone", "kept", "../out"])
    (folder / "gone").unlink()
    (folder / "loop").symlink_to("loop")
    write_bytes(folder / "changed", b"!")
    sums = read_bytes(folder / io.SUMS) + b"0  loop\n0  a\0b\n0  " + b"x" * 999 + b"\nno sum\n\n"
    write_bytes(folder / io.SUMS, sums)
    with pytest.raises(FaultyInput) as error:
        verify_checksums(folder)
    assert {f.code for f in error.value.faults} == {"FG-D012"}
    assert [f.found for f in error.value.faults] == [
        "a file outside the folder",
        hashlib.sha256(b"!").hexdigest(),
        "no such file",
        *["a name that no file can have"] * 3,
        *["no such file"] * 2,
    ]


def test_a_folder_of_manifests_is_a_benchmark(tmp_path: Path) -> None:
    texts = [text(n, label=n % 3, split=("train", "test")[n // 3]) for n in range(6)]
    texts += [text(n, label=8, split=("train", "test")[n % 2]) for n in range(10, 14)]
    texts.append(text(20, label=7, split=None))
    audios = [audio(n, label=n % 3, split=("train", "test")[n // 3]) for n in range(6)]
    audios += [audio(n, label=7, split=("train", "test")[n % 2]) for n in range(6, 10)]
    write_table(tmp_path / "text.parquet", texts, TEXT)
    write_table(tmp_path / "audio.parquet", audios, AUDIO)
    write_table(tmp_path / "rejected.parquet", [], REJECTED)
    write_benchmark(tmp_path, "mine", "Mine")
    spec = json.loads((tmp_path / "benchmark.json").read_text())
    assert spec["left_out"] == {"text": [7], "audio": [8]}
    assert set(spec["files"]) == {"text.parquet", "audio.parquet"}
    benchmark = load_benchmark(tmp_path)
    assert (benchmark.id, benchmark.split_column) == ("mine", "split_grouped")
    assert benchmark.labels.tolist() == [0, 1, 2, 7, 8]
    assert sorted(benchmark.items[Medium.TEXT].labels.tolist()) == [0, 1, 2, 8, 8]
    assert benchmark.taxonomy is not None
    write_bytes(tmp_path / "text.parquet", (tmp_path / "text.parquet").read_bytes() + b" ")
    with pytest.raises(FaultyInput, match="FG-B00"):
        load_benchmark(tmp_path)
