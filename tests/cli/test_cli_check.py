"""``fgbench check`` as its users meet it: what is printed, the exit code, one JSON document."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgbench.cli import main

COUNTS = {"image": 4, "text": 3, "video": 2, "audio": 3}


@pytest.fixture
def ground(tmp_path):
    folder = tmp_path / "birds"
    folder.mkdir()
    for medium, count in COUNTS.items():
        columns = {
            "item_id": [f"{medium}/{i}" for i in range(count)],
            "medium": [medium] * count,
            "label": [i % 2 for i in range(count)],
            "split": ["train"] * count,
            "fold": ["test"] * count,
        }
        pq.write_table(pa.table(columns), folder / f"{medium}.parquet")
    return folder


@pytest.fixture
def run(ground, capsys):
    """Call ``fgbench check``; returns exit code, stdout and stderr."""

    def run(*arguments):
        code = 0
        try:
            main(
                [
                    "check",
                    *map(str, arguments),
                    "--benchmark",
                    str(ground),
                    "--split-column",
                    "fold",
                ]
            )
        except SystemExit as end:
            code = end.code
        return (code, *capsys.readouterr())

    return run


def arrays(*media):
    return {m: np.ones((COUNTS[m], 2), np.float32) for m in media} | {
        f"{m}_ids": np.array([f"{m}/{i}" for i in range(COUNTS[m])]) for m in media
    }


def test_a_whole_submission(run, tmp_path):
    np.savez(tmp_path / "s.npz", **arrays(*COUNTS), meta='{"method": "ones"}')
    code, out, err = run(tmp_path / "s.npz")
    assert (code, err) == (0, "")
    assert "16 of 16 tasks can be scored" in " ".join(out.split())
    assert "image 4 · text 3 · video 2 · audio 3" in out
    assert "ones" in out
    assert out.count("✓") == 1 + 16


def test_an_incomplete_one_says_what_it_lacks(run, tmp_path):
    np.savez(tmp_path / "s.npz", **arrays("image", "text", "audio"))
    code, out, _ = run(tmp_path / "s.npz")
    assert code == 0
    for text in ("6 of 16 tasks", "never ranked", "Cannot be scored: I→V,", "(no video)"):
        assert text in " ".join(out.split())


def test_faults_are_printed_with_their_mending(run, tmp_path):
    bad = arrays(*COUNTS)
    bad["image"][3, 1] = np.nan
    bad["text_ids"][0] = "text/99"
    np.savez(tmp_path / "s.npz", **bad)
    code, out, err = run(tmp_path / "s.npz")
    assert (code, err) == (2, "")
    assert "3 faults. Nothing can be scored." in " ".join(out.split())
    for text in ("FG-S040", "row 3 ('image/3')", "FG-S052", "FG-S053", "fix", "why"):
        assert text in out
    assert "Traceback" not in out


def test_json_of_a_sound_file(run, tmp_path):
    np.savez(tmp_path / "s.npz", **arrays("image", "text"))
    code, out, _ = run(tmp_path / "s.npz", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["ok"] is True
    assert document["complete"] is False
    assert document["space"] == "common"
    assert document["items"] == {"image": 4, "text": 3}
    assert document["scored"] == ["i2t", "t2i"]
    assert set(document["missing"]) >= {"i2all", "v2a"}
    assert document["benchmark"]["id"] == "birds"


def test_json_of_a_faulty_file(run, tmp_path):
    (tmp_path / "s.npz").write_text("0.1 0.2")
    code, out, err = run(tmp_path / "s.npz", "--json")
    document = json.loads(out)
    assert (code, err) == (2, "")
    assert document["ok"] is False
    (fault,) = document["faults"]
    assert set(fault) == {"code", "title", "where", "found", "expected", "why", "fix"}
    assert fault["code"] == "FG-S002"


@pytest.mark.parametrize("extra", [(), ("--json",)])
def test_no_file(run, tmp_path, extra):
    code, out, err = run(tmp_path / "none.npz", *extra)
    assert (code, out) == (2, "")
    assert "FG-S001" in err


def test_nothing_of_the_file_reaches_the_terminal_raw(run, tmp_path):
    hostile = "\x1b[31m\x07[bold]\u202e"
    bad = arrays(*COUNTS) | {"meta": json.dumps({"method": hostile})}
    np.savez(tmp_path / "s.npz", **bad)
    _, out, _ = run(tmp_path / "s.npz")
    assert "\\x1b[31m\\x07[bold]\\u202e" in out
    bad["text_ids"] = np.array(["text/0", "text/1", "[red]\u202e"])
    np.savez(tmp_path / "s.npz", **bad, **{"[link=x]y\x1b": np.ones(1)})
    _, out, _ = run(tmp_path / "s.npz")
    assert "'[red]\\u202e'" in out
    assert "[link=x]y\\x1b" in out
    assert not {"\x1b", "\x07", "\u202e"} & set(out)
