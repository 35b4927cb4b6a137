"""What a site prints on the pages of many species is rejected there, and only there."""

from collections.abc import Callable

from fgbench.collect.clean.filters import Reason
from fgbench.collect.clean.furniture import SPECIES, reject_furniture
from fgbench.collect.clean.text import clean
from fgbench.collect.sites.base import RawText
from fgbench.dataset.schema import Row
from fgbench.species import species

OWN = [
    "It breeds on cliffs and lays a single white egg in a nest of stones.",
    "In winter the flocks leave the coast and feed far out on the open sea.",
    "Its song is a thin whistle that rises, given by the male from a high branch.",
    "The young leave the nest after three weeks and are fed by both parents.",
    "Adults eat seeds in autumn and insects in spring, which they catch in flight.",
    "The tail is long and dark with white outer feathers that show when it flies.",
]


def rows(make: Callable[..., RawText], text: str, classes: int, site: str = "audubon") -> list[Row]:
    """Rows of pages of the first classes, each with a text of its own and ``text`` with {name}."""
    return [
        row
        for bird, own in zip(species()[:classes], OWN, strict=False)
        for row in clean(
            make(bird.name, own, text.format(name=bird.name), site=site, label=bird.label),
            bird,
            retrieved_at="2026-01-01T00:00:00Z",
            warc_digest="sha256:0",
        )
    ]


def test_furniture_is_rejected_even_with_the_name_in_it(page: Callable[..., RawText]) -> None:
    read = rows(page, "See the {name} in our guide to where the birds of the coast are found", 6)
    kept, rejected = reject_furniture(read)
    assert [row["text"] for row in kept] == OWN
    assert len(rejected) == 6
    assert {(row["stage"], row["reason"]) for row in rejected} == {("clean", Reason.FURNITURE)}


def test_look_alikes_may_share_a_text(page: Callable[..., RawText]) -> None:
    read = rows(page, "All birds of this group nest on islands and feed on fish.", SPECIES - 1)
    assert reject_furniture(read) == (read, [])


def test_each_site_counts_for_itself(page: Callable[..., RawText]) -> None:
    text = "All birds of this group nest on islands and feed on fish."
    read = rows(page, text, 3) + rows(page, text, 3, site="nhpbs")
    assert reject_furniture(read) == (read, [])


def test_many_pages_of_one_species_are_no_furniture(page: Callable[..., RawText]) -> None:
    read = rows(page, "The {name} nests on islands and feeds on fish.", 1) * 9
    assert reject_furniture(read) == (read, [])
