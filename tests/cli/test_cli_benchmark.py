"""``fgbench benchmark``: what is printed and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgbench.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    code = 0
    try:
        main(["benchmark", *arguments])
    except SystemExit as end:
        code = int(end.code or 0)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for medium in ("image", "audio"):
        columns = {
            "item_id": [f"{medium}/{n}" for n in range(8)],
            "medium": [medium] * 8,
            "label": [0, 0, 0, 1] * 2,
            "split": ["test"] * 4 + ["train"] * 4,
        }
        pq.write_table(pa.table(columns), tmp_path / f"{medium}.parquet")
    spec = {"title": "[bold]Birds[/bold]", "left_out": {"audio": [1]}}
    (tmp_path / "benchmark.json").write_text(json.dumps(spec))
    return tmp_path


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "list")
    assert (code, err) == (0, "")
    assert "fgxmedia-2019 (default)" in out
    code, out, _ = run(capsys, "list", "--json")
    assert [entry["id"] for entry in json.loads(out)] == ["fgxmedia-2019"]


def test_show_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "show")
    assert (code, err) == (0, "")
    for text in ("5,794", "5,682", "21,476", "none listed", "0.0054 (0.0153)", "37 families"):
        assert text in out


def test_show_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "show", "fgxmedia-2019", "--json")
    shown = json.loads(out)
    assert (code, err) == (0, "")
    assert shown["classes"] == 200
    assert shown["media"]["video"] == {
        "train": 0,
        "test": 5682,
        "classes": 200,
        "test_per_class": {"min": 3, "median": 26.5, "max": 94},
        "left_out": [],
    }
    assert len(shown["tasks"]) == 16
    assert shown["tasks"]["i2t"]["chance_self_included"] is None
    assert shown["tasks"]["v2all"]["chance"] == pytest.approx(0.0059, abs=5e-5)
    assert len(shown["files"]["species.parquet"]) == 64


def test_show_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "show", str(folder))
    assert code == 0
    assert "[bold]Birds[/bold]" in out  # markup from outside is text
    assert "Taxonomy: none" in out
    assert "(1 left out)" in out
    assert "text" not in out


def test_split_column(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "show", str(folder), "--split-column", "split_grouped")
    assert (code, out) == (2, "")
    assert "FG-B006" in err
    assert "split_grouped" in err


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_faults_go_to_stderr(
    extra: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "image.parquet").write_text("no")
    code, out, err = run(capsys, "show", str(tmp_path), *extra)
    assert (code, out) == (2, "")
    assert "FG-B005" in err
    assert "Traceback" not in err


def test_unknown_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "show", "no-such")
    assert (code, out) == (2, "")
    assert "FG-B001" in err
    assert "fgxmedia-2019" in err
