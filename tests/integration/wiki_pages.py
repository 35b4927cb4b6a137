"""The pages of the two wikis: synthetic articles in the shape of real ones."""

from __future__ import annotations

TAXOBOX = """{| class="infobox biota"
! colspan="2" | {{{name}}}
|-
| Scientific classification || Animalia, Aves
|-
! colspan="2" | Binomial name
|-
| colspan="2" class="binomial" | ''{{{binomial}}}''
|}"""
DISAMBIGUATION = (
    "<div class='dmbox metadata'>This page lists what the title may mean.</div>"
    "[[Category:All disambiguation pages]]"
)
HATNOTE = '<div role="note" class="hatnote">{{{1}}}</div>'

LEAD_2015 = "The black-footed albatross is a large seabird of the North Pacific in this first text."
LEAD_2018 = "The black-footed albatross is a dark seabird that glides over the open North Pacific."
LEAD_2023 = "The black-footed albatross, rewritten since, is a dusky wanderer of the North Pacific."
FEEDING = (
    "It takes the eggs of flying fish from the surface, and squid at night, and follows ships."
)


def albatross(lead: str) -> str:
    """An article with all that is no text on the bird around what is."""
    return f"""{{{{Hatnote|This article is about the bird. For the ship, see [[HMS Albatross]].}}}}
{{{{Taxobox|name=Black-footed albatross|binomial=Phoebastria nigripes}}}}
[[File:Nothing.jpg|thumb|A caption that no one should read as a sentence about the albatross.]]
{lead}<ref>A. Author, ''The first reference of this page'', p. 3.</ref> It nests on [[Hawaii]]an
islands.<ref name="b">B. Author, ''The second reference of this page''.</ref>

== Description ==
Its plumage is sooty brown, with a [[white]] ring around the base of the bill; see
[https://birds.example/plate the plate].

=== Voice ===
{{| class="wikitable"
! Month !! Nests counted on the island in the whole of the breeding season
|-
| May || 1,234
|}}
At the colony it claps its bill and groans, above all while a pair dances on the sand.

== Feeding ==
* {FEEDING}

== See also ==
* [[List of birds of the islands that somebody once compiled for another purpose]]

== References ==
<references />

== External links ==
* [https://birds.example/a A page elsewhere that has more to say about the black-footed albatross]
"""


def article(name: str, binomial: str, text: str) -> str:
    """A short article with a taxobox."""
    return f"{{{{Taxobox|name={name}|binomial={binomial}}}}}\n'''{name}''' {text}"


PAGES: dict[str, list[tuple[str, str]]] = {
    "Template:Taxobox": [("2010-01-01T00:00:00Z", TAXOBOX)],
    "Template:Disambiguation": [("2010-01-01T00:00:00Z", DISAMBIGUATION)],
    "Template:Hatnote": [("2010-01-01T00:00:00Z", HATNOTE)],
    "Black-footed albatross": [
        ("2015-03-01T00:00:00Z", albatross(LEAD_2015)),
        ("2018-06-01T00:00:00Z", albatross(LEAD_2018)),
        ("2023-06-01T00:00:00Z", albatross(LEAD_2023)),
    ],
    "Black-footed Albatross": [
        ("2015-04-01T00:00:00Z", "#REDIRECT [[Black-footed albatross]]"),
    ],
    "Mallard": [
        (
            "2012-01-01T00:00:00Z",
            "'''Mallard''' may refer to:\n* [[Mallard (duck)]], a duck\n* A locomotive of the"
            " London and North Eastern Railway\n{{Disambiguation}}",
        )
    ],
    "Mallard (duck)": [
        (
            "2012-01-01T00:00:00Z",
            article(
                "Mallard",
                "Anas platyrhynchos",
                "is a duck of ponds and rivers, the drake's"
                " head a glossy green above a white collar.",
            ),
        )
    ],
    "Anas platyrhynchos": [("2012-02-01T00:00:00Z", "#REDIRECT [[Mallard (duck)]]")],
    "Sayornis": [
        (
            "2012-01-01T00:00:00Z",
            article(
                "Sayornis",
                "Sayornis",
                "is a genus of three flycatchers, the phoebes, that wag their tails.",
            ),
        )
    ],
    "Black Phoebe": [
        (
            "2012-01-01T00:00:00Z",
            article(
                "Black phoebe",
                "Sayornis nigricans",
                "is a black flycatcher with a white belly, never far from water.",
            ),
        )
    ],
    "Gadwall": [
        (
            "2021-01-01T00:00:00Z",
            article(
                "Gadwall",
                "Mareca strepera",
                "is a grey-brown duck, the drake with a black"
                " stern, written about here only since 2021.",
            ),
        )
    ],
    "Ovenbird": [
        ("2014-01-01T00:00:00Z", "#REDIRECT [[Ovenbird (warbler)]]"),
        (
            "2022-01-01T00:00:00Z",
            article(
                "Ovenbird",
                "Seiurus aurocapilla",
                "has a page of its own since 2022, and builds a domed nest on the forest floor.",
            ),
        ),
    ],
    "Ovenbird (warbler)": [
        (
            "2013-01-01T00:00:00Z",
            article(
                "Ovenbird",
                "Seiurus aurocapilla",
                "is a warbler that walks on the forest floor, and calls teacher, teacher, teacher.",
            ),
        ),
    ],
}
