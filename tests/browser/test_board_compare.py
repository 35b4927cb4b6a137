"""Methods side by side, and the files of what is shown, in real Chromium."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_board import HOSTILE


def texts(page: Any, selector: str) -> list[str]:
    return [text.strip() for text in page.locator(selector).all_text_contents()]


@pytest.fixture
def take(tmp_path: Path) -> Callable[[Any, str, str], str]:
    """Clicks a button of a file above a table, and reads what is downloaded."""

    def download(page: Any, table: str, label: str) -> str:
        files = page.locator(f".wide:has(#{table})").locator("xpath=preceding-sibling::p[1]")
        with page.expect_download() as found:
            files.get_by_role("button", name=f"{label} of the rows as shown").click()
        assert found.value.suggested_filename.startswith(table)
        path = tmp_path / found.value.suggested_filename
        found.value.save_as(path)
        return path.read_text("utf-8")

    return download


def test_what_is_shown_is_what_is_downloaded(visit: Any, scored: Path, take: Any) -> None:
    page = visit(scored / "index.html", 1280, "light").page
    page.get_by_label("Filter").fill("a")
    page.locator("#sound-averages th[data-key='method'] button").click()
    shown = texts(page, "#sound-averages tbody tr:not([hidden]) th > a")
    rows = list(csv.DictReader(take(page, "sound-averages", "CSV").splitlines()))
    assert [row["method"] for row in rows] == shown
    assert len(rows) == 3
    whole = json.loads((scored / "tables/sound-averages.json").read_text())["rows"]
    known = {row["method"]: row for row in whole}
    for row in rows:
        for name in ("rank", "bimodal", "bimodal_low", "bimodal_high", "multimodal", "year"):
            assert float(row[name]) == pytest.approx(known[row["method"]][name], abs=1e-5)
        assert row["status"] == known[row["method"]]["status"]
    page.get_by_label("Filter").fill("gamma")
    (row,) = json.loads(take(page, "sound-averages", "JSON"))["rows"]
    assert row["method"] == "Gamma"
    assert row["backbone"] is None
    assert row["bimodal"] == pytest.approx(known["Gamma"]["bimodal"], abs=1e-5)


def test_files_of_hostile_names_are_harmless(visit: Any, scored: Path, take: Any) -> None:
    page = visit(scored / "tasks/t2a.html", 1280, "light").page
    latex = take(page, "sound-numbers", "LaTeX")
    static = (scored / "tables/sound-t2a.tex").read_text()
    names = [line.split(" & ")[1] for line in latex.splitlines() if line.count("&") > 3]
    assert names == [line.split(" & ")[1] for line in static.splitlines() if line.count("&") > 3]
    rows = list(csv.DictReader(take(page, "sound-numbers", "CSV").splitlines()))
    assert HOSTILE in [row["method"] for row in rows]


def test_chosen_methods_stand_side_by_side(visit: Any, scored: Path, take: Any) -> None:
    page = visit(scored / "compare.html", 1280, "light").page
    assert page.get_by_role("status").text_content() == "Choose two methods or more."
    page.get_by_label("First").select_option("Alpha")
    page.get_by_label("against").select_option("Gamma")
    page.locator("#differences").wait_for()
    document = json.loads((scored / "api/compare/alpha.json").read_text())["views"]["sound"]
    rows = page.locator("#differences tbody tr")
    assert rows.count() == 18
    listed = json.loads((scored / "api/compare.json").read_text())["columns"]
    written = list(csv.DictReader(take(page, "differences", "CSV").splitlines()))
    for row, (measure, values) in zip(written, document["others"]["gamma"].items(), strict=True):
        said = dict(zip(listed, values, strict=True))
        assert float(row["alpha"]) == document["own"][measure]
        assert float(row["gamma"]) == said["map"]
        assert float(row["alpha - gamma"]) == said["difference"]
        for name, key in (("low", "low"), ("high", "high"), ("p", "p_holm")):
            assert float(row[f"alpha - gamma_{name}"]) == said[key]
        assert row["alpha - gamma_verdict"] == said["verdict"]
    verdicts = [values[-1] for m, values in document["others"]["gamma"].items() if "modal" not in m]
    (summary,) = texts(page, "#verdicts li")
    assert f"better than Gamma at {verdicts.count('a better')} of 16 tasks" in summary
    assert f"{verdicts.count('not separable')} cannot be told apart" in summary
    assert page.evaluate("location.search") == "?methods=alpha%2Cgamma"
    head = page.locator("#differences th").nth(3)
    head.get_by_role("button").click()
    first = texts(page, "#differences tbody th")[0]
    page.reload()
    page.locator("#differences").wait_for()
    assert texts(page, "#differences tbody th")[0] == first
    page.get_by_label("and").first.select_option(HOSTILE)
    page.locator("#verdicts li").nth(1).wait_for()
    assert HOSTILE in texts(page, "#verdicts li")[1]
    assert page.title().startswith("Compare")
    page.get_by_role("button", name="Clear all").click()
    assert page.locator("#differences").count() == 0
    assert page.evaluate("location.search") == ""


def test_methods_picked_on_the_board_are_compared(visit: Any, printed: Path) -> None:
    page = visit(printed / "index.html", 375, "dark").page
    for name in ("GASA", "FGCrossNet"):
        page.get_by_label(f"Pick {name} to compare").check()
    page.reload()
    link = page.get_by_role("link", name="Compare 2 picked")
    for name in ("MHTN", "ACMR", "JRL"):
        page.get_by_label(f"Pick {name} to compare").check()
    assert page.get_by_label("Pick GSPH to compare").is_disabled()
    page.get_by_label("Pick JRL to compare").uncheck()
    assert not page.get_by_label("Pick GSPH to compare").is_disabled()
    link = page.get_by_role("link", name="Compare 4 picked")
    link.click()
    page.locator("#differences").wait_for()
    assert texts(page, "#differences thead th")[1].startswith("GASA")
    assert "cannot be told" in texts(page, "#verdicts li")[0]
    assert page.get_by_role("status").text_content() == "4 of at most 5 methods."


@pytest.mark.parametrize(
    "query", ["?methods=nobody,<b>,&view=1", "?methods=gasa,gasa", "?methods="]
)
def test_a_comparison_of_nothing_does_no_harm(visit: Any, printed: Path, query: str) -> None:
    visited = visit(f"{printed / 'compare.html'}{query}", 1280, "light")
    assert visited.page.get_by_role("status").text_content() == "Choose two methods or more."
    assert visited.said == []


def test_numbers_that_do_not_load_are_told(visit: Any, printed: Path, tmp_path: Path) -> None:
    site = Path(shutil.copytree(printed, tmp_path / "site"))
    (site / "compare/gasa.js").unlink()
    page = visit(f"{site / 'compare.html'}?methods=gasa,mhtn", 1280, "light").page
    page.get_by_text("The numbers of GASA could not be loaded.").wait_for()


def test_without_javascript_the_reader_is_led_to_the_tasks(browser: Any, printed: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((printed / "compare.html").as_uri())
    assert page.get_by_role("link", name="each task's page").is_visible()
    assert page.locator("select:visible, button:visible").count() == 0
    context.close()
