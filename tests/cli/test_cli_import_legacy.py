"""``fgbench import-legacy`` as its users meet it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgbench.cli import main
from fgbench.submission import read_submission

COUNTS = {"image": 4, "text": 3}


@pytest.fixture
def ground(tmp_path):
    folder = tmp_path / "birds"
    folder.mkdir()
    for medium, count in COUNTS.items():
        columns = {
            "item_id": [f"{medium}/{i}" for i in range(count)],
            "medium": [medium] * count,
            "label": [i % 2 for i in range(count)],
            "split": ["test"] * count,
        }
        pq.write_table(pa.table(columns), folder / f"{medium}.parquet")
    return folder


@pytest.fixture
def features(tmp_path):
    folder = tmp_path / "features"
    for medium, count in COUNTS.items():
        (folder / medium).mkdir(parents=True)
        rows = np.arange(1, 2 * count + 1).reshape(count, 2)
        np.savetxt(folder / medium / "features_te.txt", rows)
    return folder


@pytest.fixture
def run(ground, features, tmp_path, capsys):
    def run(*arguments):
        code = 0
        try:
            main(["import-legacy", str(features), "--out", str(tmp_path / "o.npz"),
                  "--benchmark", str(ground), *arguments])  # fmt: skip
        except SystemExit as end:
            code = end.code
        return (code, *capsys.readouterr())

    return run


def test_features_become_a_submission(run, tmp_path):
    code, out, err = run()
    assert (code, err) == (0, "")
    assert "features_te.txt" in out
    assert "4 of 4 tasks can be scored" in " ".join(out.split())
    submission = read_submission(tmp_path / "o.npz")
    assert submission.ids["text"].tolist() == ["text/0", "text/1", "text/2"]
    assert submission.embedding("text").tolist() == [[1, 2], [3, 4], [5, 6]]


def test_all_faults_are_printed_and_nothing_is_written(run, features, tmp_path):
    (features / "image" / "features_te.txt").write_text("1 2\nnan 1\n1\n")
    (features / "text" / "features_te.txt").write_text("x 2\n" * 3)
    code, out, err = run()
    assert (code, out) == (2, "")
    for text in ("FG-S040", "line 2", "FG-S061", "3 lines for 4", "FG-S062", "FG-S063", "'x'"):
        assert text in err
    assert "Traceback" not in err
    assert not (tmp_path / "o.npz").exists()


def test_an_older_file_is_replaced_only_by_force(run, tmp_path):
    (tmp_path / "o.npz").write_bytes(b"mine")
    code, _, err = run()
    assert code == 2
    assert "FG-S014" in err
    assert (tmp_path / "o.npz").read_bytes() == b"mine"
    assert run("--force")[0] == 0
    assert read_submission(tmp_path / "o.npz")
