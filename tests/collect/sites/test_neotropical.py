"""Neotropical Birds: the sections of an account, from the Archive."""

from __future__ import annotations

from collect.sites.archive import Archive

from fgbench.collect.sites.base import Absent
from fgbench.collect.sites.neotropical import NeotropicalBirds

SITE = NeotropicalBirds()


ACCOUNT = "https://neotropical.birds.cornell.edu/Species-Account/nb/species/grnvie1/"


def test_the_sections_of_an_account_are_read_but_those_without_prose(fixture, asked):
    page = fixture("neotropical/overview.html")
    sections = ("overview", "breeding", "references", "multimedia")
    session = Archive(page, *(ACCOUNT + section for section in sections))
    hits = list(SITE.find(*asked("Green Violetear"), session))
    assert [hit.facts["original"].rpartition("/")[2] for hit in hits] == ["breeding", "overview"]
    assert {hit.query for hit in hits} == {"grnvie1"}
    question = session.questions()[0]
    assert question["url"] == ["neotropical.birds.cornell.edu/Species-Account/nb/species/grnvie1/"]
    assert question["matchType"] == ["prefix"]
    (raw,) = SITE.read(hits[1], session.get(hits[1].url))
    assert [(p.section, p.text) for p in raw.paragraphs] == [
        (
            "Introduction",
            "This hummingbird of mountain forests lifts violet tufts beside its eyes when it is"
            " excited.",
        )
    ]
    assert raw.source_url == hits[1].facts["original"]
    assert raw.archive_url == hits[1].url
    assert raw.archive_url.startswith("https://web.archive.org/web/20181101000000id_/https://neo")
    assert raw.about[-1] == "Colibri thalassinus"
    assert not raw.licence.redistributable


def test_a_species_that_it_never_had_is_absent(asked):
    (absent,) = SITE.find(*asked("Bobolink"), Archive(b""))
    assert isinstance(absent, Absent)
    assert absent.reason == "boboli: the Internet Archive has no copy"
