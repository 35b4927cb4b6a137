"""docs/features.md names every code, and no other; what it writes can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from documented import read_snippets

from fgbench.media.features import read_features
from fgbench.submission.faults import Code

ROOT = Path(__file__).resolve().parents[2]


def test_the_codes_are_those_of_the_code() -> None:
    of_files = {code.replace("FG-S", "FG-F") for code in Code}
    sources = [*(ROOT / "fgbench").rglob("*.py")]
    raised = {c for path in sources for c in re.findall(r'"(FG-F\d{3})"', path.read_text("utf-8"))}
    listed = set(
        re.findall(r"^\| (FG-F\d{3}) \|", (ROOT / "docs/features.md").read_text("utf-8"), re.M)
    )
    assert raised <= listed
    assert listed <= raised | of_files


def test_files_that_a_user_writes_so_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (snippet,) = read_snippets(ROOT / "docs/features.md")
    monkeypatch.chdir(tmp_path)
    exec(snippet, {})
    image = read_features(tmp_path / "image.npz", parts=True).parts
    assert image.counts.tolist() == [2, 1]
    assert image.boxes.shape == (3, 4)
    text = read_features(tmp_path / "text.npz", parts=True).parts
    assert text.vocabulary[text.rows].tolist() == ["an", "owl", "<unk>", "owl"]
