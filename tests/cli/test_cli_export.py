"""``fgbench export``: what is printed and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_build import collected, write_build

from fgbench.cli import main
from fgbench.dataset.description import describe


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    code = 0
    try:
        main(["export", *map(str, arguments)])
    except SystemExit as end:
        code = int(end.code or 0)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.fixture
def build(tmp_path: Path) -> Path:
    describe(write_build(tmp_path / "build"), collected())
    return tmp_path / "build"


@pytest.mark.parametrize(
    ("options", "whole", "pointers", "warned"),
    [([], 7, 0, True), (["--redistributable"], 5, 2, False), (["--pointers"], 0, 7, False)],
)
def test_three_ways_to_export(
    capsys: pytest.CaptureFixture[str],
    build: Path,
    tmp_path: Path,
    options: list[str],
    whole: int,
    pointers: int,
    warned: bool,
) -> None:
    code, out, err = run(capsys, build, "--to", tmp_path / "out", *options)
    assert (code, err) == (0, "")
    assert ["text", str(whole), str(pointers)] in [line.split() for line in out.splitlines()]
    assert ("may not be passed on" in out) is warned
    code, out, err = run(capsys, build, "--to", tmp_path / "json", *options, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["whole"]["text"] == whole


def test_faults_are_told_without_a_traceback(
    capsys: pytest.CaptureFixture[str], build: Path, tmp_path: Path
) -> None:
    code, out, err = run(capsys, build, "--to", tmp_path / "o", "--redistributable", "--pointers")
    assert (code, out) == (2, "")
    assert "not both" in err
    code, _, err = run(capsys, build, "--to", build)
    assert code == 2
    assert "FG-T001" in err
    assert not (tmp_path / "o").exists()
