"""sites.psu.edu: blog posts that the Archive finds by a name in their address."""

from __future__ import annotations

import re

import pytest
from collect.sites.archive import Archive

from fgbench.collect.sites.psu import PennState

SITE = PennState()
POST = "http://sites.psu.edu/madeupblog/2015/10/12/belted-kingfisher/"


def test_a_post_is_found_by_its_address_and_read_without_comments(asked, fixture):
    session = Archive(fixture("psu/post.html"), POST, f"{POST}?replytocom=12")
    (hit,) = SITE.find(*asked("Belted Kingfisher"), session)
    assert (hit.query, hit.facts["original"]) == ("Belted Kingfisher", POST)
    (raw,) = SITE.read(hit, session.get(hit.url))
    assert raw.title == "Belted Kingfisher"
    assert [p.text for p in raw.paragraphs] == [
        "The belted kingfisher (Megaceryle alcyon) hovers over the water and drops on a fish."
    ]
    assert "Megaceryle alcyon" in raw.about


@pytest.mark.parametrize(
    ("as_of", "years"), [(None, ("2014", "2024")), ("2016-03-01", ("2011", "2021"))]
)
def test_the_archive_matches_the_names_in_years_around_the_date(asked, as_of, years):
    session = Archive(b"", POST, as_of=as_of)
    list(SITE.find(*asked("Belted Kingfisher"), session))
    (question,) = session.questions()
    assert (question["from"], question["to"]) == ([years[0]], [years[1]])
    expression = question["filter"][2].removeprefix("urlkey:")
    for key in ("belted-kingfisher/", "megaceryle_alcyon", "a/belted%20kingfisher.html"):
        assert re.fullmatch(expression, f"edu,psu,sites)/blog/{key}")
    assert not re.fullmatch(expression, "edu,psu,sites)/blog/everbelted-kingfishers-nest")
