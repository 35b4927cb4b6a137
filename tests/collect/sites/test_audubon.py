"""Audubon's field guide: the same sections in the markup of several years."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fgbench.collect.sites.audubon import Audubon
from fgbench.collect.sites.base import Hit, RawText, Response

URL = "https://www.audubon.org/field-guide/bird/northern-cardinal"
SECTIONS = [
    ("Habitat", "Made-up gardens, hedges and swamps."),
    ("Feeding Behavior", "It hops as it feeds, on the ground or in made-up bushes."),
    ("Eggs", "Three or four, of no colour at all."),
    ("Young", "Both made-up parents bring food."),
    ("Diet", "Mostly made-up seeds."),
    ("Nesting", "In a made-up vine."),
]
LEAD = [
    ("", "Cardinalis cardinalis"),
    ("", "A made-up bird that everybody knows, and that whistles made-up tunes all year."),
    ("Conservation status", "There are as many as there ever were of them."),
]


@pytest.mark.parametrize(("year", "before"), [(2020, []), (2021, LEAD)])
def test_the_sections_of_a_page(
    fixture: Callable[[str], bytes], year: int, before: list[tuple[str, str]]
) -> None:
    hit = Hit("audubon", 16, "Northern Cardinal", URL, "northern-cardinal")
    body = fixture(f"audubon/page-{year}.html")
    (raw,) = Audubon().read(hit, Response(URL, 200, {}, body, "2026-11-01T12:00:00Z", "sha256:0"))
    assert isinstance(raw, RawText)
    assert [(p.section, p.text) for p in raw.paragraphs] == [*before, *SECTIONS]
    assert (raw.title, raw.extractor) == ("Northern Cardinal", "rule")
