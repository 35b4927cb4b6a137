"""Avibase: found by scientific name, and each recording traced to the collection that has it."""

from __future__ import annotations

import pytest

from fgbench.collect.sites.avibase import Avibase
from fgbench.collect.sites.base import Absent, Access, Hit, Response
from fgbench.species import find

SITE = Avibase()
NAME = "Northern Cardinal"
BIRD = find(NAME)
NUMBER = f"{BIRD.avibase_id}01234567"
HOME = "https://avibase.bsc-eoc.org/"
SEARCH = f"{HOME}search.jsp?pg=search&isadv=yes&qstr=Cardinalis%20cardinalis&qtype=2"
SOUNDS = f"{HOME}species.jsp?lang=EN&avibaseid={NUMBER}&sec=audio"
FRAME = f"{HOME}player.jsp?n=1"


@pytest.fixture
def pages(fixture):
    search = fixture("avibase/search.html").replace(b"ID_OF_THE_BIRD", NUMBER.encode())
    return {
        SEARCH: search,
        SOUNDS: fixture("avibase/audio.html"),
        FRAME: fixture("avibase/player.html"),
    }


def read(body: bytes, status: int = 200) -> list:
    hit = Hit("avibase", BIRD.label, "Cardinalis cardinalis", SOUNDS, NUMBER)
    return list(SITE.read(hit, Response(SOUNDS, status, {}, body, "", "sha256:0")))


def test_the_page_of_the_right_species_and_its_own_frames_are_hits(asked, shelf, pages):
    session = shelf(pages)
    hits = list(SITE.find(*asked(NAME), session))
    assert [hit.url for hit in hits] == [SOUNDS, FRAME]
    assert {(hit.query, hit.source_id) for hit in hits} == {("Cardinalis cardinalis", NUMBER)}
    assert session.asked == [SEARCH, SOUNDS]


def test_where_the_id_is_unknown_the_first_row_of_that_name_counts(asked, shelf, pages):
    pages[SEARCH] = pages[SEARCH].replace(NUMBER.encode(), b"EEEEEEEEFFFFFFFF")
    hits = list(SITE.find(*asked(NAME), shelf(pages)))
    assert [hit.source_id for hit in hits] == ["AAAAAAAABBBBBBBB"]


def test_a_search_that_leads_straight_to_the_species(asked, shelf, pages):
    pages[SEARCH] = f"{HOME}species.jsp?lang=EN&avibaseid={NUMBER}"
    pages[f"{HOME}species.jsp?lang=EN&avibaseid={NUMBER}"] = b"<h1>Northern Cardinal</h1>"
    hits = list(SITE.find(*asked(NAME), shelf(pages)))
    assert hits[0].url == SOUNDS


@pytest.mark.parametrize(
    "body", [404, b"", b"<table><tr><td>Cardinalis cardinalis</td><a href=x></tr>"]
)
def test_a_species_that_it_does_not_know_is_absent(asked, shelf, body):
    (absent,) = SITE.find(*asked(NAME), shelf({SEARCH: body}))
    assert isinstance(absent, Absent)
    assert "Cardinalis cardinalis: no species of that name" in absent.reason


def test_recordings_are_pointers_into_their_collections(fixture):
    first, second, absent = read(fixture("avibase/audio.html"))
    assert [(raw.source_id, raw.source_url) for raw in (first, second)] == [
        ("XC900001", "https://xeno-canto.org/900001"),
        ("ML990000001", "https://macaulaylibrary.org/asset/990000001"),
    ]
    assert (first.media_url, first.licence.redistributable) == ("", False)
    assert first.title == "Northern Cardinal, XC900001"
    assert absent.reason == (
        "played from where no collection is known: https://advertising.example/banner"
    )
    assert SITE.access is Access.POINTER


def test_a_frame_of_its_own_is_followed_to_the_origin(fixture):
    assert {raw.source_id for raw in read(fixture("avibase/player.html"))} == {
        "ML990000002",
        "XC900002",
    }


@pytest.mark.parametrize(
    "address",
    [
        "https://xeno-canto.org.evil.example/900001/embed",
        "https://evil.example/?u=//xeno-canto.org/900001",
        "https://xeno-canto.org/set/900001",
        "https://xeno-canto.org/9000019000019000019",
        "https://user:password@xeno-canto.org/900001",
        "ftp://xeno-canto.org/900001",
        "https://macaulaylibrary.org/asset/../../x",
    ],
)
def test_what_only_looks_like_a_collection_is_none(address):
    (absent,) = read(f'<iframe src="{address}">'.encode())
    assert isinstance(absent, Absent)


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"", 410, "no page (410)"),
        (b"", 200, "plays nothing"),
        (b"<div>" * 10_000 + b"<iframe src='//xeno-canto.org/1'>", 200, "plays nothing"),
        (b"<tr>" * 10_000, 200, "plays nothing"),
    ],
)
def test_a_page_that_plays_nothing_is_absent(body, status, reason):
    (absent,) = read(body, status)
    assert absent.reason.endswith(reason)


def test_odd_frames_keep_no_species_from_being_found(asked, shelf, pages):
    odd = b'<iframe src="http://[x"><iframe src="mailto:x"><iframe src="http://a:b@c/d">' * 20
    pages[SOUNDS] = odd + b'<iframe src="/p.jsp?1"></iframe>' * 3
    hits = list(SITE.find(*asked(NAME), shelf(pages)))
    assert [hit.url for hit in hits] == [SOUNDS, f"{HOME}p.jsp?1"]
    pages[SOUNDS] = "".join(f'<iframe src="/p.jsp?{n}"></iframe>' for n in range(99)).encode()
    assert len(list(SITE.find(*asked(NAME), shelf(pages)))) <= SITE.requests_per_query
