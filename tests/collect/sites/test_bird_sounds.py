"""bird-sounds.net: pointers to the clips of a species' page."""

from __future__ import annotations

import pytest

from fgbench.collect.sites.base import Absent, Access, Hit, Response
from fgbench.collect.sites.bird_sounds import BirdSounds
from fgbench.species import find

SITE = BirdSounds()
NAME = "Northern Cardinal"
PAGE = "https://www.bird-sounds.net/northern-cardinal"


def read(body: bytes, status: int = 200, final_url: str = "") -> list:
    hit = Hit("bird-sounds", find(NAME).label, NAME, PAGE, "northern-cardinal", NAME)
    return list(SITE.read(hit, Response(PAGE, status, {}, body, "", "sha256:0", final_url)))


def test_a_page_is_found_by_name(asked, shelf, fixture):
    session = shelf({PAGE: fixture("bird_sounds/northern-cardinal.html")})
    (hit,) = SITE.find(*asked(NAME), session)
    assert (hit.url, hit.source_id, hit.query) == (PAGE, "northern-cardinal", NAME)
    assert session.asked == [PAGE]


def test_a_species_without_a_page_is_absent(asked, shelf, fixture):
    (absent,) = SITE.find(*asked("Black-footed Albatross"), shelf({}))
    assert absent.reason == "Black-footed Albatross: no page (404)"
    home = "https://www.bird-sounds.net/"
    url = f"{home}black-footed-albatross"
    session = shelf({url: home, home: b"<title>Bird Sounds</title>"})
    (absent,) = SITE.find(*asked("Black-footed Albatross"), session)
    assert absent.reason.endswith(f"no page: its address leads to {home}")


def test_clips_are_pointers(fixture):
    first, second = read(fixture("bird_sounds/northern-cardinal.html"))
    assert (first.source_id, second.source_id) == ("birdmedia/1/2.mp3", "birdmedia/1/3.mp3")
    assert (first.media_url, first.title) == ("", NAME)
    assert first.source_url == f"{PAGE}#birdmedia/1/2.mp3"  # one page, and an address for each
    assert (first.licence.name, first.licence.redistributable) == ("all rights reserved", False)
    assert SITE.access is Access.POINTER


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"", 404, "no page (404)"),
        (b"<h1>Scarlet Tanager</h1><source src=/a.mp3>", 200, f"its address leads to {PAGE}"),
        (b"<h1>Northern Cardinal</h1>", 200, f"no clips on its page {PAGE}"),
        (b"", 200, f"its address leads to {PAGE}"),
        (b"<div>" * 10_000, 200, f"its address leads to {PAGE}"),
    ],
)
def test_a_page_without_clips_is_absent(body, status, reason):
    (absent,) = read(body, status)
    assert isinstance(absent, Absent)
    assert reason in absent.reason


def test_deep_and_hostile_pages_are_read_as_far_as_they_go():
    deep = b"<h1>Northern Cardinal</h1>" + b"<div>" * 1_000 + b"<source src='/x/1.mp3'>"
    assert [raw.source_id for raw in read(deep)] == ["x/1.mp3"]
    hostile = b"<h1>Northern Cardinal</h1><source src='../../etc/x.mp3'><source src='http://[.mp3'>"
    assert [raw.source_id for raw in read(hostile)] == ["etc/x.mp3"]
