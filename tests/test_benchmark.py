"""Benchmarks: the shipped one, folders, and everything that can be wrong with a folder."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgbench.benchmark import load_benchmark, shipped
from fgbench.benchmark_json import SHIPPED_TAXONOMY
from fgbench.errors import FaultyInput, InputError
from fgbench.manifest import MAX_TEXT
from fgbench.protocol import Medium


def write(folder: Path, medium: str, /, **changes: Any) -> Path:
    """Twelve items of three classes, the first six of them test items; columns can be changed."""
    columns: dict[str, Any] = {
        "item_id": [f"{medium}/{n}" for n in range(12)],
        "medium": [medium] * 12,
        "label": [0, 0, 1, 1, 2, 2] * 2,
        "split": ["test"] * 6 + ["train"] * 6,
    }
    columns |= changes
    path = folder / f"{medium}.parquet"
    pq.write_table(pa.table({k: v for k, v in columns.items() if v is not None}), path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for medium in ("image", "audio"):
        write(tmp_path, medium)
    return tmp_path


def faults_of(folder: Path, **arguments: Any) -> dict[str, list[str]]:
    """Code to what was found, of a benchmark that must not open."""
    with pytest.raises(FaultyInput) as caught:
        load_benchmark(folder, **arguments)
    found: dict[str, list[str]] = {}
    for fault in caught.value.faults:
        assert fault.where
        assert fault.expected
        assert fault.fix
        found.setdefault(fault.code, []).append(f"{fault.where}: {fault.found}")
    return found


def test_shipped_benchmark_holds_the_official_test_lists() -> None:
    benchmark = load_benchmark()
    assert "fgxmedia-2019" in shipped()
    assert {m.value: len(items) for m, items in benchmark.items.items()} == {
        "image": 5794,
        "text": 4000,
        "video": 5682,
        "audio": 6000,
    }
    assert benchmark.train == {"image": 5994, "text": 4000, "video": 0, "audio": 6000}
    assert benchmark.labels.tolist() == list(range(200))
    assert len(benchmark.tasks) == 16
    assert benchmark.taxonomy is not None
    assert set(benchmark.files) == {f"{m}.parquet" for m in Medium} | {"species.parquet"}


def test_folder_without_a_declaration(folder: Path) -> None:
    benchmark = load_benchmark(folder)
    assert benchmark.id == folder.name
    assert benchmark.media == (Medium.IMAGE, Medium.AUDIO)
    assert [task.code for task in benchmark.tasks] == ["i2a", "a2i", "i2all", "a2all"]
    assert benchmark.items[Medium.IMAGE].ids.tolist() == [f"image/{n}" for n in range(6)]
    assert benchmark.items[Medium.IMAGE].labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert benchmark.train == {"image": 6, "audio": 6}
    digest = hashlib.sha256((folder / "image.parquet").read_bytes()).hexdigest()
    assert benchmark.files["image.parquet"] == digest


def test_several_files_a_medium_and_several_media_a_file(folder: Path) -> None:
    tables = [pq.read_table(folder / f"{m}.parquet") for m in ("image", "audio")]
    whole = load_benchmark(folder)
    for medium in ("image", "audio"):
        (folder / f"{medium}.parquet").unlink()
    pq.write_table(pa.concat_tables([tables[0].slice(0, 3), tables[1]]), folder / "a.parquet")
    pq.write_table(tables[0].slice(3), folder / "b.parquet")
    pieces = load_benchmark(folder)
    for medium in whole.media:
        assert pieces.items[medium].ids.tolist() == whole.items[medium].ids.tolist()


def test_build_folder_stands_for_its_manifests(folder: Path, tmp_path: Path) -> None:
    manifests = tmp_path / "out" / "manifests"
    manifests.mkdir(parents=True)
    for medium in ("image", "audio"):
        write(manifests, medium)
    (manifests / "benchmark.json").write_text('{"id": "built"}')
    assert load_benchmark(tmp_path / "out").id == "built"


def test_split_column(folder: Path) -> None:
    grouped = ["train"] * 6 + ["test"] * 6
    for medium in ("image", "audio"):
        write(folder, medium, split_grouped=grouped)
    assert load_benchmark(folder).items[Medium.IMAGE].ids[0] == "image/0"
    assert load_benchmark(folder, "split_grouped").items[Medium.IMAGE].ids[0] == "image/6"
    (folder / "benchmark.json").write_text('{"split_column": "split_grouped"}')
    assert load_benchmark(folder).split_column == "split_grouped"
    assert load_benchmark(folder, "split").items[Medium.IMAGE].ids[0] == "image/0"


@pytest.mark.parametrize(
    "encode",
    [
        {"use_dictionary": False},
        {"use_dictionary": False, "column_encoding": {"item_id": "DELTA_BYTE_ARRAY"}},
        {"compression": "gzip", "row_group_size": 2},
    ],
)
def test_any_encoding_reads_the_same(folder: Path, encode: dict[str, Any]) -> None:
    table = pq.read_table(folder / "image.parquet")
    pq.write_table(table, folder / "image.parquet", **encode)
    items = load_benchmark(folder).items[Medium.IMAGE]
    assert items.ids.tolist() == [f"image/{n}" for n in range(6)]


def test_more_columns_categories_and_small_integers_are_welcome(folder: Path) -> None:
    table = pq.read_table(folder / "image.parquet")
    table = table.set_column(2, "label", table["label"].cast(pa.int8()))
    table = table.set_column(1, "medium", table["medium"].dictionary_encode())
    table = table.append_column("box", pa.array([{"x": 1}] * 12))
    pq.write_table(table, folder / "image.parquet")
    assert load_benchmark(folder).items[Medium.IMAGE].labels.dtype == np.int64


def test_all_faults_of_a_folder_at_once(folder: Path) -> None:
    write(folder, "image", item_id=list(range(12)), label=None)
    write(folder, "audio", medium=["sound"] * 12)
    (folder / "text.parquet").write_text("not Parquet")
    found = faults_of(folder)
    assert set(found) == {"FG-B005", "FG-B006", "FG-B007", "FG-B008"}
    assert "label" in found["FG-B006"][0]
    assert "sound" in found["FG-B008"][0]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"label": [0.0, 1.0] * 6}, "FG-B007"),
        ({"label": pa.array([2**63] * 12, pa.uint64())}, "FG-B007"),
        ({"split": [True] * 12}, "FG-B007"),
        ({"medium": ["image", None] * 6}, "FG-B008"),
        ({"medium": ["image", "Image"] * 6}, "FG-B008"),
        ({"split": ["Test"] * 12}, "FG-B008"),
        ({"label": [None, *[0, 1, 2] * 3, 0, 1]}, "FG-B009"),
        ({"item_id": [None, *map(str, range(11))]}, "FG-B009"),
        ({"item_id": ["", *map(str, range(11))]}, "FG-B009"),
        ({"item_id": ["a", "a", *map(str, range(10))]}, "FG-B010"),
        ({"split": ["train"] * 12}, "FG-B011"),
        ({"label": [7, 7, 7, 1, 2, 0] * 2}, "FG-B012"),
        ({"item_id": ["x" * (MAX_TEXT + 1), *map(str, range(11))]}, "FG-B014"),
        ({"item_id": ["a\x00b", *map(str, range(11))]}, "FG-B014"),
        ({"item_id": ["\x1b[31m", *map(str, range(11))]}, "FG-B014"),
    ],
)
def test_each_fault(folder: Path, changes: dict[str, Any], code: str) -> None:
    write(folder, "image", **changes)
    found = faults_of(folder)
    assert set(found) == {code}
    assert "\x1b" not in str(found)


def test_rows_without_a_split_are_in_none(folder: Path) -> None:
    write(folder, "image", split=["test"] * 6 + [None] * 6, label=[0, 0, 1, 1, 2, 2] + [None] * 6)
    assert len(load_benchmark(folder).items[Medium.IMAGE]) == 6


def test_a_column_twice(folder: Path) -> None:
    table = pq.read_table(folder / "image.parquet")
    pq.write_table(table.append_column("label", table["label"]), folder / "image.parquet")
    assert set(faults_of(folder)) == {"FG-B006"}


def test_invalid_utf8_is_a_fault(folder: Path) -> None:
    ids = pa.array([b"\xff\xfe", *(b"%d" % n for n in range(11))], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 12, ids.buffers())
    write(folder, "image", item_id=text)
    assert set(faults_of(folder)) == {"FG-B005"}


def test_a_string_a_million_times_stays_small(folder: Path) -> None:
    """One string of a megabyte, 500,000 times: half a terabyte if it were spelled out."""
    ids = pa.DictionaryArray.from_arrays(pa.array(np.zeros(500_000, "i4")), ["x" * 1_000_000])
    rows = {"medium": "image", "split": "test"}
    columns = {k: pa.array([v]).take(pa.array(np.zeros(500_000, "i4"))) for k, v in rows.items()}
    table = pa.table({"item_id": ids, "label": np.zeros(500_000, int), **columns})
    pq.write_table(table, folder / "image.parquet", compression="zstd")
    assert set(faults_of(folder)) == {"FG-B014"}


def test_too_many_rows_are_refused_unread(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fgbench.manifest.MAX_ROWS", 11)
    assert set(faults_of(folder)) == {"FG-B013"}


def test_declared_hashes_are_held(folder: Path) -> None:
    wrong = {"image.parquet": "0" * 64, "audio.parquet": "", "gone.parquet": ""}
    (folder / "benchmark.json").write_text(json.dumps({"files": wrong}))
    found = faults_of(folder)
    assert set(found) == {"FG-B003", "FG-B004"}
    assert found["FG-B004"][0].startswith("image.parquet")


def test_only_declared_files_are_read(folder: Path) -> None:
    (folder / "stray.parquet").write_text("not Parquet")
    assert set(faults_of(folder)) == {"FG-B005"}
    files = {"image.parquet": "", "audio.parquet": ""}
    (folder / "benchmark.json").write_text(json.dumps({"files": files}))
    assert load_benchmark(folder).media == (Medium.IMAGE, Medium.AUDIO)


@pytest.mark.parametrize(
    "text",
    ["", "[]", '"x"', "{", "[" * 100_000, "\ufeff{}", " " * 1_000_001, '{"id": 1e999}'],
)
def test_broken_declaration(folder: Path, text: str) -> None:
    (folder / "benchmark.json").write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        load_benchmark(folder)
    assert caught.value.code == "FG-B002"


def test_all_faults_of_a_declaration_at_once(folder: Path) -> None:
    hostile = {
        "id": "",
        "title": "\x1b[31mred",
        "split_column": ["split"],
        "files": {"../image.parquet": ""},
        "taxonomy": "/etc/passwd",
        "left_out": {"smell": [1]},
    }
    (folder / "benchmark.json").write_text(json.dumps(hostile))
    assert len(faults_of(folder)["FG-B002"]) == len(hostile)


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "/x", "a/b", "a\x00b", "x/", "a\nb"])
def test_nothing_outside_the_folder_is_read(folder: Path, name: str) -> None:
    (folder / "benchmark.json").write_text(json.dumps({"files": {name: ""}}))
    assert set(faults_of(folder)) == {"FG-B002"}


def test_classes_may_be_left_out_if_declared(folder: Path) -> None:
    write(folder, "audio", label=[0, 0, 1, 1, 1, 0] * 2)
    found = faults_of(folder)
    assert found["FG-B012"] == [
        "task I→A: 1 classes of queries have no other item there, as label 2"
    ]
    (folder / "benchmark.json").write_text('{"left_out": {"audio": [2]}}')
    assert load_benchmark(folder).left_out == {"audio": {2}}


def test_leaving_every_class_out_asks_nothing(folder: Path) -> None:
    write(folder, "audio", label=[5] * 12)
    (folder / "benchmark.json").write_text('{"left_out": {"audio": [0, 1, 2], "image": [5]}}')
    assert len(faults_of(folder)["FG-B012"]) == 2


def taxonomy(folder: Path, name: str = "species.parquet", **changes: Any) -> None:
    ranks = ("name", "genus", "family", "order")
    columns = {"label": [2, 0, 1], **{rank: ["c", "a", "b"] for rank in ranks}} | changes
    pq.write_table(pa.table(columns), folder / name)


def test_taxonomy_is_read_in_the_order_of_labels(folder: Path) -> None:
    taxonomy(folder, genus=["G", "F", "G"], family=["X", "X", "X"])
    found = load_benchmark(folder).taxonomy
    assert found is not None
    assert found.names == ("a", "b", "c")
    assert found.gains().tolist() == [[3, 1, 1], [1, 3, 2], [1, 2, 3]]


def test_same_genus_name_in_two_families_is_no_kinship(folder: Path) -> None:
    taxonomy(folder, genus=["G", "G", "H"], family=["X", "Y", "X"])
    found = load_benchmark(folder).taxonomy
    assert found is not None
    assert found.gains().tolist() == [[3, 0, 0], [0, 3, 1], [0, 1, 3]]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"genus": ["a", None, "b"]}, "FG-B015"),
        ({"label": [0, 1, 1]}, "FG-B015"),
        ({"label": [0, 1, 9]}, "FG-B015"),
        ({"label": [0, 1, None]}, "FG-B015"),
        ({"family": [1, 2, 3]}, "FG-B007"),
    ],
)
def test_broken_taxonomy(folder: Path, changes: dict[str, Any], code: str) -> None:
    taxonomy(folder, **changes)
    assert set(faults_of(folder)) == {code}


def test_taxonomy_by_name_and_the_shipped_one(folder: Path) -> None:
    taxonomy(folder, "tree.parquet")
    (folder / "benchmark.json").write_text('{"taxonomy": "tree.parquet"}')
    tree = load_benchmark(folder).taxonomy
    assert tree is not None
    assert tree.names == ("a", "b", "c")
    (folder / "tree.parquet").unlink()
    assert set(faults_of(folder)) == {"FG-B003"}
    (folder / "benchmark.json").write_text(json.dumps({"taxonomy": SHIPPED_TAXONOMY}))
    birds = load_benchmark(folder).taxonomy
    assert birds is not None
    assert birds.names[:2] == ("Black-footed Albatross", "Laysan Albatross")


@pytest.mark.parametrize("source", ["no-such", "", "a\x00b", "x" * 5000, "../no-such"])
def test_unknown_benchmark(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        load_benchmark(source)
    # An empty name is the working directory, which holds no items here.
    assert caught.value.code == ("FG-B011" if source == "" else "FG-B001")


FUZZ = """
import random, sys
from pathlib import Path
from fgbench.benchmark import load_benchmark
from fgbench.errors import InputError

folder, random = Path(sys.argv[1]), random.Random(7)
path = folder / "image.parquet"
good = path.read_bytes()
refused = 0
for _ in range(400):
    bad = bytearray(good)
    for _ in range(random.choice((1, 2, 5, 30))):
        at = random.randrange(len(bad))
        if random.random() < 0.8:
            bad[at] = random.randrange(256)
        else:
            del bad[at : at + 9]
    path.write_bytes(bad)
    try:
        load_benchmark(folder)
    except InputError:
        refused += 1
print(refused)
"""


def test_broken_bytes_end_in_a_fault(folder: Path) -> None:
    """In a process of its own: an error inside pyarrow's C++ must not end it either."""
    done = subprocess.run(
        [sys.executable, "-c", FUZZ, str(folder)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 300
