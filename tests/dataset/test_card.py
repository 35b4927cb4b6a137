"""The card: it says the audit's figures, and nothing that a site wrote becomes Markdown or HTML."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from small_build import HOSTILE, audio_row, collected, text_row, write_build

from fgbench.dataset.audit import audit
from fgbench.dataset.card import card
from fgbench.dataset.collected import Collected
from fgbench.dataset.io import write_table
from fgbench.dataset.schema import MANIFESTS
from fgbench.protocol import Medium


def page(text: str) -> BeautifulSoup:
    """The card as a Markdown viewer shows it, raw HTML allowed."""
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    return BeautifulSoup(html, "lxml")


def tables(shown: BeautifulSoup) -> list[list[list[str]]]:
    """Every table, as rows of cells."""
    return [
        [[cell.text for cell in row.find_all(["th", "td"])] for row in table.find_all("tr")]
        for table in shown.find_all("table")
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_build(tmp_path)


def test_the_card_says_what_the_audit_counted(folder: Path) -> None:
    document = audit(folder, collected())
    text = card(document)
    shown = page(text)
    found = tables(shown)
    assert ["text", "11", "7", "3", "1", "2 of 3", "0 to 4, median 3"] in found[0]
    assert ["text", "8,000", "7"] in found[1]
    assert ["audubon", "yes", "4", "2", "1", "1"] in found[2]
    rows = [row for table in found for row in table]
    assert ["clean", "too_short", "1"] in rows
    assert ["text", "3", "3", "1", "1 of 3 (source 1)"] in rows
    assert ["text", "CC-BY-SA-4.0", "yes", "5"] in rows
    assert ["text", "all rights reserved", "no", "2"] in rows
    assert ["as_of", "newest"] in rows
    assert "7 texts, 4 audio clips of 2 bird classes" in shown.text
    assert "Fetched between 2019-01-02 and 2019-01-24" in shown.text
    assert "birdsna, ebird" not in shown.text.split("Where the audio")[1]
    assert card(document) == text


def test_every_table_is_whole(folder: Path) -> None:
    for table in tables(page(card(audit(folder, collected())))):
        assert len({len(row) for row in table}) == 1
        assert len(table) > 1


def test_nothing_that_a_site_wrote_is_markup(tmp_path: Path) -> None:
    hostile = {"licence": HOSTILE, "licence_url": "javascript:alert(1)"}
    texts = [text_row(n, 0, HOSTILE, "test", **hostile) for n in range(2)]
    clips = [audio_row(1, 0, "test", licence="a", licence_url='https://x.example/a">b<i>c</i>')]
    write_table(tmp_path / "text.parquet", texts, MANIFESTS[Medium.TEXT])
    write_table(tmp_path / "audio.parquet", clips, MANIFESTS[Medium.AUDIO])
    shown = page(card(audit(tmp_path)))
    assert not shown.find_all(["script", "i", "img"])
    assert "javascript:" not in str([a["href"] for a in shown.find_all("a")])
    assert " ".join(HOSTILE.split()) in [cell for t in tables(shown) for row in t for cell in row]
    assert [h.text for h in shown.find_all("h1")] == [tmp_path.name]


def test_lists_without_provenance_have_a_card() -> None:
    text = page(card(audit("fgxmedia-2019"))).text
    assert "1,957 of 6,000 (name 1,957)" in text
    assert "no train items" in text


def test_one_is_not_many(tmp_path: Path) -> None:
    one, two = (text_row(n, n, "fandom", ("train", "test")[n], source_url="") for n in range(2))
    for row in (one, two):
        row["source_id"] = "7"
    write_table(tmp_path / "text.parquet", [one | {"text": None}, two], MANIFESTS[Medium.TEXT])
    write_table(tmp_path / "audio.parquet", [audio_row(1, 0, "test")], MANIFESTS[Medium.AUDIO])
    known = Collected(
        labels=(0, 1),
        per_class={Medium.TEXT: 2, Medium.AUDIO: 1},
        read={Medium.TEXT: {"fandom": 2}, Medium.AUDIO: {"xeno-canto": 1}},
    )
    said = page(card(audit(tmp_path, known))).text
    for sentence in (
        "2 texts, 1 audio clip of 2 bird classes",
        "Of the texts in this folder, 1 is whole and 1 is a pointer.",
        "Of the audio clips in this folder, 1 is whole and 0 are pointers.",
        "Classes with fewer than 2 texts: 2 of 2",
        "Classes with fewer than 1 audio clip: 1 of 2",
        "which say where an item is and are not it: 1 of 2 (50 %).",
        "Under split_grouped, 1 of 1 (100 %) test texts shares something",
    ):
        assert sentence in said
    write_table(tmp_path / "text.parquet", [one], MANIFESTS[Medium.TEXT])
    assert "1 text, 1 audio clip of 1 bird class," in page(card(audit(tmp_path))).text
