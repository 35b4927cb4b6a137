"""The miniature field guides: All About Birds, Audubon, New Hampshire PBS, the Minnesota atlas.

Their addresses are those of the real sites, and so is their markup where it is on record: the
parts of All About Birds and Audubon are; how the other two mark their headings is not known.
"""

from __future__ import annotations

from html import escape
from typing import NamedTuple
from urllib.parse import quote

from fgbench.collect.sample.miniature import (
    Answer,
    Miniature,
    Request,
    headed,
    html_answer,
    not_found,
    page,
    redirect,
)
from fgbench.collect.sample.prose import Bird, Section, bird_named, birds, write, write_group

_ALL_ABOUT_BIRDS = "All About Birds"
_NOT_IN_AMERICA = frozenset({"Laysan Albatross"})
_IN_MINNESOTA = {
    "ring-billed-gull": "Ring-billed Gull",
    "common-tern": "Common Tern",
    "yellow-rumped-warbler": "Myrtle Warbler",
    "tennessee-warbler": "Tennessee Warbler",
}


class _Wild(NamedTuple):
    """A page of New Hampshire PBS: which bird's name it has, and of which its text speaks."""

    name: str
    text: str


_WILD = {
    "/wild/ringbilledgull.asp": _Wild("Ring-billed Gull", "Ring-billed Gull"),
    "/wild/commontern.asp": _Wild("Common Tern", "Common Tern"),
    "/natureworks/arctictern.htm": _Wild("Arctic Tern", "Arctic Tern"),
    "/wild/yellowrumpedwarbler.asp": _Wild("Yellow-rumped Warbler", "Myrtle Warbler"),
    "/wild/tennesseewarbler.asp": _Wild("Nashville Warbler", "Tennessee Warbler"),
}
"""The last is a wrong link of the site's: it leads to a page on another bird."""


def allaboutbirds() -> Miniature:
    """All but one of the birds; any other name leads to a search page."""
    robots = "User-agent: *\nDisallow: /account/\nDisallow: /guide/browse/shape/\n"
    return Miniature("allaboutbirds", robots, _allaboutbirds)


def audubon() -> Miniature:
    """All eight birds, of which robots.txt keeps one page to browsers."""
    robots = (
        "User-agent: *\nCrawl-delay: 10\nDisallow: /search_results\n"
        "Disallow: /field-guide/bird/heermanns-gull\n"
    )
    return Miniature("audubon", robots, _audubon)


def nhpbs() -> Miniature:
    """Five pages in tables, one of them under a wrong name. Its robots.txt allows all."""
    return Miniature("nhpbs", "User-agent: *\nDisallow:\n", _nhpbs)


def mnbirdatlas() -> Miniature:
    """The four that breed in Minnesota, in WordPress."""
    robots = (
        "User-agent: *\nDisallow: /wp-admin/\nAllow: /wp-admin/admin-ajax.php\nCrawl-delay: 2\n"
    )
    return Miniature("mnbirdatlas", robots, _mnbirdatlas)


def _plain(name: str) -> str:
    return name.replace("'", "")


def _named(name: str) -> str:
    """A name as addresses have it."""
    return _plain(name).lower().replace(" ", "-")


def _allaboutbirds(request: Request) -> Answer:
    _, _, name, *rest = [*request.path.split("/"), "", ""]
    if request.path == "/guide/search":
        body = "<h1>Search</h1><p>We found nothing of that name in this guide of samples.</p>"
        return html_answer(page("Search", _ALL_ABOUT_BIRDS, body))
    if not request.path.startswith("/guide/"):
        return not_found(_ALL_ABOUT_BIRDS)
    known = {_plain(b.name).replace(" ", "_"): b for b in birds() if b.name not in _NOT_IN_AMERICA}
    found = {**known, "Yellow-rumped_Warbler": bird_named("Myrtle Warbler")}.get(name)
    if found is None:
        return redirect(f"/guide/search?q={quote(name)}")
    section = rest[0] or "overview"
    parts = {"overview": _overview, "id": _identification, "lifehistory": _life_history}
    if section not in parts:
        return not_found(_ALL_ABOUT_BIRDS)
    top = (
        f'<div class="species-info"><h1>{escape(found.name)}</h1><em>{found.scientific}</em></div>'
        '<ul class="tabs"><li><a href="overview">Overview</a></li><li><a href="id">ID info</a></li>'
        '<li><a href="lifehistory">Life History</a></li><li><a href="sounds">Sounds</a></li></ul>'
    )
    title = f"{found.name} {section.capitalize()}"
    return html_answer(page(title, _ALL_ABOUT_BIRDS, f"<main>{top}{parts[section](found)}</main>"))


def _overview(bird: Bird) -> str:
    other = Section("Other Names", (f"{bird.name} (Spanish), {bird.scientific} (Latin)",))
    return headed((*write("allaboutbirds.overview", bird), other), "h2")


def _identification(bird: Bird) -> str:
    caption = f"Adult {bird.name} in a drawing: note the outline and compare it with others"
    return f'<div class="annotation-txt">{escape(caption)}</div>' + "".join(
        f'<article aria-label="{escape(section.heading)}"><h3>{escape(section.heading)}</h3>'
        + "".join(f"<p>{escape(text, quote=False)}</p>" for text in section.paragraphs)
        + "</article>"
        for section in write("allaboutbirds.id", bird)
    )


def _life_history(bird: Bird) -> str:
    return "".join(
        f'<div id="life_{section.heading.lower()}"><h2>{section.heading}</h2>'
        + "".join(f"<p>{escape(text, quote=False)}</p>" for text in section.paragraphs)
        + "</div>"
        for section in write("allaboutbirds.lifehistory", bird)
    )


def _audubon(request: Request) -> Answer:
    folder, _, slug = request.path.rpartition("/")
    found = next((b for b in birds() if _named(b.name) == slug), None)
    if folder != "/field-guide/bird" or found is None:
        return not_found("Audubon")
    sections = {s.heading: s.paragraphs for s in write("audubon", found)}
    lead = "".join(f"<p>{escape(t, quote=False)}</p>" for t in sections.pop(""))
    group = escape(write_group(found.group), quote=False)
    blocks = "".join(
        f'<section class="bird-guide-section"><h5>{heading}</h5>'
        + "".join(f"<p>{escape(text, quote=False)}</p>" for text in texts)
        + "</section>"
        for heading, texts in sections.items()
    )
    body = (
        f'<h1 class="common-name">{escape(found.name)}</h1>'
        f'<p class="scientific-name"><em>{found.scientific}</em></p>'
        '<div class="bird-guide-card"><table class="collapse"><tbody><tr><th>Habitat</th>'
        f"<td>{escape(str(found.phrases['habitat']).capitalize())}</td></tr></tbody></table>"
        f"{lead}<p>{group}</p></div>{blocks}"
        "<h5>Explore Similar Birds</h5>"
        f'<p><a href="/field-guide/bird/{_named(found.kin)}">{escape(found.kin)}</a></p>'
        "<aside><p>Sign up for our newsletter and get bird news in your inbox.</p></aside>"
    )
    return html_answer(page(found.name, "Audubon", body))


def wild_page(name: str, about: Bird) -> str:
    """A page of New Hampshire PBS: tables in tables, headings in bold, the sciences beside."""
    rows = "".join(
        f'<tr><td valign="top"><p><b>{section.heading}</b></p>'
        + "".join(f"<p>{escape(text, quote=False)}</p>" for text in section.paragraphs)
        + "</td></tr>"
        for section in write("nhpbs", about)
    ).replace(escape(about.name, quote=False), escape(name, quote=False))
    scientific = about.scientific if name != "Nashville Warbler" else "Leiothlypis ruficapilla"
    genus = scientific.split(" ")[0]
    body = (
        f'<table width="760" border="0"><tr><td colspan="2"><h1>{escape(name)} - '
        f"<i>{scientific}</i></h1></td></tr><tr><td>"
        f'<table border="0">{rows}</table></td><td valign="top"><p><b>Classification</b></p>'
        "<p>Kingdom: Animalia<br>Phylum: Chordata<br>Class: Aves<br>"
        f"Genus: {genus}<br>Species: {scientific}</p></td></tr>"
        "<tr><td><p>This site will soon move. Write to themailbox@nhpbs.example.</p></td></tr>"
        "</table>"
    )
    return page(name, "NatureWorks", body)


def _nhpbs(request: Request) -> Answer:
    found = _WILD.get(request.path)
    if found is None:
        return not_found("NatureWorks")
    return html_answer(wild_page(found.name, bird_named(found.text)))


def _mnbirdatlas(request: Request) -> Answer:
    parts = request.path.strip("/").split("/")
    name = _IN_MINNESOTA.get(parts[1]) if len(parts) == 2 and parts[0] == "species" else None
    if name is None:
        return not_found("Minnesota Breeding Bird Atlas")
    if not request.path.endswith("/"):
        return redirect(f"{request.path}/", 301)
    found = bird_named(name)
    title = "Yellow-rumped Warbler" if name == "Myrtle Warbler" else name
    sections = write("mnbirdatlas", found)
    tabs = "".join(f'<li><a href="#{_named(s.heading)}">{s.heading}</a></li>' for s in sections)
    panes = "".join(
        f'<div class="tab-pane" id="{_named(section.heading)}">{headed([section], "h2")}</div>'
        for section in sections
    )
    body = (
        f'<article class="species type-species"><h1 class="entry-title">{title}</h1>'
        f'<p class="scientific"><em>{found.scientific}</em></p><ul class="nav-tabs">{tabs}</ul>'
        f'<div class="entry-content">{panes}'
        '<div class="wp-caption"><img alt="" src="map.png"><p class="wp-caption-text">Figure 1. '
        f"Blocks of the survey in which the {title} was found breeding</p></div>"
        '<div class="tab-pane"><h2>Literature Cited</h2><p>Writer, A. 2011. Sample notes on '
        "birds of the north. Synthetic Press, Nowhere.</p></div></div></article>"
    )
    return html_answer(page(title, "Minnesota Breeding Bird Atlas", body))
