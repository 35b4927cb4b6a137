"""The Minnesota atlas: the parts of an account, without figures, tables and literature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fgbench.collect.sites.base import Hit, RawText, Response
from fgbench.collect.sites.mnbirdatlas import MnBirdAtlas

URL = "https://mnbirdatlas.org/species/northern-cardinal/"


def test_the_parts_of_an_account(fixture: Callable[[str], bytes]) -> None:
    hit = Hit("mnbirdatlas", 16, "Northern Cardinal", URL, "northern-cardinal")
    body = fixture("mnbirdatlas/account.html")
    response = Response(URL, 200, {}, body, "2026-11-01T12:00:00Z", "sha256:0")
    (raw,) = MnBirdAtlas().read(hit, response)
    assert isinstance(raw, RawText)
    assert [(p.section, p.text) for p in raw.paragraphs] == [
        ("Minnesota Seasonal Status:", "A made-up resident of all seasons (Nobody 1932)."),
        ("Minnesota Breeding Bird Distribution", "It came from a made-up south. It stayed."),
        ("Breeding Habitat", "Made-up suburbs, with made-up hedges."),
        ("Population Abundance", "There are seven of them."),
        ("Conservation", "Nobody worries."),
    ]
    assert raw.about == ("Northern Cardinal", "Cardinalis cardinalis")
    assert "Pfannmuller" in raw.attribution


def test_only_breeders_of_minnesota(shelf: Any, asked: Any) -> None:
    session = shelf({URL: b"<title>Northern Cardinal</title>"})
    assert [h.url for h in MnBirdAtlas().find(*asked("Cardinal"), session)] == [URL]
    (absent,) = MnBirdAtlas().find(*asked("Ivory Gull"), session)
    assert "no page (404)" in absent.reason
