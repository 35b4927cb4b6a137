"""Croissant: mlcroissant takes it without a remark, reads every row, and finds what was changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_build import collected, write_build

from fgbench.dataset.description import describe
from fgbench.dataset.io import read_table
from fgbench.dataset.schema import ABSENT, MANIFESTS, REJECTED, arrow_schema
from fgbench.protocol import Medium

mlc = pytest.importorskip("mlcroissant")

TABLES = {
    "text": MANIFESTS[Medium.TEXT],
    "audio": MANIFESTS[Medium.AUDIO],
    "rejected": REJECTED,
    "absent": ABSENT,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = write_build(tmp_path)
    describe(folder, collected())
    return folder


def read(folder: Path) -> Any:
    return mlc.Dataset(jsonld=str(folder / "croissant.json"))


def plain(record: dict[str, Any]) -> dict[str, Any]:
    """A record as the row that it is of: ids without their table, text as text."""

    def value(found: Any) -> Any:
        if isinstance(found, dict):
            return plain(found)
        if isinstance(found, list):
            return [value(part) for part in found]
        return found.decode() if isinstance(found, bytes) else found

    return {name.rpartition("/")[2]: value(found) for name, found in record.items()}


def test_there_is_nothing_to_remark_on(folder: Path) -> None:
    issues = read(folder).metadata.ctx.issues
    assert issues.errors == set()
    assert issues.warnings == set()


@pytest.mark.parametrize("table", TABLES)
def test_every_record_is_the_row(folder: Path, table: str) -> None:
    rows = read_table(folder / f"{table}.parquet", TABLES[table]).to_pylist()
    found = [plain(record) for record in read(folder).records(table)]
    for row in rows:
        if "activity" in row and row["activity"] is None:
            row["activity"] = dict.fromkeys(("energy", "flatness", "snr_db", "birdnet"))
    assert found == rows


def test_every_column_has_its_field(folder: Path) -> None:
    found = json.loads((folder / "croissant.json").read_text())
    fields = {r["@id"]: [f["name"] for f in r["field"]] for r in found["recordSet"]}
    assert fields == {name: arrow_schema(columns).names for name, columns in TABLES.items()}
    assert all(f["description"] for r in found["recordSet"] for f in r["field"])


def test_the_files_are_those_of_the_folder(folder: Path) -> None:
    found = json.loads((folder / "croissant.json").read_text())
    sums = dict(line.split("  ")[::-1] for line in (folder / "SHA256SUMS").read_text().splitlines())
    assert {f["name"]: f["sha256"] for f in found["distribution"]} == {
        f"{name}.parquet": sums[f"{name}.parquet"] for name in TABLES
    }


def test_what_a_reader_should_know_is_told(folder: Path) -> None:
    found = json.loads((folder / "croissant.json").read_text())
    assert found["conformsTo"][0] == "http://mlcommons.org/croissant/1.1"
    assert found["license"] == ["https://creativecommons.org/licenses/by-sa/4.0/"]
    assert found["version"] == "2019.1.24"
    assert found["rai:dataCollectionTimeframe"] == ["2019-01-02", "2019-01-24"]
    assert "fandom" in found["rai:dataCollection"]
    assert "Not there at a site: 1" in found["rai:dataCollectionMissingData"]
    assert any("split_grouped, 1 of 3" in said for said in found["rai:dataLimitations"])


@pytest.mark.parametrize(
    ("path", "value", "step"),
    [
        (("distribution", 0, "sha256"), "0" * 64, "Download"),
        (("recordSet", 0, "field", 0, "source", "extract", "column"), "no_such", "Read"),
    ],
)
def test_these_checks_can_fail(folder: Path, path: tuple[Any, ...], value: str, step: str) -> None:
    metadata = folder / "croissant.json"
    found = part = json.loads(metadata.read_text())
    for key in path[:-1]:
        part = part[key]
    assert part[path[-1]] != value
    part[path[-1]] = value
    metadata.write_text(json.dumps(found))
    table = found["distribution"][0]["@id"]
    with pytest.raises(Exception, match=rf"{step}\({table}\)"):
        list(read(folder).records(table.removesuffix(".parquet")))


def test_a_changed_table_is_found(folder: Path) -> None:
    path = folder / "text.parquet"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(Exception, match=r"Download\(text.parquet\)"):
        list(read(folder).records("text"))
