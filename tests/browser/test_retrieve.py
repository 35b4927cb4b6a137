"""The page of a query in real Chromium: it renders, is silent, asks the network nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_gallery import item_id, write_gallery, write_run

from fgbench.protocol import MEDIA, Medium
from fgbench.retrieval.catalogue import read_catalogue
from fgbench.retrieval.page import make_page
from fgbench.retrieval.query import find_query
from fgbench.retrieval.ranking import rank_galleries
from fgbench.submission import check


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_gallery(tmp_path_factory.mktemp("gallery"))
    catalogue = read_catalogue(folder)
    submission = check(write_run(folder / "run") / "submission.npz", catalogue.benchmark).submission
    query = find_query(item_id(Medium.TEXT, 0), catalogue)
    found = rank_galleries(submission, catalogue.benchmark, query, [*MEDIA, None], 4)
    path = folder / "page.html"
    path.write_text(make_page(catalogue, submission, query, found).html, "utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_it_renders_silently_at_every_width(
    visit: Any, page_file: Path, width: int, scheme: str
) -> None:
    visited = visit(page_file, width, scheme)
    page = visited.page
    assert {url for url in visited.asked if not url.startswith("data:image/")} == {
        page_file.as_uri()
    }
    assert visited.said == []
    assert page.title() == "Retrieval: Black-footed Albatross"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    drawn = page.locator("img").evaluate_all("all => all.map(i => [i.naturalWidth, i.clientWidth])")
    assert len(drawn) >= 4 + 4 * 4 + 4
    assert min(min(size) for size in drawn) >= 50
    verdicts = page.locator(".verdict b").evaluate_all(_CONTRASTS)
    assert len(verdicts) == 5 * 4
    assert min(verdicts) >= 4.5


def test_right_and_wrong_differ_in_words_and_in_lines(browser: Any, page_file: Path) -> None:
    page = browser.new_page()
    page.goto(page_file.as_uri())
    for verdict, sign, line in (("right", "✓", "solid"), ("wrong", "✗", "dashed")):
        card = page.locator(f"li.{verdict}").first
        assert f"{sign} {verdict}" in card.inner_text()
        assert card.evaluate("card => getComputedStyle(card).borderTopStyle") == line
    page.close()


def test_what_the_data_say_is_read_as_it_was_written(browser: Any, page_file: Path) -> None:
    page = browser.new_page()
    page.goto(page_file.as_uri())
    assert page.locator("script").count() == 0
    assert "<script>alert(1)</script>" in page.locator("header blockquote").inner_text()
    page.close()


_CONTRASTS = """all => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(part => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  return all.map(told => {
    const ink = light(getComputedStyle(told).color);
    const card = light(getComputedStyle(told.closest('li')).backgroundColor);
    return Math.max(ink, card) / Math.min(ink, card);
  });
}"""
"""Of each verdict's words to their card, as WCAG 2 reckons it: 4.5 is its AA."""
