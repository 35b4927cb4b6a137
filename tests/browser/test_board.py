"""The board in real Chromium: what a reader can do with it, at two widths, light and dark."""

from __future__ import annotations

import shutil
from copy import copy
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from small_board import HOSTILE as NAME

PAGES = (
    "index.html",
    "history.html",
    "compare.html",
    "compare.html?methods=alpha,gamma",
    "compare.html?methods=fgcrossnet,mhtn,gasa",
    "data.html",
    "species/index.html",
    "species/0.html",
    "tasks/index.html",
    "tasks/t2a.html",
    "submit.html",
    "glossary.html",
)
NAMES = "table#{} tbody tr:not([hidden]) th > a"


def names(page: Any, table: str) -> list[str]:
    return page.locator(NAMES.format(table)).all_text_contents()


def state(page: Any) -> str:
    return page.evaluate("location.search")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_every_kind_of_page_fits_and_is_silent(
    visit: Any, scored: Path, printed: Path, width: int, scheme: str
) -> None:
    for site in (scored, printed):
        method = sorted(site.glob("methods/*.html"))[-1]
        for file in (*(site / name for name in PAGES), method):
            visited = visit(file, width, scheme)
            page = visited.page
            assert visited.said == [], file
            assert page.evaluate("document.documentElement.scrollWidth") <= width, file
            assert all(address.startswith(site.as_uri()) for address in visited.asked)
            light, ink = visited.lightness()
            assert (light > ink) is (scheme == "light")
            assert abs(light - ink) > 0.7
            small = page.locator("svg.fig:visible").evaluate_all(
                "all => all.filter(s => s.clientWidth < 10 || s.clientHeight < 10).length"
            )
            assert small == 0
            page.context.close()


def test_a_hostile_name_is_text(visit: Any, scored: Path) -> None:
    page = visit(scored / "index.html", 1280, "light").page
    assert NAME in names(page, "sound-averages")
    page.locator("#sound-averages").get_by_role("link", name=NAME).click()
    assert page.locator("h1").text_content() == NAME
    assert "caught" not in page.title().replace(NAME, "")


def test_a_click_sorts_and_the_address_keeps_it(visit: Any, printed: Path) -> None:
    page = visit(printed / "index.html", 1280, "light").page
    before = names(page, "paper-averages")
    head = page.locator("#paper-averages th[data-key='multimodal']")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    values = page.locator("#paper-averages tbody td:nth-child(4)").evaluate_all(
        "cells => cells.map(cell => Number(cell.dataset.v))"
    )
    assert values == sorted(values, reverse=True)
    assert names(page, "paper-averages") != before
    head.get_by_role("button").press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    arrow = head.evaluate("th => getComputedStyle(th.firstChild, '::after').content")
    assert "↑" in arrow
    after = names(page, "paper-averages")
    assert "sort=paper-averages.multimodal.asc" in state(page)
    page.reload()
    assert names(page, "paper-averages") == after
    assert head.get_attribute("aria-sort") == "ascending"
    page.get_by_role("button", name="Clear all (1)").click()
    assert names(page, "paper-averages") == before
    assert state(page) == ""


@pytest.fixture
def long(printed: Path, tmp_path: Path) -> Path:
    """The printed board with a hundred and fifty methods in its averages."""
    site = shutil.copytree(printed, tmp_path / "long")
    soup = BeautifulSoup((site / "index.html").read_text(), "html.parser")
    body = soup.select_one("#paper-averages tbody")
    first = body.tr
    for number in range(150):
        row = copy(first)
        row.th.a.string = f"Method {number}"
        row.select("td")[1]["data-v"] = f"{number * 37 % 150 / 150:.5f}"
        body.append(row)
    for row in body.select("tr")[:-150]:
        row.decompose()
    (site / "index.html").write_text(str(soup))
    return site / "index.html"


CLICK = """head => {
  head.querySelector("button").click();
  const all = [...head.closest("table").tBodies[0].rows];
  return all.map(row => Number(row.querySelector("td:nth-child(3)").dataset.v));
}"""


def test_of_many_rows_the_first_are_in_place_at_once(visit: Any, long: Path) -> None:
    page = visit(long, 1280, "light").page
    head = page.locator("#paper-averages th[data-key='bimodal']")
    at_once = head.evaluate(CLICK)
    wanted = sorted(at_once, reverse=True)
    assert at_once[:30] == wanted[:30]
    assert at_once != wanted
    settle(page)
    values = "cells => cells.map(cell => Number(cell.dataset.v))"
    column = page.locator("#paper-averages tbody td:nth-child(3)")
    assert column.evaluate_all(values) == wanted
    assert head.evaluate(CLICK)[:30] == wanted[::-1][:30]


def test_nothing_is_lost_where_actions_overtake_the_rows(visit: Any, long: Path) -> None:
    """Sorted, filtered, shown again and handed out before the rows have all come."""
    page = visit(long, 1280, "light").page
    before = names(page, "paper-averages")
    csv = page.evaluate(
        """async () => {
          const sort = document.querySelector("#paper-averages th[data-key='bimodal'] button");
          const find = document.getElementById("find");
          const type = word => {
            find.value = word;
            find.dispatchEvent(new Event("input"));
          };
          sort.click();
          type("method 1");
          sort.click();
          type("");
          const made = URL.createObjectURL;
          let blob;
          URL.createObjectURL = (given) => made(blob = given);
          document.querySelector("[aria-label='CSV of the rows as shown']").click();
          return blob.text();
        }"""
    )
    assert page.locator("#said").text_content() == "150 of 150 methods shown."
    handed = [line.split(",") for line in csv.splitlines()]
    at = handed[0].index("bimodal")
    values = [float(line[at]) for line in handed[1:]]
    assert values == sorted(values)
    assert len(values) == 150
    settle(page)
    name = handed[0].index("method")
    assert names(page, "paper-averages") == [line[name] for line in handed[1:]]
    page.get_by_role("button", name="Clear all (1)").click()
    settle(page)
    assert names(page, "paper-averages") == before


def settle(page: Any) -> None:
    """Until the frames in which rows come have passed."""
    page.evaluate(
        """async () => {
          for (let frame = 0; frame < 10; frame += 1) await new Promise(requestAnimationFrame);
        }"""
    )
    assert page.locator(".later").count() == 0


def test_names_sort_by_letter_and_missing_values_stay_last(visit: Any, printed: Path) -> None:
    page = visit(printed / "index.html", 1280, "light").page
    page.locator("#paper-averages th[data-key='method'] button").click()
    found = names(page, "paper-averages")
    assert found == sorted(found, key=str.casefold)
    button = page.locator("#paper-averages th[data-key='backbone'] button")
    for _ in range(2):
        button.click()
        cells = page.locator("#paper-averages tbody td:nth-child(7)").all_text_contents()
        assert cells[-1] == "–"
        assert cells[0] != "–"


def test_filters_are_counted_kept_and_cleared(visit: Any, scored: Path) -> None:
    page = visit(scored / "index.html", 1280, "light").page
    said = page.locator("#said")
    assert said.text_content() == "3 of 3 methods shown."
    page.get_by_label("no extra data").check()
    assert NAME not in names(page, "sound-averages")
    page.get_by_label("Filter").fill("2022")
    assert names(page, "sound-averages") == ["Gamma"]
    assert said.text_content() == "1 of 3 methods shown."
    page.reload()
    assert names(page, "sound-averages") == ["Gamma"]
    assert page.get_by_label("Filter").input_value() == "2022"
    page.get_by_label("Filter").fill("nothing like it")
    assert names(page, "sound-averages") == []
    assert "No method fits" in said.text_content()
    page.get_by_role("button", name="Clear all (2)").click()
    assert len(names(page, "sound-averages")) == 3
    assert state(page) == ""
    assert page.get_by_role("button", name="Clear all").is_disabled()


def test_a_filter_holds_on_every_tab(visit: Any, scored: Path) -> None:
    """By the year, too, which the tab of averages alone shows."""
    page = visit(scored / "index.html", 1280, "light").page
    page.get_by_label("Filter").fill("2022")
    page.get_by_role("button", name="12 bi-modal").click()
    assert names(page, "sound-bimodal") == ["Gamma"]
    assert page.locator("#said").text_content() == "1 of 3 methods shown."
    page.get_by_role("button", name="Clear all (1)").click()
    page.get_by_role("button", name="Averages").click()
    assert len(names(page, "sound-averages")) == 3


def test_tabs_and_conventions_are_in_the_address(visit: Any, printed: Path) -> None:
    page = visit(printed / "index.html", 375, "dark").page
    shown = "[data-tab] table:visible"
    assert page.locator(shown).evaluate_all("all => all.map(t => t.id)") == ["paper-averages"]
    page.get_by_role("button", name="12 bi-modal").click()
    assert page.locator(shown).evaluate_all("all => all.map(t => t.id)") == ["paper-bimodal"]
    assert page.get_by_role("button", name="12 bi-modal").get_attribute("aria-pressed") == "true"
    page.reload()
    assert page.locator(shown).evaluate_all("all => all.map(t => t.id)") == ["paper-bimodal"]
    page.get_by_role("button", name="Scored entries").click()
    assert page.get_by_text("Nothing has been handed in yet.").is_visible()
    assert page.locator(shown).count() == 0
    assert state(page) == "?tab=bimodal&view=sound"


@pytest.mark.parametrize(
    "query",
    ["?sort=<b>.x.y&tab=<i>&view=1&status=x", "?sort=paper-averages", "?q=%00&sort=..", "?tab"],
)
def test_an_address_that_means_nothing_does_no_harm(visit: Any, printed: Path, query: str) -> None:
    visited = visit(printed / "index.html", 1280, "light")
    visited.page.goto((printed / "index.html").as_uri() + query)
    assert visited.page.locator("#paper-averages").is_visible()
    assert visited.said == []


def test_everything_is_there_without_javascript(browser: Any, printed: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((printed / "index.html").as_uri())
    for tab in ("averages", "bimodal", "multimodal", "medium"):
        assert page.locator(f"#paper-{tab}").is_visible()
        assert len(names(page, f"paper-{tab}")) == 10
    assert page.locator("button:visible, input:visible").count() == 0
    context.close()


def test_header_and_names_stay_in_sight(visit: Any, printed: Path) -> None:
    page = visit(printed / "index.html", 375, "light").page
    page.get_by_role("button", name="12 bi-modal").click()
    box = page.locator(".wide:has(#paper-bimodal)")
    box.evaluate("box => { box.style.maxHeight = '200px'; box.scrollTo(400, 200); }")
    frame = box.bounding_box()
    name = page.locator("#paper-bimodal tbody th").nth(6).bounding_box()
    assert name["x"] == pytest.approx(frame["x"], abs=3)
    head = page.locator("#paper-bimodal thead th[data-key='method']").bounding_box()
    assert head["x"] == pytest.approx(frame["x"], abs=3)
    assert head["y"] == pytest.approx(frame["y"], abs=3)


def test_theme_and_copying(browser: Any, printed: Path) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto((printed / "index.html").as_uri())
    page.get_by_label("Filter").fill("gasa")
    page.get_by_role("button", name="Copy link").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    assert page.url.endswith("?q=gasa")
    for theme in ("light", "dark"):
        page.locator("#theme").click()
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == theme
    page.goto((printed / "methods/gasa.html").as_uri())
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.get_by_role("button", name="Copy BibTeX").click()
    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == (printed / "methods/gasa.bib").read_text("utf-8")
    context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_nobody_is_shut_out(
    visit: Any, scored: Path, printed: Path, width: int, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for site in (scored, printed):
        method = sorted(site.glob("methods/*.html"))[-1].relative_to(site)
        for name in (*PAGES, str(method)):
            found = axe.run(visit(site / name, width, scheme).page)
            said = [(v["id"], v["nodes"][0]["html"]) for v in found.response["violations"]]
            assert not said, name
