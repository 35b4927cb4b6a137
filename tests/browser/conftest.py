"""A real Chromium, and a page in it that says what it says and asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from small_board import HOSTILE, hand, write_ground

from fgbench.benchmark import DEFAULT
from fgbench.leaderboard.build import build_site

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    if not CHROMIUM.exists():
        pytest.skip("needs the Debian package chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


_COLOURS = """() => {
  const style = getComputedStyle(document.body);
  return [style.backgroundColor, style.color].map(colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number);
    return (0.299 * r + 0.587 * g + 0.114 * b) / 255;
  });
}"""


@dataclass
class Visit:
    """A page that was opened: what it said on the console, and the addresses that it asked for."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def lightness(self) -> tuple[float, float]:
        """Of page and text, 0 to 1."""
        page, text = self.page.evaluate(_COLOURS)
        return page, text


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Visit]]:
    """Opens a file, with what stands behind a question mark, at a width and in a colour scheme."""
    contexts = []

    def open_file(file: Path, width: int, scheme: str) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        visit = Visit(context.new_page())
        visit.page.on("console", lambda message: visit.said.append(message.text))
        visit.page.on("pageerror", lambda error: visit.said.append(str(error)))
        visit.page.on("request", lambda request: visit.asked.append(request.url))
        path, _, query = str(file).partition("?")
        visit.page.goto(Path(path).as_uri() + (f"?{query}" if query else ""))
        return visit

    yield open_file
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The board of the numbers that papers print."""
    folder = tmp_path_factory.mktemp("printed")
    (folder / "results").mkdir()
    return build_site(folder / "results", DEFAULT, folder / "site").folder


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A board of three entries, one of them hostile."""
    folder = tmp_path_factory.mktemp("scored")
    ground, results = write_ground(folder / "ground"), folder / "results"
    hand(results, ground, 1)
    hand(
        results,
        ground,
        2,
        method=HOSTILE,
        backbone=HOSTILE,
        notes=HOSTILE,
        extra_data="iNaturalist",
    )
    hand(results, ground, 3, method="Gamma", year=2022)
    return build_site(results, ground, folder / "site").folder
