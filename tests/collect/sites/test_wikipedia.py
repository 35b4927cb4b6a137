"""A Wikipedia article in the HTML of 2025."""

from __future__ import annotations

import json

from fgbench.collect.sites.base import Hit, Response
from fgbench.collect.sites.wikipedia import Wikipedia
from fgbench.species import find


def test_an_article_is_its_paragraphs_under_their_headings(fixture):
    text = fixture("wikipedia/article.html").decode()
    answer = {"parse": {"title": "Black-footed albatross", "revid": 1234, "text": text}}
    bird = find("Black-footed Albatross")
    facts = {"licence": "x", "licence_url": "https://creativecommons.org/licenses/by-sa/4.0/"}
    hit = Hit("wikipedia", bird.label, bird.name, "https://x", "1234", facts=facts)
    body = json.dumps(answer).encode()
    (raw,) = Wikipedia().read(hit, Response("https://x", 200, {}, body, "", "sha256:0"))
    assert [(p.section, p.text) for p in raw.paragraphs] == [
        (
            "",
            "The black-footed albatross (Phoebastria nigripes) is a large seabird that glides over"
            " the open ocean for days.[1]",
        ),
        (
            "Description",
            "Its plumage is sooty, with white around the bill and, in old birds, under the tail.",
        ),
        ("Voice", "While they dance, the birds clap their bills and point them to the sky."),
        ("See also", "List of the birds of an archipelago that does not exist"),
        ("References", "Author, B. (2001). Another title that must never be read as text."),
    ]
    assert raw.about == ("Phoebastria nigripes",)
    assert raw.extractor == "rule"
    assert raw.licence.name == "CC-BY-SA-4.0"
    assert raw.source_url == "https://en.wikipedia.org/wiki/Black-footed_albatross"
    assert raw.attribution == (
        "“Black-footed albatross”, Wikipedia contributors,"
        " https://en.wikipedia.org/w/index.php?oldid=1234, CC-BY-SA-4.0"
    )
