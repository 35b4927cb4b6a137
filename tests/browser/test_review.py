"""The review page in real Chromium, played through by keyboard."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from doubtful_build import HOSTILE, decided, write_doubts

from fgbench.collect.review.decisions import Decisions
from fgbench.collect.review.doubts import read_doubts
from fgbench.collect.review.server import Server


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    with Decisions(folder) as decisions, Server(read_doubts(folder), decisions) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def opened(browser: Any, url: str, **options: Any) -> Iterator[Any]:
    """The page, once its first item is drawn; whatever it says or asks elsewhere is a failure."""
    context = browser.new_context(**options)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: request.url.startswith(url) or said.append(request.url))
    page.goto(url)
    page.wait_for_selector("#item:visible")
    yield page
    assert said == []
    context.close()


def shown(page: Any) -> str:
    """The id of the item on show."""
    return str(page.locator("dt:text-is('Id') + dd").text_content())


def press(page: Any, key: str, then: str) -> None:
    """Presses a key and waits for what the status line says then."""
    page.keyboard.press(key)
    page.wait_for_function(
        "then => document.querySelector('#status').textContent === then", arg=then
    )


def test_played_through_by_keyboard(browser: Any, tmp_path: Path) -> None:
    ids = write_doubts(tmp_path)
    with serving(tmp_path) as server, opened(browser, server.url) as page:
        assert shown(page) == ids[0]
        assert page.inner_text("#count") == "0 of 5 decided · 0 kept, 0 dropped"
        press(page, "k", "Kept.")
        page.wait_for_function(_SHOWS, arg=ids[1])
        assert decided(tmp_path) == {ids[0]: "keep"}
        press(page, "d", "Dropped.")
        page.wait_for_function(_SHOWS, arg=ids[2])
        assert page.inner_text("#count") == "2 of 5 decided · 1 kept, 1 dropped"
        page.keyboard.press("ArrowRight")
        page.wait_for_function(_SHOWS, arg=ids[3])
        press(page, "u", "Taken back.")
        page.wait_for_function(_SHOWS, arg=ids[1])
        assert decided(tmp_path) == {ids[0]: "keep"}
        for item, after in ((ids[1], ids[2]), (ids[2], ids[3]), (ids[3], ids[4])):
            page.wait_for_function(_SHOWS, arg=item)
            page.keyboard.press("K")
            page.wait_for_function(_SHOWS, arg=after)
        press(
            page,
            "d",
            "All is decided. Build again with --offline, and the build does as you decided.",
        )
        assert page.locator("#item").is_hidden()
        assert page.locator("#progress").evaluate("p => p.value / p.max") == 1
        page.keyboard.press("k")  # there is nothing to decide on
        press(page, "u", "Taken back.")
        page.wait_for_function(_SHOWS, arg=ids[4])
    assert decided(tmp_path) == dict.fromkeys(ids[:4], "keep")


def test_a_key_that_is_pressed_fast_decides_one_item_a_press(browser: Any, tmp_path: Path) -> None:
    ids = write_doubts(tmp_path, pieces=12)
    with serving(tmp_path) as server, opened(browser, server.url) as page:
        for key in "kdkdkdkdk":
            page.keyboard.press(key)
        page.wait_for_function(_SHOWS, arg=ids[9])
        assert decided(tmp_path) == {i: ("keep", "drop")[n % 2] for n, i in enumerate(ids[:9])}


@pytest.mark.parametrize("ending", ["flac", "mp3", "m4a"])
def test_it_is_drawn_and_it_plays(browser: Any, tmp_path: Path, ending: str) -> None:
    write_doubts(tmp_path, pieces=1, ending=ending)
    with serving(tmp_path) as server, opened(browser, server.url) as page:
        page.wait_for_selector("#picture:not(.blank)")
        page.wait_for_function("() => document.querySelector('#spectrogram').naturalWidth === 1000")
        path = page.locator("#waveform path").get_attribute("d")
        assert path.startswith("M0 ")
        assert page.inner_text("#top-hz") == "11 kHz"
        assert page.inner_text("#end") in ("2.0 s", "2.1 s")  # encoders pad
        page.evaluate("document.querySelector('#sound').pause()")
        page.locator("body").click(position={"x": 5, "y": 5})
        page.keyboard.press(" ")
        page.wait_for_function("() => document.querySelector('#sound').currentTime > 0.05")
        page.keyboard.press(" ")
        page.wait_for_function("() => document.querySelector('#sound').paused")
        box = page.locator("#picture").bounding_box()
        page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2)
        page.wait_for_function(
            "() => Math.abs(document.querySelector('#sound').currentTime - 1.5) < 0.05"
        )
        page.wait_for_function(
            "() => Math.abs(parseFloat(document.querySelector('#cursor').style.left) - 75) < 3"
        )


def test_only_one_species_or_what_was_decided(browser: Any, tmp_path: Path) -> None:
    ids = write_doubts(tmp_path)
    with serving(tmp_path) as server, opened(browser, server.url) as page:
        options = page.locator("#species option").all_text_contents()
        assert options == [
            "all (5 left)",
            "Black-footed Albatross (2 left)",
            "Red-winged Blackbird (3 left)",
        ]
        page.select_option("#species", "9")
        page.wait_for_function(_SHOWS, arg=ids[2])
        assert page.inner_text("#place-in-list").startswith("1 of 3")
        press(page, "d", "Dropped.")
        page.wait_for_function(_SHOWS, arg=ids[3])  # else it may be told from what was there before
        page.select_option("#show", "decided")
        page.wait_for_function(_SHOWS, arg=ids[2])
        page.wait_for_selector('#drop[aria-pressed="true"]')
        page.keyboard.press("k")  # thought again
        page.wait_for_function(
            "() => document.querySelector('#count').textContent.includes('1 kept')"
        )
        assert decided(tmp_path) == {ids[2]: "keep"}
        page.select_option("#species", "0")
        page.wait_for_selector("#item", state="hidden")
        assert page.inner_text("#status") == "Nothing to show: choose another species, or show all."


def test_what_a_site_wrote_is_shown_as_text(browser: Any, tmp_path: Path) -> None:
    write_doubts(tmp_path)
    with serving(tmp_path) as server, opened(browser, server.url) as page:
        assert page.locator("dt:text-is('Title') + dd").text_content() == HOSTILE
        assert page.title() == "Review"
        assert page.locator("main script, main img:not(#spectrogram)").count() == 0
        hrefs = page.locator("a").evaluate_all("all => all.map(a => a.href)")
        assert len(hrefs) == 1  # the licence's is javascript:
        assert hrefs[0].startswith("https://xeno-canto.org/")


def test_what_has_no_file_or_no_sound_can_be_decided_on(browser: Any, tmp_path: Path) -> None:
    ids = write_doubts(tmp_path)
    doubts = read_doubts(tmp_path)
    doubts[ids[0]].file.write_bytes(b"<html>no sound</html>")
    doubts[ids[1]].file.unlink()
    text = next(doubt for doubt in doubts.values() if doubt.medium == "text")
    with serving(tmp_path) as server:
        context = browser.new_context()
        page = context.new_page()
        page.goto(server.url)
        page.wait_for_function(_NOTES, arg="cannot be drawn")
        page.wait_for_function(_NOTES, arg="cannot play")
        press(page, "d", "Dropped.")
        page.wait_for_function(_SHOWS, arg=ids[1])
        assert page.inner_text("#note") == "The build folder has no file of this item."
        assert page.locator("#sound").is_hidden()
        press(page, "k", "Kept.")
        while shown(page) != text.item_id:
            before = shown(page)
            page.keyboard.press("ArrowRight")
            page.wait_for_function(f"arg => !({_SHOWS})(arg)", arg=before)
        assert page.locator("#recording").is_hidden()
        assert page.locator("dt:text-is('Verdict') + dd").text_content().startswith("doubtful")
        context.close()


def test_a_server_that_is_gone_is_told_and_nothing_moves_on(browser: Any, tmp_path: Path) -> None:
    ids = write_doubts(tmp_path)
    context = browser.new_context()
    page = context.new_page()
    with serving(tmp_path) as server:
        page.goto(server.url)
        page.wait_for_function(_SHOWS, arg=ids[0])
        # Nothing is under way when the server goes: a key waits for what is.
        page.wait_for_function(
            "() => document.querySelector('#place-in-list').textContent.startsWith('1 of')"
        )
        page.wait_for_load_state("networkidle")
    page.route("**/decide", lambda route: route.abort())  # its open connections live on
    page.keyboard.press("k")
    page.wait_for_selector("#status.fault")
    assert "start fgbench review again" in page.inner_text("#status")
    assert shown(page) == ids[0]
    assert not (tmp_path / "review.parquet").exists()
    context.close()


def test_letters_are_the_lists_own_while_one_is_chosen_from(browser: Any, tmp_path: Path) -> None:
    write_doubts(tmp_path)
    with serving(tmp_path) as server, opened(browser, server.url) as page:
        page.locator("#species").focus()
        page.keyboard.press("k")
        page.locator("#keep").focus()
        page.keyboard.press("Control+d")
        page.keyboard.press(" ")  # a button's own key
        page.wait_for_function("() => document.querySelector('#status').textContent === 'Kept.'")
        assert page.inner_text("#count") == "1 of 5 decided · 1 kept, 0 dropped"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_it_fits(browser: Any, tmp_path: Path, width: int, scheme: str) -> None:
    write_doubts(tmp_path)
    size = {"width": width, "height": 900}
    with (
        serving(tmp_path) as server,
        opened(browser, server.url, viewport=size, color_scheme=scheme) as page,
    ):
        page.wait_for_selector("#picture:not(.blank)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for name in ("keep", "drop", "skip", "undo"):
            box = page.locator(f"#{name}").bounding_box()
            assert box["y"] + box["height"] <= 900  # no scrolling between keys
            assert box["height"] >= 40
        light = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (light == "rgb(255, 255, 255)") is (scheme == "light")


_NOTES = "words => document.querySelector('#note').textContent.includes(words)"
_SHOWS = """id => {
  const terms = [...document.querySelectorAll("dt")].filter((dt) => dt.textContent === "Id");
  return terms.length === 1 && terms[0].nextSibling.textContent === id;
}"""
"""Whether the page shows the item of this id."""
