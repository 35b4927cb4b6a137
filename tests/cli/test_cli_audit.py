"""``fgbench audit``: what is printed and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_build import collected, write_build

from fgbench.cli import main
from fgbench.dataset.description import describe


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    code = 0
    try:
        main(["audit", *arguments])
    except SystemExit as end:
        code = int(end.code or 0)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_the_official_lists(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    code, out, err = run(capsys)
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert ["audio", "–", "12,000", "–", "–", "12,000", "200", "of", "200", "60", "each"] in lines
    assert "1,957 of 6,000 (33\u00a0%)  test items share class and leading recording number" in out
    assert "no train items are listed" in out


def test_a_build(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    describe(write_build(tmp_path), collected())
    code, out, err = run(capsys, str(tmp_path))
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert ["text", "audubon", "4", "2", "1", "1"] in lines
    assert "A small build & <b>more</b>" in out
    code, out, err = run(capsys, str(tmp_path), "--json")
    assert (code, err) == (0, "")
    assert out == (tmp_path / "manifests" / "audit.json").read_text()


def test_faults_are_told_without_a_traceback(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, err = run(capsys, str(tmp_path / "none"))
    assert (code, out) == (2, "")
    assert "FG-B001" in err
    describe(write_build(tmp_path), collected())
    written = json.loads((tmp_path / "manifests" / "audit.json").read_text())
    written["collected"]["read"]["text"]["wikipedia"] += 1
    (tmp_path / "manifests" / "audit.json").write_text(json.dumps(written))
    code, out, err = run(capsys, str(tmp_path), "--json")
    assert (code, out) == (1, "")
    assert "FG-A001" in err
