"""The command line as a whole: verbs, help, exit codes, and what it must not import."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import fgbench.cli
from fgbench.cli import VERBS, main


def test_the_table_of_verbs_is_the_folder():
    folder = Path(fgbench.cli.__file__).parent
    files = {p.stem.replace("_", "-") for p in folder.glob("*.py") if not p.stem.startswith("_")}
    assert files == set(VERBS)


@pytest.mark.parametrize("argv", [["--help"], ["--version"]])
def test_help_imports_nothing_heavy(argv):
    heavy = ["numba", "torch", "librosa", "pyarrow", "pandas", "numpy", "requests", "scipy"]
    code = (
        "import sys\nfrom fgbench.cli import main\n"
        f"try:\n    main({argv!r})\nexcept SystemExit:\n    pass\n"
        f"found = [m for m in {heavy!r} if m in sys.modules]\nassert not found, found\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb, capsys):
    main([verb, "--help"])
    assert "Usage" in capsys.readouterr().out


@pytest.mark.parametrize(
    "argv",
    [
        ["nonsense"],
        ["score"],
        ["score", "--nonsense"],
        ["score", "no-such-file.npz"],
        ["score", "--sample", "--benchmark", "no-such-benchmark"],
        ["score", "--sample", "--against", "fgcrossnat"],
        ["check", "no-such-file.npz"],
    ],
)
def test_a_users_mistake_is_exit_2_without_a_traceback(argv):
    command = [sys.executable, "-m", "fgbench", *argv]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert done.stderr.strip()


def test_json_prints_one_document_and_nothing_else(tmp_path):
    command = [sys.executable, "-m", "fgbench", "score", "--sample", "--json", "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record == json.loads((tmp_path / "record.json").read_text())
    assert record["record_version"] == 1
    assert record["benchmark"]["id"] == "fgxmedia-2019"
    assert len(record["scores"]) == 16
    assert set(record["means"]) == {"bimodal", "multimodal"}
    assert len(record["scores"]["i2all"]["ci95"]) == 2
    assert record["scores"]["i2all"]["map_self_included"] > record["scores"]["i2all"]["map"]


@pytest.mark.parametrize("verb", [["build-data", "--sample", "--out", "x"], ["sites", "list"]])
def test_a_missing_extra_is_named_with_the_line_that_installs_it(verb, tmp_path):
    code = (
        "import sys\nfor name in ('requests', 'lxml', 'bs4', 'warcio'):\n"
        f"    sys.modules[name] = None\nfrom fgbench.cli import main\nmain({verb!r})\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert 'pip install "fgbench[build]"' in done.stderr
    assert "Traceback" not in done.stderr
