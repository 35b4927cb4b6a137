"""The report of a table done again in real Chromium: it renders, is silent, and needs no script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_features import write_small_features

from fgbench.cli import main

TITLE = "Small & <b>odd</b>"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    small = write_small_features(folder, title=TITLE)
    out = folder / "out"
    options = [*small.options, "--methods", "jrl", "--seeds", "2", "--device", "cpu"]
    main(["baseline", "reproduce", "table4", *options, "--out", str(out)])
    return out / "table4.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_it_renders_silently_at_every_width(
    visit: Any, report: Path, width: int, scheme: str
) -> None:
    visited = visit(report, width, scheme)
    page = visited.page
    assert visited.asked == [report.as_uri()]
    assert visited.said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sizes = page.locator("svg").evaluate_all("all => all.map(s => [s.clientWidth, s.clientHeight])")
    assert len(sizes) == 5
    assert min(min(size) for size in sizes) >= 15
    light, ink = visited.lightness()
    assert (light > ink) is (scheme == "light")
    assert abs(light - ink) > 0.7


def test_it_reads_without_javascript(browser: Any, report: Path) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(report.as_uri())
    assert page.title() == f"Table 4, done again on {TITLE} (small)"
    assert page.get_by_text("Not comparable with the printed numbers: another data set.").count()
    heading = page.get_by_role("heading", name="JRL", exact=True)
    assert not heading.evaluate("e => e.getBoundingClientRect().top < innerHeight")
    page.get_by_role("link", name="JRL").click()
    assert heading.evaluate("e => e.getBoundingClientRect().top < innerHeight")
    page.get_by_role("link", name="2", exact=True).first.click()
    assert page.url.endswith("#note-2")
    page.context.close()
