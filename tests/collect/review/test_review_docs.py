"""docs/review.md: its keys are the page's, its columns the table's, and its snippet joins."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest
from documented import ROOT, read_snippets

from fgbench.collect.review.decisions import REVIEW, Decision, Decisions, replay

KEEP, DROP = Decision.KEEP, Decision.DROP

DOC = ROOT / "docs" / "review.md"


@pytest.fixture(scope="module")
def text() -> str:
    return DOC.read_text("utf-8")


def table(text: str, first: str) -> list[str]:
    """The first cells of the table whose first heading that is."""
    _, _, rest = text.partition(f"| {first} |")
    rows = rest.split("\n\n")[0].splitlines()[2:]
    return [row.split("|")[1].strip() for row in rows]


def test_the_columns_are_the_table_s(text: str) -> None:
    assert table(text, "column") == [f"`{column.name}`" for column in REVIEW]
    assert table(text, "decision") == [decision.value for decision in Decision]


def test_the_keys_are_the_page_s(text: str) -> None:
    page = resources.files("fgbench.collect.review") / "page" / "review.js"
    _, _, rest = page.read_text("utf-8").partition("const actions = {")
    keys = re.findall(r'^  "?(\w+| )"?:', rest.partition("};")[0], re.MULTILINE)
    names = {"arrowleft": "←", "arrowright": "→", " ": "Space"}
    said = [key for cell in table(text, "key") for key in re.findall(r"`(.*?)`", cell)]
    assert sorted(said) == sorted(names.get(key, key.upper()) for key in keys)


def test_decisions_of_two_people_are_joined(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {"mine": {"a": KEEP, "b": KEEP}, "yours": {"b": DROP, "c": DROP}}
    for folder, decided in made.items():
        (tmp_path / folder).mkdir()
        with Decisions(tmp_path / folder) as decisions:
            for item, decision in decided.items():
                decisions.decide(item, decision)
    (tmp_path / "birds").mkdir()
    monkeypatch.chdir(tmp_path)
    (snippet,) = read_snippets(DOC)
    exec(snippet, {})
    assert replay(tmp_path / "birds") == {"a": KEEP, "b": DROP, "c": DROP}
