"""docs/submission.md: its table is the table of the code, its snippets run."""

from __future__ import annotations

import re

import pytest
from documented import ROOT, read_snippets

from fgbench.submission.card import KEYS
from fgbench.submission.faults import FAULTS
from fgbench.submission.layout import NAMES

DOCS = ROOT / "docs" / "submission.md"


@pytest.fixture(scope="module")
def text() -> str:
    return DOCS.read_text("utf-8")


def test_the_fault_table_is_the_code_s(text):
    rows = re.findall(r"^\| (FG-S\d+) \| (.*) \| (.*) \| (.*) \| (.*) \|$", text, re.MULTILINE)
    assert rows == [(c, k.title, k.expected, k.why, k.fix) for c, k in FAULTS.items()]


def test_the_snippets_run(text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    snippets = read_snippets(DOCS)
    assert len(snippets) >= 5
    exec("\n".join(snippets), {})
    printed = capsys.readouterr().out.splitlines()
    said = re.findall(r"^print\(.*\)  # (.*)$", "\n".join(snippets), re.MULTILINE)
    assert printed == said


def test_keys_and_members_are_named(text):
    for key in KEYS:
        assert f"`{key}`" in text
    named = {m for m in re.findall(r"`([\w/]+)`", text) if "_" in m or "/" in m}
    assert {"image_text/image", "scores/image_text"} <= named & set(NAMES)
