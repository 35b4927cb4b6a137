"""The report as text: its numbers are the audit's, and nothing in it asks, runs or breaks out."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
import sounds
from bs4 import BeautifulSoup
from small_build import HOSTILE, collected, text_row, write_build

from fgbench.dataset.audit import audit_contents
from fgbench.dataset.collected import Collected, Failed
from fgbench.dataset.contents import read_contents
from fgbench.dataset.io import write_table
from fgbench.dataset.report import LISTED, _spectrogram, report
from fgbench.dataset.schema import MANIFESTS
from fgbench.protocol import Medium


def made(folder: Path, known: Collected | None = None) -> tuple[dict[str, Any], str]:
    contents = read_contents(folder)
    document = audit_contents(contents, known)
    return document, report(document, contents)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_build(tmp_path)


@pytest.fixture
def page(folder: Path) -> BeautifulSoup:
    return BeautifulSoup(made(folder, collected())[1], "lxml")


def lines(page: BeautifulSoup, section: str) -> list[list[str]]:
    return [
        [cell.text for cell in row.find_all("td") if "plot" not in cell.get("class", [])]
        for row in page.select(f"#{section} tbody tr")
    ]


def test_the_numbers_behind_the_plots_are_the_audit_s(page: BeautifulSoup) -> None:
    found = lines(page, "text")
    assert ["wikipedia", "4", "1", "0", "5"] in found
    assert ["audubon", "2", "1", "1", "4"] in found
    assert ["1", "Black-footed Albatross", "4", "2", "0", "2"] in found
    assert ["3", "Sooty Albatross", "0", "0", "0", "0"] in found
    assert ["clean: too_short", "1"] in found
    assert ["CC-BY-SA-4.0", "yes", "5"] in found
    assert ["the page or the recording it is from", "1 of 3 (33\u00a0%)"] in found
    assert ["over 30 to 60", "4"] in lines(page, "audio")
    figures = {
        dt.text: dd.text for dt, dd in zip(page.find_all("dt"), page.find_all("dd"), strict=True)
    }
    assert figures == {
        "texts": "7",
        "audio clips": "4",
        "classes": "2 of 3",
        "sites": "4",
        "may be passed on": "82 %",
    }


def test_the_plots_are_drawn_to_the_numbers(page: BeautifulSoup) -> None:
    bars = page.select("#text svg.bar")[:4]
    widths = [[float(r["width"]) for r in bar.find_all("rect")] for bar in bars]
    assert widths == [[800, 200], [400, 200, 200], [200, 200], []]
    assert [r["class"] for r in bars[1].find_all("rect")] == [["kept"], ["rejected"], ["failed"]]
    heights = [
        float(r["height"]) for r in page.select("#text svg.columns")[0].select(".kept,.short")
    ]
    assert heights == [100, 75, 0]
    titles = [t.text for t in page.select("#text svg.columns")[0].select(".slot title")]
    assert titles == ["Black-footed Albatross: 4", "Laysan Albatross: 3", "Sooty Albatross: 0"]


def test_it_asks_for_nothing_and_runs_nothing(page: BeautifulSoup) -> None:
    assert not page.find_all(["script", "img", "link", "iframe", "object", "form", "base"])
    asks = ("src", "srcset", "background", "data", "action", "poster", "xlink:href")
    for tag in page.find_all(True):
        assert not [a for a in tag.attrs if a in asks or a.startswith("on")], tag
        assert tag.name == "a" or "href" not in tag.attrs
    assert "url(" not in page.style.text
    assert "@import" not in page.style.text
    for link in page.find_all("a"):
        assert link["href"].startswith("https://")


def test_what_others_wrote_is_text(page: BeautifulSoup) -> None:
    shown = [a.text for a in page.select("blockquote a")]
    assert shown == [HOSTILE] * 3
    assert '"><img src=x onerror=alert(1)>' in page.select("blockquote")[0].text
    assert page.h1.text == "A small build & <b>more</b>"
    assert page.select("#failed code")[0].text == "https://a.example/?<b>"


def test_examples_are_of_what_may_be_passed_on(page: BeautifulSoup) -> None:
    assert not [b for b in page.select("blockquote") if "audubon" in b.text]


def test_equal_inputs_give_equal_text(folder: Path) -> None:
    assert made(folder, collected())[1] == made(folder, collected())[1]


def test_lists_without_provenance_have_a_report() -> None:
    _, text = made(Path("fgxmedia-2019"))
    page = BeautifulSoup(text, "lxml")
    assert [s["id"] for s in page.find_all("section")] == ["image", "text", "video", "audio"]
    assert [
        "class and leading recording number in the file name",
        "1,957 of 6,000 (33\u00a0%)",
    ] in (lines(page, "audio"))


def test_a_thousand_failures_are_not_all_listed(folder: Path) -> None:
    known = collected()
    one = known.failed[0]
    failed = tuple(
        Failed(one.medium, "audubon", 0, "x", f"https://a.example/{n}", "timeout")
        for n in range(1000)
    )
    read = {**known.read}
    _, text = made(folder, Collected(known.labels, known.per_class, read, failed))
    page = BeautifulSoup(text, "lxml")
    assert len(lines(page, "failed")) == LISTED
    assert "And 900 more" in page.select("#failed")[0].text


def test_an_empty_build_has_a_report(tmp_path: Path) -> None:
    write_table(tmp_path / "text.parquet", [], MANIFESTS[Medium.TEXT])
    asked = Collected((0,), {Medium.TEXT: 40}, {Medium.TEXT: {"wikipedia": 0}})
    page = BeautifulSoup(made(tmp_path, asked)[1], "lxml")
    assert page.find("dd").text == "0"


def test_one_text_without_a_site_s_licence_is_enough(tmp_path: Path) -> None:
    rows = [text_row(1, 0, "wikipedia", None, licence=None, licence_url="http://[", title=None)]
    write_table(tmp_path / "text.parquet", rows, MANIFESTS[Medium.TEXT])
    page = BeautifulSoup(made(tmp_path)[1], "lxml")
    assert ["not stated", "yes", "1"] in lines(page, "text")


def test_a_sound_that_is_there_is_drawn(tmp_path: Path) -> None:
    song = tmp_path / "media" / "audio" / "1.flac"
    song.parent.mkdir(parents=True)
    song.write_bytes(sounds.wav(sounds.scene(1, 3)))
    (tmp_path / "secret.wav").write_bytes(song.read_bytes())
    row = {"medium": "audio", "path": "media/audio/1.flac"}
    picture = _spectrogram(row, tmp_path)
    assert picture is not None
    assert b64decode(picture.removeprefix("data:image/png;base64,")).startswith(b"\x89PNG")
    for path in (None, "media/audio/none.flac", "media/../secret.wav", "/etc/passwd"):
        assert _spectrogram(row | {"path": path}, tmp_path) is None
    song.write_bytes(b"no sound")
    assert _spectrogram(row, tmp_path) is None
