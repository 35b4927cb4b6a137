"""docs/footguns.md: what its commands and snippets print is what it says that they print."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from documented import ROOT, read_snippets

from fgbench import load_benchmark
from fgbench.cli import main
from fgbench.protocol import SelfMatch, tasks
from fgbench.scoring.chance import expected_map

DOCS = ROOT / "docs" / "footguns.md"
NUMBER = re.compile(r"\d+\.\d+")


@pytest.fixture(scope="module")
def text() -> str:
    return DOCS.read_text("utf-8")


@pytest.fixture
def audited(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs ``fgbench audit`` on a folder or id; returns its document."""

    def call(source: str) -> dict[str, Any]:
        capsys.readouterr()
        main(["audit", source, "--json"])
        return json.loads(capsys.readouterr().out)

    return call


def said(snippet: str) -> list[str]:
    """What a snippet's comments say that it prints, at a line's end or after it."""
    return re.findall(r"^(?:print\(.*\)  |)# (.*)$", snippet, re.MULTILINE)


def test_snippets_print_what_is_said(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    snippets = read_snippets(DOCS)
    ours = "\n".join(s for s in snippets if not s.startswith("# needs"))
    assert len(snippets) >= 7
    exec(ours, {})
    printed = capsys.readouterr().out.splitlines()
    assert [NUMBER.sub("#", line) for line in printed] == [NUMBER.sub("#", s) for s in said(ours)]
    for line, expected in zip(printed, said(ours), strict=True):
        numbers = [[float(n) for n in NUMBER.findall(words)] for words in (line, expected)]
        # Sums of float32 differ in their last bit from one machine to the next, and so do ties.
        assert numbers[0] == pytest.approx(numbers[1], rel=0.01)


def test_scores_and_chance_are_as_is_said(text: str) -> None:
    golden = json.loads((DOCS.parents[1] / "tests" / "golden" / "sample.json").read_text())["maps"]
    for end, words in (("", "{} without"), (" self", "{} with\n")):
        mean = fmean(golden[f"{code}2all{end}"] for code in "itva")
        assert words.format(f"{mean:.3f}"[1:]) in text
    official = load_benchmark()
    for task, self_match, words in (
        ("i2all", SelfMatch.EXCLUDED, "{} without the query"),
        ("i2all", SelfMatch.INCLUDED, "{} with it"),
        ("i2t", SelfMatch.EXCLUDED, "A random order gives {}"),
    ):
        (asked,) = (t for t in tasks() if t.code == task)
        chance = expected_map(official, asked, self_match)
        assert words.format(f"{chance:.4f}"[1:]) in text


def test_the_official_lists_leak_as_is_said(text: str, audited: Any) -> None:
    document = audited("fgxmedia-2019")
    rows = re.findall(r"^\| (image|text|video|audio) \|(.*)\|$", text, re.MULTILINE)
    assert [medium for medium, _ in rows] == ["image", "text", "video", "audio"]
    for medium, cells in rows:
        found = document["classes"][medium]
        items, classes, each, leak = (cell.strip() for cell in cells.split("|"))
        assert items == f"{document['counts'][medium]['kept']:,}"
        assert classes == str(found["present"])
        low, high = found["items"]["min"], found["items"]["max"]
        assert each == (str(low) if low == high else f"{low} to {high}")
        leaking = document["leakage"]["split"][medium]["leaking"]
        assert (
            (f"{leaking:,} of 6,000" in leak) if leaking else leak[:9] in ("the lists", "no train ")
        )


def test_the_sample_world_leaks_as_is_said(text: str, audited: Any, tmp_path: Path) -> None:
    out = str(tmp_path / "texts")
    main(["build-data", "--sample", "--media", "text", "--out", out])
    document = audited(out)
    found = re.search(
        r"`split_paper`: (\d+) of (\d+) test texts .*?`split_grouped`: (\d+)\s+of\s+(\d+)",
        text,
        re.DOTALL,
    )
    assert found is not None
    leaks = (document["leakage"][split]["text"] for split in ("split_paper", "split_grouped"))
    sources = [leak["rules"]["source"] for leak in leaks]
    assert [int(n) for n in found.groups()] == [n for s in sources for n in (s["items"], s["of"])]


def test_every_trap_is_in_the_table_and_says_what_fgbench_does(text: str) -> None:
    titles = re.findall(r"^### (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    assert set(re.findall(r"\(#([\w-]+)\)", text)) == anchors
    for trap in re.split(r"^###? ", text, flags=re.MULTILINE)[1:]:
        assert "**fgbench** " in trap or "\n" not in trap.strip()
