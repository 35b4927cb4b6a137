"""The miniature Fandom wiki, which copies from Wikipedia."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from fgbench.collect.sample.miniature import Answer, Miniature, html_answer, page
from fgbench.collect.sample.prose import Bird, birds, paragraphs, write
from fgbench.collect.sample.wiki import (
    NOTICE,
    Revision,
    Rights,
    WikiPage,
    disambiguation,
    moment,
    wiki,
)

_SPANISH = (
    "Esta ave marina pasa casi toda su vida en el mar y vuelve a tierra solo para criar. Los "
    "padres se turnan para cuidar del único huevo, que es grande y de color crema."
)
"""Written for this project, as all of it; not English, so no instance."""


def fandom() -> Miniature:
    """No Arctic Tern, only a disambiguation page for Heermann's Gull, and 403 under /wiki/."""
    without = {"Arctic Tern", "Heermann's Gull"}
    meanings = ("Larus heermanni", "Heermann's Gull (ship)")
    pages = [
        *(_copied(b) for b in birds() if b.name not in without),
        *_redirects(),
        disambiguation("Heermann's Gull", 9002, meanings),
    ]
    rights = Rights("https://www.fandom.com/licensing", "CC-BY-SA")
    robots = "User-agent: *\nDisallow: /wiki/Special:\nCrawl-delay: 1\n"
    respond = wiki("Birds Wiki", "/api.php", rights, pages, _forbidden).respond
    return Miniature("fandom", robots, respond)


def _redirects() -> Iterator[WikiPage]:
    """Scientific names, but for the tern that is not there."""
    for b in birds():
        if b.name != "Arctic Tern":
            number = 200_000 + b.cub_id
            yield WikiPage(b.scientific, number, (Revision(number, moment(2016), target=b.name),))


def _copied(b: Bird) -> WikiPage:
    """Fandom's page: an exact copy, a near copy and an excerpt of Wikipedia's, and its own words.

    That on the Common Tern was begun in 2022. Two pages have a paragraph that is no instance: one
    in Spanish, one whose bytes were once read in another charset.
    """
    lead, _, description, voice, *_ = paragraphs(write("wikipedia", b))
    excerpt = description.partition(". In flight")[0]
    blocks = [
        f"<p>{escape(lead, quote=False)}[1]</p>",
        '<h2><span class="mw-headline" id="Description">Description</span></h2>',
        f"<p>{escape(excerpt, quote=False)}.[2]</p>",
        f"<p>{escape(voice, quote=False)} Few sounds are easier to know.</p>",
    ]
    for section in write("fandom", b):
        blocks.append(f'<h2><span class="mw-headline">{escape(section.heading)}</span></h2>')
        blocks += [f"<p>{escape(text, quote=False)}</p>" for text in section.paragraphs]
    if b.name == "Laysan Albatross":
        blocks.append(f"<p>{_SPANISH}</p>")
    if b.name == "Black-footed Albatross":
        spoilt = f"A keeper’s note: the “{b.group}” came back on the first day of the month."
        blocks.append(f"<p>{spoilt.encode().decode('windows-1252', 'replace')}</p>")
    blocks.append("<p>It is lovely.</p>")
    box = (
        '<aside role="region" class="portable-infobox pi-background"><h2 class="pi-item pi-title">'
        f'{escape(b.name)}</h2><div class="pi-data"><h3>Binomial name</h3><div><i>{b.scientific}'
        "</i></div></div></aside>"
    )
    html = f"{NOTICE}{box}{''.join(blocks)}"
    year = 2022 if b.name == "Common Tern" else 2017
    number = 300_000 + b.cub_id
    return WikiPage(
        b.name,
        number,
        (Revision(number, moment(year), html),),
        (f"{b.group.capitalize()} samples",),
    )


def _forbidden(title: str) -> Answer:
    """Fandom shows its pages to browsers only."""
    return html_answer(page("Access denied", "Birds Wiki", "<h1>Access denied</h1>"), 403)
