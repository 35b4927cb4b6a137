"""The field guides and eBird, in the addresses and the markup that are on record."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from bs4 import BeautifulSoup


@pytest.fixture
def soup(get: Callable) -> Callable[[str, str], BeautifulSoup]:
    def read(site: str, target: str) -> BeautifulSoup:
        got = get(site, target)
        assert got.status == 200
        assert got.headers["content-type"] == "text/html; charset=utf-8"
        return BeautifulSoup(got.body.decode("utf-8"), "lxml")

    return read


def _text_after(soup: BeautifulSoup, tag: str, heading: str) -> str:
    found = next(h for h in soup.find_all(tag) if h.get_text() == heading)
    return found.find_next("p").get_text()


def test_all_about_birds_has_three_pages_a_species(soup: Callable):
    overview = soup("allaboutbirds", "/guide/Heermanns_Gull/overview")
    assert overview.h1.get_text() == "Heermann's Gull"
    headings = [h.get_text() for h in overview.main.find_all("h2")]
    assert headings[:3] == ["Basic Description", "Find This Bird", "Cool Facts"]
    identification = soup("allaboutbirds", "/guide/Heermanns_Gull/id")
    assert [a["aria-label"] for a in identification.find_all("article")] == [
        *("Size & Shape", "Color Pattern", "Behavior", "Habitat")
    ]
    assert identification.select("div.annotation-txt")
    life = soup("allaboutbirds", "/guide/Heermanns_Gull/lifehistory")
    for part in ("habitat", "food", "nesting", "behavior"):
        assert life.select_one(f"div#life_{part} p").get_text()


def test_all_about_birds_sends_names_that_it_does_not_know_to_a_search(get: Callable):
    for name in ("Laysan_Albatross", "Dodo", "../../etc/passwd"):
        got = get("allaboutbirds", f"/guide/{name}/overview")
        assert got.status == 302
        assert got.headers["location"].startswith("/guide/search?q=")
    assert get("allaboutbirds", "/guide/search?q=Dodo").status == 200
    assert get("allaboutbirds", "/guide/Common_Tern/nothing").status == 404


def test_audubon_has_its_sections_of_2020(soup: Callable, get: Callable):
    page = soup("audubon", "/field-guide/bird/black-footed-albatross")
    assert page.select_one(".common-name").get_text() == "Black-footed Albatross"
    assert page.select_one(".scientific-name").get_text() == "Phoebastria nigripes"
    sections = page.select("section.bird-guide-section")
    headings = {s.h5.get_text() for s in sections}
    assert headings >= {"Feeding Behavior", "Eggs", "Young", "Diet", "Nesting"}
    assert page.select_one("table.collapse th").get_text() == "Habitat"
    assert _text_after(page, "h5", "Diet").startswith("Mostly squid")
    assert get("audubon", "/field-guide/bird/dodo").status == 404


def test_both_of_a_pair_share_a_paragraph_on_audubon_word_for_word(soup: Callable):
    texts = [
        {p.get_text() for p in soup("audubon", f"/field-guide/bird/{name}").find_all("p")}
        for name in ("black-footed-albatross", "laysan-albatross")
    ]
    assert any(text.startswith("Albatrosses belong") for text in texts[0] & texts[1])


def test_new_hampshire_pbs_has_tables_and_a_classification(soup: Callable, get: Callable):
    page = soup("nhpbs", "/wild/commontern.asp")
    assert page.title.get_text().startswith("Common Tern | NatureWorks")
    assert [b.get_text() for b in page.select("td td b")] == [
        *("Description", "Range", "Habitat", "Diet", "Life Cycle", "Behavior")
    ]
    assert "Kingdom: Animalia" in page.get_text()
    assert get("nhpbs", "/natureworks/arctictern.htm").status == 200
    assert get("nhpbs", "/wild/arctictern.asp").status == 404


def test_new_hampshire_pbs_has_a_page_on_another_species_under_a_name(soup: Callable):
    page = soup("nhpbs", "/wild/tennesseewarbler.asp")
    assert page.h1.get_text() == "Nashville Warbler - Leiothlypis ruficapilla"
    assert "Tennessee" not in page.get_text()


def test_the_minnesota_atlas_has_parts_captions_and_literature(soup: Callable, get: Callable):
    page = soup("mnbirdatlas", "/species/yellow-rumped-warbler/")
    headings = [h.get_text() for h in page.find_all("h2")]
    assert headings[0] == "Overview"
    assert headings[-1] == "Literature Cited"
    assert page.select(".wp-caption-text")
    assert get("mnbirdatlas", "/species/laysan-albatross/").status == 404
    moved = get("mnbirdatlas", "/species/common-tern")
    assert (moved.status, moved.headers["location"]) == (301, "/species/common-tern/")


def test_ebird_describes_a_species_in_one_paragraph(soup: Callable, get: Callable):
    page = soup("ebird", "/species/bkfalb")
    assert page.select_one("h1#content span.Heading-main").get_text() == "Black-footed Albatross"
    assert page.select_one("h1#content span.Heading-sub").get_text() == "Phoebastria nigripes"
    assert page.select_one("div.Classification li")
    description = page.select_one("meta[name=description]")["content"]
    assert _text_after(page, "h2", "Identification") == description
    assert get("ebird", "/species/dodo").status == 404


def test_ebird_gives_its_taxonomy_without_a_key(get: Callable):
    got = get("ebird", "/v2/ref/taxonomy/ebird?fmt=json&species=arcter,comter")
    assert [row["comName"] for row in json.loads(got.body)] == ["Arctic Tern", "Common Tern"]
    assert {"sciName", "speciesCode", "category", "taxonOrder"} <= set(json.loads(got.body)[0])
    assert len(json.loads(get("ebird", "/v2/ref/taxonomy/ebird?fmt=json").body)) == 8
    assert get("ebird", "/v2/ref/taxonomy/ebird?fmt=csv").status == 400
