"""``fgbench compare`` as its users meet it: what is printed, and how it fails."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgbench.benchmark import load_benchmark
from fgbench.cli import main
from fgbench.protocol import tasks

SPECIES = 15


@pytest.fixture
def ground(tmp_path):
    """A benchmark of four media, two items a species."""
    folder = tmp_path / "bench"
    folder.mkdir()
    for medium in ("image", "text", "video", "audio"):
        labels = np.repeat(np.arange(SPECIES), 2)
        columns = {
            "item_id": [f"{medium}/{i}" for i in range(len(labels))],
            "medium": [medium] * len(labels),
            "label": labels,
            "split": ["test"] * len(labels),
        }
        pq.write_table(pa.table(columns), folder / f"{medium}.parquet")
    return folder


def write_run(ground, name, levels, method):
    """A run whose AP is about ``levels[task]`` (0.5 where none is said)."""
    rng = np.random.default_rng(len(name))
    parts = []
    for task in tasks():
        ap = rng.normal(levels.get(task.code, 0.5), 0.05, 2 * SPECIES).clip(0, 0.8)
        included = pa.nulls(len(ap), pa.float32()) if task.bimodal else pa.array(ap + 0.1)
        columns = {
            "item_id": [f"{task.query}/{i}" for i in range(len(ap))],
            "task": [task.code] * len(ap),
            "ap_excluded": pa.array(ap).cast(pa.float32()),
            "ap_included": included.cast(pa.float32()),
        }
        parts.append(pa.table(columns))
    folder = ground.parent / name
    folder.mkdir()
    pq.write_table(pa.concat_tables(parts), folder / "per_query.parquet")
    digest = hashlib.sha256((folder / "per_query.parquet").read_bytes()).hexdigest()
    files = dict(load_benchmark(ground).files)
    record = {
        "record_version": 1,
        "protocol": "fgx-1",
        "package_version": "0.1.0",
        "status": "self-reported",
        "complete": True,
        "benchmark": {"id": "bench", "split_column": "split", "files": files},
        "submission": {"sha256": "0" * 64, "meta": {"method": method}},
        "scores": {},
        "means": {},
        "missing": {},
        "merge": None,
        "bootstrap": {},
        "per_query": {"sha256": digest, "file": "per_query.parquet"},
    }
    (folder / "record.json").write_text(json.dumps(record))
    return str(folder)


@pytest.fixture
def runs(ground):
    """A is far better at I→T, B at T→I, nothing else differs but by noise."""
    a = write_run(ground, "a", {"i2t": 0.7, "t2i": 0.3}, "Alpha")
    return a, write_run(ground, "bb", {"i2t": 0.3, "t2i": 0.7}, "Beta")


@pytest.fixture
def compare(ground, capsys, monkeypatch):
    """Calls the verb and returns stdout; stderr must be empty."""

    def call(*arguments, columns=80):
        monkeypatch.setenv("COLUMNS", str(columns))
        main(["compare", *arguments, "--benchmark", str(ground)])
        out, err = capsys.readouterr()
        assert err == ""
        return out

    return call


def line_of(title, out):
    return next(line for line in out.splitlines() if line.startswith(title))


def test_prints_every_task_with_its_verdict_within_80_columns(runs, compare):
    out = compare(*runs)
    assert all(len(line.rstrip()) <= 80 for line in out.splitlines())
    assert all(line_of(task.title, out) for task in tasks())
    assert line_of("I→T", out).rstrip().endswith("A better")
    assert line_of("T→I", out).rstrip().endswith("B better")
    assert line_of("V→A", out).rstrip().endswith("not separable")
    assert "…" in line_of("I→T", out)
    assert "●" not in out
    assert "Alpha" in line_of("A  ", out)
    assert "Beta" in line_of("B  ", out)


def test_says_one_sentence_for_each_mean(runs, compare):
    words = " ".join(compare(*runs).split())
    assert "Bi-modal mean: A and B are not separable (A ." in words
    assert "X→All mean: A and B are not separable (A ." in words


def test_names_the_better_run_in_the_sentence(ground, runs, compare):
    worse = write_run(ground, "worse", {task.code: 0.1 for task in tasks()}, "Gamma")
    words = " ".join(compare(worse, runs[1]).split())
    assert "Bi-modal mean: B, Beta, is better (A ." in words


def test_a_wide_terminal_gets_bars_on_the_side_of_the_better_run(runs, compare):
    out = compare(*runs, columns=120)
    assert all(len(line.rstrip()) <= 120 for line in out.splitlines())
    ahead, behind = line_of("I→T", out), line_of("T→I", out)
    assert ahead.index("│") < ahead.index("●")
    assert behind.index("●") < behind.index("│")
    assert "B better │ A better" in out


def test_says_how_the_query_stands_in_its_own_gallery(runs, compare):
    excluded, included = (
        " ".join(compare(*runs, "--self", s).split()) for s in ("excluded", "included")
    )
    assert "the query does not stand in its own gallery" in excluded
    assert "the query stands in its own gallery" in included
    shown = [
        line_of("I→All", compare(*runs, "--self", s)).split()[1] for s in ("excluded", "included")
    ]
    assert float(shown[1]) == pytest.approx(float(shown[0]) + 0.1, abs=2e-4)


def test_json_is_one_strict_document_and_nothing_else(runs, compare):
    document = json.loads(compare(*runs, "--json"), parse_constant=pytest.fail)
    assert list(document["tasks"]) == [task.code for task in tasks()]
    assert document["tasks"]["i2t"]["verdict"] == "a better"
    low, high = document["tasks"]["i2t"]["ci95"]
    assert low < document["tasks"]["i2t"]["difference"] < high
    assert document["means"].keys() == {"bimodal", "multimodal"}
    assert document["a"]["name"] == "Alpha"


def test_a_method_cannot_write_to_the_terminal(ground, compare):
    name = "[bold red]\x1b[2J\u202ename"
    one, two = (write_run(ground, folder, {}, name) for folder in ("a", "bb"))
    out = compare(one, two)
    assert "[bold red]" in out
    assert "\x1b" not in out
    assert "\u202e" not in out


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_a_faulty_call_exits_2_with_a_code_and_no_traceback(runs, capsys, flags):
    with pytest.raises(SystemExit) as stop:
        main(["compare", runs[0], "nowhere", *flags])
    out, err = capsys.readouterr()
    assert stop.value.code == 2
    assert out == ""
    assert "FG-C001" in err
    assert "nowhere" in err
    assert "Traceback" not in err
