"""A page's names, charset and text; and what no page may do to its reader."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbench.collect.sites.base import FetchFailed, Paragraph, Response
from fgbench.collect.sites.outline import Layout
from fgbench.collect.sites.page import GENERIC, RULE, Page, parse

ALL = Layout(lead=True)
DIET = Layout(sections=frozenset({"diet", "habitat"}))


def response(body: bytes, content_type: str = "text/html") -> Response:
    headers = {"content-type": content_type}
    return Response("https://a.example/", 200, headers, body, "2026-11-01T12:00:00Z", "sha256:0")


def test_names_of_a_page() -> None:
    page = Page("<title> A |\n B</title><h1>Sedge <i>Wren</i></h1><i>see</i><em>Aus  bus</em>")
    assert (page.title, page.name, page.binomial) == ("A | B", "Sedge Wren", "Aus bus")
    assert Page('<meta property="og:x" content=" a  b ">').meta("og:x") == "a b"
    assert (Page("").title, Page("").name, Page("").binomial, Page("").meta("x")) == ("",) * 4


def test_headings_that_match_can_be_told() -> None:
    assert Page("<h2>Diet</h2><p>Seeds.</p><h2>Habitat</h2>").headings(DIET) == {"diet"}


def test_the_generic_extractor_stands_in_and_is_named() -> None:
    prose = "The wren of this made-up page eats insects and spiders, and sings at night in summer. "
    html = f"<html><body><main><h1>Wren</h1><h2>Meals</h2><p>{prose * 3}</p></main></body></html>"
    paragraphs, extractor = Page(html).read(DIET)
    assert extractor == GENERIC
    assert paragraphs == (Paragraph((prose * 3).strip(), "Meals"),)
    assert Page(f"<h2>Diet</h2><p>{prose}</p>").read(DIET)[1] == RULE
    assert Page("").read(DIET) == ((), GENERIC)


def test_a_declared_charset_counts_and_a_wrong_one_is_a_failure() -> None:
    name = "<h1>“Möwe”</h1>".encode("windows-1252")
    latin = b'<meta charset="iso-8859-1">' + name
    assert parse(response(latin)).name == "“Möwe”"
    assert parse(response("<h1>Möwe</h1>".encode())).name == "Möwe"
    assert parse(response(name, "text/html; charset=windows-1252")).name == "“Möwe”"
    for body in (name, b"<meta charset=utf-8>\xff", b"<meta charset=no-such-thing>\xff"):
        with pytest.raises(FetchFailed, match="bad_encoding"):
            parse(response(body))


@pytest.mark.parametrize(
    "tag", ["div", "b", "ul><li", "table><tr><td", "section aria-label=diet", "h2"]
)
def test_deep_nesting_is_read_as_far_as_it_goes(tag: str) -> None:
    html = f"<h2>Diet</h2><p>Seeds.</p>{f'<{tag}>' * 10_000}<p>Too deep to be read.</p>"
    assert Page(html).paragraphs(DIET)[0] == Paragraph("Seeds.", "Diet")
    Page(html).read(Layout(sections=frozenset({"none"})))
    assert Page(f"{'<div>' * 500}<h2>Diet</h2><p>Seeds.").paragraphs(DIET)


@pytest.mark.parametrize(
    "html",
    [
        "<h2>Diet</h2><p>Seeds.</p>" + "<p aria-labelledby=x>a" * 20_000,
        "<h2>Diet</h2><p>Seeds.</p>" + "<br>a" * 50_000,
        "<h2>Diet</h2><p>Seeds.</p>" + "<h6>a" * 20_000,
        "<h2>Diet</h2><p>Seeds.</p>" + "<dl>" * 1000 + "<dt>a" * 20_000,
        "<h2>Diet</h2><p>Seeds.</p>" + "<i>" * 2000 + "Aus bus " * 100_000,
        f"<h2>Diet</h2><p>Seeds.</p><p id=x>{'a ' * 100_000}</p>" + "<p aria-labelledby=x>a" * 9000,
    ],
)
def test_long_pages_take_time_in_proportion(html: str) -> None:
    assert Page(html).paragraphs(DIET)[0] == Paragraph("Seeds.", "Diet")
    assert Page(html).binomial == ""


def test_a_page_too_large_to_be_one_is_a_failure() -> None:
    with pytest.raises(FetchFailed, match="too_large"):
        parse(response(b"<p>" + b"a" * 9_000_000))


@given(st.text(alphabet=st.sampled_from("<>/=\"'ab h2pdivtrscy\x00\ud800é&#;!-"), max_size=200))
def test_any_text_is_a_page(html: str) -> None:
    page = Page(html)
    assert page.paragraphs(DIET) == Page(html).paragraphs(DIET)
    assert all(p.text == " ".join(p.text.split()) != "" for p in page.paragraphs(ALL))
