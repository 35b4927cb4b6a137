"""What the field guides share: names tried in order, absences with a reason, pages read purely."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fgbench.collect.clean.text import clean
from fgbench.collect.sites.audubon import Audubon
from fgbench.collect.sites.base import Absent, Failure, FetchFailed, Hit, RawText, Response
from fgbench.collect.sites.guide import common_names, plain_name
from fgbench.collect.sites.mnbirdatlas import MnBirdAtlas

Ask = Callable[[int | str], tuple[Any, Any]]
BIRD = "https://www.audubon.org/field-guide/bird"
PAGE = b"<title>A page</title><h1>A bird</h1><h2>Diet</h2><p>Made-up seeds.</p>"


def answer(body: bytes, status: int = 200, content_type: str = "text/html") -> Response:
    headers = {"content-type": content_type}
    return Response(f"{BIRD}/x", status, headers, body, "2026-11-01T12:00:00Z", "sha256:0")


def hit(label: int = 16) -> Hit:
    return Hit("audubon", label, "Northern Cardinal", f"{BIRD}/x", "x", "Northern Cardinal")


def test_the_first_name_that_the_guide_knows_is_enough(shelf: Any, asked: Ask) -> None:
    session = shelf({f"{BIRD}/northern-cardinal": PAGE, f"{BIRD}/cardinal": PAGE})
    (found,) = Audubon().find(*asked("Cardinal"), session)
    assert (found.url, found.query, found.label, found.source_id) == (
        f"{BIRD}/northern-cardinal",
        "Northern Cardinal",
        16,
        "northern-cardinal",
    )
    assert session.asked == [f"{BIRD}/northern-cardinal"]


def test_older_names_are_tried_and_scientific_ones_are_not(shelf: Any, asked: Ask) -> None:
    session = shelf({f"{BIRD}/cardinal": PAGE})
    (found,) = Audubon().find(*asked("Cardinal"), session)
    assert found.query == "Cardinal"
    assert session.asked == [f"{BIRD}/northern-cardinal", f"{BIRD}/cardinal"]


def test_a_class_of_several_species_is_asked_for_by_each(shelf: Any, asked: Ask) -> None:
    pages = {f"{BIRD}/{slug}": PAGE for slug in ("black-phoebe", "says-phoebe")}
    session = shelf({**pages, f"{BIRD}/eastern-phoebe": f"{BIRD}/black-phoebe"})
    found = list(Audubon().find(*asked("Sayornis"), session))
    assert [h.url for h in found] == list(pages)
    assert len(session.asked) == 3  # the genus is no common name


@pytest.mark.parametrize(
    ("served", "reason"),
    [
        (404, "no page (404)"),
        (410, "no page (410)"),
        ("https://www.audubon.org/search?q=x", "leads to https://www.audubon.org/search?q=x"),
        ("https://www.audubon.org/", "leads to https://www.audubon.org/"),
        (f"{BIRD}/", f"leads to {BIRD}/"),
        (b"<title>Sorry, We Couldn't Find That Page</title><p>Try a search.", "no page"),
        (b"<title>404 - Audubon</title>", "no page"),
    ],
)
def test_absences_have_a_reason(shelf: Any, asked: Ask, served: Any, reason: str) -> None:
    pages = {"https://www.audubon.org/search?q=x": PAGE, "https://www.audubon.org/": PAGE}
    pages[f"{BIRD}/"] = PAGE
    session = shelf({**pages, f"{BIRD}/black-footed-albatross": served})
    (absent,) = Audubon().find(*asked(1), session)
    assert isinstance(absent, Absent)
    assert (absent.site, absent.label, absent.query) == ("audubon", 0, "Black-footed Albatross")
    assert reason in absent.reason


def test_a_redirect_to_todays_name_is_followed(shelf: Any, asked: Ask) -> None:
    session = shelf({f"{BIRD}/cardinal": f"{BIRD}/red-cardinal", f"{BIRD}/red-cardinal": PAGE})
    (found,) = Audubon().find(*asked("Cardinal"), session)
    assert (found.url, found.source_id) == (f"{BIRD}/red-cardinal", "red-cardinal")


def test_a_failure_is_no_absence(shelf: Any, asked: Ask) -> None:
    session = shelf({f"{BIRD}/black-footed-albatross": Failure.TIMEOUT})
    with pytest.raises(FetchFailed, match="timeout"):
        list(Audubon().find(*asked(1), session))


def test_what_was_fetched_is_gone_or_empty(asked: Ask) -> None:
    for response, reason in ((answer(b"", 404), "404"), (answer(b""), "no text")):
        (absent,) = Audubon().read(hit(), response)
        assert isinstance(absent, Absent)
        assert reason in absent.reason


def test_a_text_says_where_it_is_from_and_is_never_passed_on() -> None:
    (raw,) = Audubon().read(hit(), answer(PAGE))
    assert isinstance(raw, RawText)
    assert raw.source_url == f"{BIRD}/x"
    assert (raw.licence.name, raw.licence.redistributable) == ("all rights reserved", False)
    assert raw.licence.url == Audubon.terms_url
    assert raw.attribution == f"“A bird”, National Audubon Society, {BIRD}/x"
    assert (raw.extractor, raw.archive_url, raw.about) == ("rule", "", ("A bird",))


def test_hostile_names_are_only_data() -> None:
    name = b"<h1>../../etc/\x00passwd<script>alert(1)</script> [bold]x[/bold] {0} %s</h1>"
    (raw,) = Audubon().read(hit(), answer(name + b"<h2>Diet</h2><p>../seeds; DROP TABLE.</p>"))
    assert isinstance(raw, RawText)
    assert raw.title == "../../etc/\ufffdpasswd [bold]x[/bold] {0} %s"
    assert [p.text for p in raw.paragraphs] == ["../seeds; DROP TABLE."]


def test_nesting_without_end_and_wrong_bytes_are_outcomes() -> None:
    deep = f"<h1>x</h1>{'<div>' * 10_000}<h2>Diet</h2><p>Deep seeds.</p>".encode()
    (absent,) = Audubon().read(hit(), answer(deep))
    assert isinstance(absent, Absent)
    with pytest.raises(FetchFailed, match="bad_encoding"):
        list(Audubon().read(hit(), answer(b"<h2>Diet</h2><p>\xff\xfe seeds")))


def test_another_birds_page_is_left_to_the_cleaner_with_its_names(asked: Ask) -> None:
    body = (
        b"<h1>Scarlet Tanager</h1><em>Piranga olivacea</em><h2>Diet</h2><p>Made-up seeds only.</p>"
    )
    (raw,) = Audubon().read(hit(), answer(body))
    assert isinstance(raw, RawText)
    assert raw.about == ("Scarlet Tanager", "Piranga olivacea")
    bird, _ = asked("Cardinal")
    rows = list(clean(raw, bird, retrieved_at="2026-11-01T12:00:00Z", warc_digest="sha256:0"))
    assert {row["reason"] for row in rows} == {"wrong_species"}


def test_names_as_addresses_have_them() -> None:
    assert plain_name("Brewer's Blackbird") == "Brewers Blackbird"
    assert Audubon().addresses("Brewer's Blackbird") == (f"{BIRD}/brewers-blackbird",)
    (url,) = MnBirdAtlas().addresses("Le Conte’s Sparrow")
    assert url == "https://mnbirdatlas.org/species/le-contes-sparrow/"


def test_where_no_common_name_is_asked_for_the_others_are(asked: Ask) -> None:
    bird, queries = asked("Cardinal")
    scientific = tuple(q for q in queries if q.text == "Cardinalis cardinalis")
    assert common_names(bird, scientific) == scientific
    assert scientific[0] not in common_names(bird, queries)
