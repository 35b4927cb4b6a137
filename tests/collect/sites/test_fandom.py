"""A page in the HTML of a Fandom wiki."""

from __future__ import annotations

import json

from fgbench.collect.sites.base import Hit, Response
from fgbench.collect.sites.fandom import Fandom
from fgbench.species import find


def test_a_page_is_its_paragraphs_without_its_box_of_facts(fixture):
    text = fixture("fandom/article.html").decode()
    answer = {"parse": {"title": "Northern Cardinal", "revid": 77, "text": text}}
    bird = find("Northern Cardinal")
    facts = {"licence": "CC-BY-SA", "licence_url": "https://www.fandom.com/licensing"}
    hit = Hit("fandom", bird.label, bird.name, "https://x", "77", facts=facts)
    body = json.dumps(answer).encode()
    (raw,) = Fandom().read(hit, Response("https://x", 200, {}, body, "", "sha256:0"))
    assert [(p.section, p.text) for p in raw.paragraphs] == [
        (
            "",
            "The Northern Cardinal is a red songbird with a crest, which sings from the top of a"
            " tree in every month of the year.",
        ),
        ("Diet", "It cracks seeds with its stout bill, and feeds its young on insects."),
    ]
    assert raw.about == ("Cardinalis cardinalis",)
    assert (raw.licence.name, raw.licence.redistributable) == ("CC-BY-SA", True)
    assert raw.licence.url == "https://www.fandom.com/licensing"
    assert raw.source_url == "https://birds.fandom.com/wiki/Northern_Cardinal"
    assert "https://birds.fandom.com/index.php?oldid=77" in raw.attribution


def test_only_the_api_is_asked_on_the_wiki():
    assert Fandom.api == "https://birds.fandom.com/api.php"
    assert "robots.txt" not in Fandom.rule
