"""Paragraphs under headings, whatever the markup."""

from __future__ import annotations

import pytest

from fgbench.collect.sites.outline import Layout, heading_key
from fgbench.collect.sites.page import Page

ALL = Layout(lead=True)
DIET = Layout(sections=frozenset({"diet", "habitat"}), leave=frozenset({"similar species"}))


def texts(html: str, layout: Layout = ALL) -> list[tuple[str, str]]:
    return [(p.section, p.text) for p in Page(html).paragraphs(layout)]


def test_paragraphs_stand_under_the_heading_above_them() -> None:
    html = (
        "<h1>Wren</h1><p>One.</p><h2>Diet</h2><p>Two.<p>Three.<h3>Young</h3>Four.<h2>Range</h2>5."
    )
    assert texts(html) == [
        ("", "One."),
        ("Diet", "Two."),
        ("Diet", "Three."),
        ("Young", "Four."),
        ("Range", "5."),
    ]


def test_what_stands_before_the_pages_name_is_the_sites_own() -> None:
    assert texts("<p>Site.</p><h1>Wren</h1><p>One.</p>") == [("", "One.")]
    assert texts("<p>No name.</p>") == [("", "No name.")]
    assert texts("<nav><h1>Site</h1></nav><p>One.</p>") == [("", "One.")]


def test_inline_markup_joins_and_blocks_part() -> None:
    html = "<div>A <b>bold</b>, <a href=x>link</a>ed<sup>[1]</sup> word<div>Next</div>Last</div>"
    assert texts(html) == [("", "A bold, linked[1] word"), ("", "Next"), ("", "Last")]


def test_embedded_code_neither_shows_nor_parts_a_sentence() -> None:
    html = "<p>Before <style>p{}</style><script>x('<p>no')</script><svg><text>no</svg>after."
    assert texts(html) == [("", "Before after.")]


@pytest.mark.parametrize(
    "html",
    [
        "<nav>no</nav>",
        "<footer><p>no</p></footer>",
        "<figure><img><figcaption>no</figcaption></figure>",
        "<table><caption>no</caption><tr><td>no</td></tr></table>",
        "<div role=navigation>no</div>",
        "<div role=note>no</div>",
        "<div class='a thumbcaption'>no</div>",
        "<select><option>no</select>",
        "<button>no</button>",
        "<!-- no --><?php no ?>",
    ],
)
def test_what_is_no_prose_is_left_out(html: str) -> None:
    layout = Layout(lead=True, skip=frozenset({"thumbcaption"}))
    assert texts(f"<p>One.</p>{html}<p>Two.</p>", layout) == [("", "One."), ("", "Two.")]


@pytest.mark.parametrize(
    "html",
    [
        "<h2>Diet</h2><p>Seeds.</p>",
        "<h6><span><a href=#>DIET:</a></span></h6>Seeds.",
        "<div class=x><span>Diet</span></div><div>Seeds.</div>",
        "<p><b>Diet</b><br>Seeds.</p>",
        "<p><b>Diet:</b> Seeds.</p>",
        "<button aria-expanded=false>Diet</button><div>Seeds.</div>",
        "<details><summary>Diet</summary>Seeds.</details>",
        "<dl><dt>Diet</dt><dd>Seeds.</dd></dl>",
        "<section aria-label=Diet><p>Seeds.</p></section>",
        "<section aria-labelledby=diet><p>Seeds.</p></section>",
        "<ul role=tablist><li id=t>Diet</ul><div aria-labelledby=t>Seeds.</div>",
        "<img alt=Diet><p>Seeds.</p>",
    ],
)
def test_a_section_is_known_by_its_words_whatever_bears_them(html: str) -> None:
    found = texts(f"<h1>Wren</h1><p>Lead.</p>{html}<h2>Other</h2><p>Not read.</p>", DIET)
    assert [(heading_key(section), text) for section, text in found] == [("diet", "Seeds.")]


def test_a_facts_table_is_read_by_its_row_headings() -> None:
    html = "<table><tr><th>Habitat<td>Marsh.<tr><th>Region<td>East.</table><p>Not read.</p>"
    assert texts(html) == [("", "Not read.")]
    layout = Layout(sections=DIET.sections, tables=True)
    assert texts(html, layout) == [("Habitat", "Marsh.")]


def test_a_section_ends_where_another_bird_begins() -> None:
    html = "<h2>Diet</h2><p>Seeds.</p><h3>Similar Species</h3><p>That one eats fish.</p>"
    assert texts(html, DIET) == [("Diet", "Seeds.")]


def test_what_stands_within_references_counts_as_references() -> None:
    assert texts("<h2>References</h2><h3>Books</h3><p>A book.</p>") == [("References", "A book.")]


def test_two_breaks_end_a_paragraph_and_one_does_not() -> None:
    assert texts("<p>One<br>line.<br>\n<br/>Two.</p>") == [("", "One line."), ("", "Two.")]


def test_signs_without_a_word_are_no_paragraph() -> None:
    assert texts("<p>One.</p><p>* * *</p><p>|</p><p>2</p>") == [("", "One."), ("", "2")]
