"""The report in real Chromium: it renders, is silent, asks the network nothing, at two widths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_build import HOSTILE, collected, write_build

from fgbench.dataset.description import describe


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_build(tmp_path_factory.mktemp("build"))
    describe(folder, collected())
    return folder / "report.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_it_renders_silently_at_every_width(
    visit: Any, report: Path, width: int, scheme: str
) -> None:
    visited = visit(report, width, scheme)
    page = visited.page
    assert visited.asked == [report.as_uri()]
    assert visited.said == []
    assert page.title() == "A small build & <b>more</b>"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    plots = page.locator("svg:visible")
    assert plots.count() > 20
    sizes = plots.evaluate_all("all => all.map(s => [s.clientWidth, s.clientHeight])")
    assert min(min(size) for size in sizes) >= 10
    light, ink = visited.lightness()
    assert (light > ink) is (scheme == "light")
    assert abs(light - ink) > 0.7
    page.locator("summary").first.click()
    assert page.get_by_role("cell", name="Sooty Albatross").first.is_visible()


def test_what_a_site_wrote_is_read_as_it_was_written(browser: Any, report: Path) -> None:
    page = browser.new_page()
    page.goto(report.as_uri())
    shown = page.locator("blockquote a").first.text_content()
    assert shown == HOSTILE
    assert page.locator("script, img").count() == 0
    page.close()


def test_it_needs_no_javascript(browser: Any, report: Path) -> None:
    with_it, without = (
        browser.new_context(java_script_enabled=enabled).new_page() for enabled in (True, False)
    )
    for page in (with_it, without):
        page.goto(report.as_uri())
    assert with_it.inner_text("body") == without.inner_text("body")
    for page in (with_it, without):
        page.context.close()
