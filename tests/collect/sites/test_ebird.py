"""eBird's species pages: by code, one paragraph each."""

from __future__ import annotations

import pytest

from fgbench.collect.sites.base import Absent, Failure, FetchFailed, Hit, Response
from fgbench.collect.sites.ebird import EBird, codes
from fgbench.species import find, species

SITE = EBird()
PAGE = "https://ebird.org/species/"
TEXT = (
    "Dusky ocean wanderer with long narrow wings. Look for the pale ring of feathers around its"
    " bill. Follows ships far from shore."
)


def hits(shelf, asked, name, pages):
    session = shelf(pages)
    return list(SITE.find(*asked(name), session)), session


def read(body: bytes, status: int = 200, final_url: str = "") -> list:
    hit = Hit("ebird", 0, "bkfalb", f"{PAGE}bkfalb", "bkfalb")
    answer = Response(hit.url, status, {}, body, "", "sha256:0", final_url)
    return list(SITE.read(hit, answer))


def test_every_class_has_a_code():
    assert all(codes(bird) for bird in species())
    assert codes(find("Sayornis")) == ("blkpho", "easpho", "saypho")
    assert codes(find("Herring Gull")) == ("hergul", "euhgul1", "amhgul1")


def test_a_page_is_found_by_code(shelf, asked, fixture):
    pages = {f"{PAGE}bkfalb": fixture("ebird/bkfalb.html")}
    (hit,), session = hits(shelf, asked, "Black-footed Albatross", pages)
    assert (hit.url, hit.source_id, hit.query) == (f"{PAGE}bkfalb", "bkfalb", "bkfalb")
    assert session.asked == [f"{PAGE}bkfalb"]


def test_a_class_of_several_species_has_a_page_for_each(shelf, asked):
    pages = {f"{PAGE}{code}": b"<p>" for code in ("blkpho", "saypho")}
    found, _ = hits(shelf, asked, "Sayornis", pages)
    assert [hit.source_id for hit in found] == ["blkpho", "saypho"]


def test_a_code_that_moved_is_followed_and_one_that_leads_away_is_absent(shelf, asked):
    pages = {f"{PAGE}hergul": f"{PAGE}amhgul1", f"{PAGE}amhgul1": b"<p>"}
    found, _ = hits(shelf, asked, "Herring Gull", pages)
    assert [hit.source_id for hit in found] == ["amhgul1", "amhgul1"]
    pages = {f"{PAGE}boboli": "https://ebird.org/explore", "https://ebird.org/explore": b"<p>"}
    (absent,), _ = hits(shelf, asked, "Bobolink", pages)
    assert absent.reason == "boboli: the code leads to https://ebird.org/explore"


def test_a_code_without_a_page_is_absent(shelf, asked):
    (absent,), _ = hits(shelf, asked, "Bobolink", {})
    assert absent == Absent("ebird", absent.label, "boboli", "boboli: no page for the code")


def test_the_text_is_the_description_in_full(fixture):
    (raw,) = read(fixture("ebird/bkfalb.html"))
    assert [(p.section, p.text) for p in raw.paragraphs] == [("Identification", TEXT)]
    assert "Phoebastria nigripes" in raw.about
    assert raw.title.startswith("Black-footed Albatross")
    assert raw.source_url == f"{PAGE}bkfalb"
    assert (raw.licence.name, raw.licence.redistributable) == ("all rights reserved", False)


def test_a_description_that_is_whole_is_taken_as_it_is():
    (raw,) = read(b'<meta name="description" content="A gull. It is  white."><h1>Gull</h1>')
    assert [p.text for p in raw.paragraphs] == ["A gull. It is white."]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<h1>Gull</h1><p>Text that no description points to.</p>",
        b'<meta name="description" content="Cut short, and nowhere on the page...">',
        b'<meta name="description" content="...">',
        b"<div>" * 10_000,
    ],
)
def test_a_page_that_describes_nothing_is_absent(body):
    (absent,) = read(body)
    assert absent == Absent("ebird", 0, "bkfalb", "the page describes nothing")


def test_a_challenge_for_browsers_is_a_failure_not_a_text():
    body = b'<meta name="description" content="x"><script id="anubis_challenge">{}</script>'
    with pytest.raises(FetchFailed, match="challenge") as failure:
        read(body)
    assert failure.value.kind is Failure.HTTP_4XX


def test_robots_txt_rules():
    assert SITE.rule == "robots.txt"
