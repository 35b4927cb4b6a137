"""All About Birds: three pages a species, in its old and new markup."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fgbench.collect.sites.allaboutbirds import AllAboutBirds
from fgbench.collect.sites.base import Absent, Hit, RawText, Response

GUIDE = "https://www.allaboutbirds.org/guide"
CARDINAL = f"{GUIDE}/Northern_Cardinal"
SITE = AllAboutBirds()


def read(body: bytes, part: str) -> list[tuple[str, str]]:
    url = f"{CARDINAL}/{part}"
    hit = Hit("allaboutbirds", 16, "Northern Cardinal", url, f"Northern_Cardinal/{part}")
    headers = {"content-type": "text/html"}
    (raw,) = SITE.read(hit, Response(url, 200, headers, body, "2026-11-01T12:00:00Z", "sha256:0"))
    assert isinstance(raw, RawText)
    assert raw.extractor == "rule"
    assert raw.about[0] == raw.title == "Northern Cardinal"
    return [(p.section, p.text) for p in raw.paragraphs]


def test_a_species_has_three_pages(shelf: Any, asked: Any, fixture: Any) -> None:
    session = shelf({f"{CARDINAL}/overview": fixture("allaboutbirds/overview.html")})
    found = list(SITE.find(*asked("Cardinal"), session))
    assert [h.url for h in found] == [f"{CARDINAL}/{p}" for p in ("overview", "id", "lifehistory")]
    assert found[1].source_id == "Northern_Cardinal/id"
    assert session.asked == [f"{CARDINAL}/overview"]


def test_names_in_addresses() -> None:
    assert SITE.addresses("Brewer's Blackbird")[0] == f"{GUIDE}/Brewers_Blackbird/overview"
    assert SITE.addresses("Black-footed Albatross")[1] == f"{GUIDE}/Black-footed_Albatross/id"


def test_an_unknown_name_leads_to_a_search(shelf: Any, asked: Any) -> None:
    session = shelf({f"{GUIDE}/Sooty_Albatross/overview": f"{GUIDE}/search/?q=x"})
    session.pages[f"{GUIDE}/search/?q=x"] = b"<title>Search</title>"
    (absent,) = SITE.find(*asked("Sooty Albatross"), session)
    assert isinstance(absent, Absent)
    assert "search" in absent.reason


def test_a_new_name_holds_for_all_three_pages(shelf: Any, asked: Any) -> None:
    today = f"{GUIDE}/Mexican_Violetear"
    session = shelf({f"{GUIDE}/Green_Violetear/overview": f"{today}/overview"})
    session.pages[f"{today}/overview"] = b"<title>Mexican Violetear</title>"
    found = list(SITE.find(*asked("Green Violetear"), session))
    assert [h.url for h in found] == [f"{today}/{p}" for p in ("overview", "id", "lifehistory")]
    assert {h.query for h in found} == {"Green Violetear"}


def test_overview(fixture: Callable[[str], bytes]) -> None:
    assert read(fixture("allaboutbirds/overview.html"), "overview") == [
        (
            "Basic Description",
            "The made-up male of this page is red all over, and it sings from a made-up fence.",
        ),
        ("Find This Bird", "Look for it at a made-up feeder early in the morning."),
        ("Backyard Tips", "Put out made-up seeds, and it may come."),
        ("Cool Facts", "One made-up bird lived for a hundred made-up years."),
        ("Cool Facts", "Another of them never slept."),
    ]


def test_identification(fixture: Callable[[str], bytes]) -> None:
    assert read(fixture("allaboutbirds/id.html"), "id") == [
        ("Size & Shape", "A made-up bird of the size of a made-up fist."),
        ("Relative Size", "Between a button and a boat."),
        ("Color Pattern", "Red, with a black mask that was painted on."),
        ("Behavior", "It hops about on its made-up lawn."),
        ("Habitat", "Edges of made-up woods."),
    ]


@pytest.mark.parametrize("page", ["lifehistory", "lifehistory-2017"])
def test_life_history_then_and_now(fixture: Callable[[str], bytes], page: str) -> None:
    found = read(fixture(f"allaboutbirds/{page}.html"), "lifehistory")
    assert [(section.lower(), text) for section, text in found] == [
        ("habitat", "Made-up thickets are where it lives."),
        ("food", "Seeds, and made-up beetles in summer."),
        ("nesting", "A cup of made-up twigs."),
        ("nesting", "Three eggs, all square."),
    ]
