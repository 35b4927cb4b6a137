"""The miniature Wikipedia. Its articles have revisions of 2012, 2018 and 2025.

Their markup is MediaWiki's, with all that is no prose: hatnotes, infoboxes, captions, reference
marks, tables, lists of references, navigation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from fgbench.collect.sample.miniature import Miniature
from fgbench.collect.sample.prose import Bird, Section, bird_named, birds, write
from fgbench.collect.sample.wiki import (
    NOTICE,
    Revision,
    Rights,
    WikiPage,
    disambiguation,
    moment,
    slug,
    wiki,
)

_YEARS = (2012, 2018, 2025)
_MARK = (
    '<sup id="cite_ref-{n}" class="reference"><a href="#cite_note-{n}">'
    '<span class="cite-bracket">&#91;</span>{n}<span class="cite-bracket">&#93;</span></a></sup>'
)


def wikipedia() -> Miniature:
    """The miniature Wikipedia; robots.txt keeps crawlers out of the API, whose own terms rule."""
    pages = [
        *map(_article, birds()),
        *_redirects(),
        _yellow_rumped(),
        disambiguation("Arctic", 9001, ("Arctic tern", "Arctic (film)", "Arctic Township")),
    ]
    rights = Rights(
        "https://creativecommons.org/licenses/by-sa/4.0/deed.en",
        "Creative Commons Attribution-Share Alike 4.0",
    )
    robots = "User-agent: *\nAllow: /w/load.php?\nDisallow: /api/\nDisallow: /w/\n"
    return Miniature("wikipedia", robots, wiki("Wikipedia", "/w/api.php", rights, pages).respond)


def sentence_case(name: str) -> str:
    """A name as Wikipedia titles it: "Black-footed albatross", "Heermann's gull"."""
    first, *rest = name.split(" ")
    return " ".join([first, *map(str.lower, rest)])


def _article(bird: Bird) -> WikiPage:
    """Wikipedia's article; that on the Myrtle Warbler was a redirect until 2021."""
    sections = write("wikipedia", bird)
    title, number = sentence_case(bird.name), bird.cub_id
    if bird.name == "Myrtle Warbler":
        moved = Revision(_revision_id(bird, 0), moment(2014), target="Yellow-rumped warbler")
        whole = Revision(_revision_id(bird, 1), moment(2021), _html(bird, sections))
        return WikiPage(title, number, (moved, whole), _categories(bird))
    kept = (sections[:2], sections[:-1], sections)
    revisions = tuple(
        Revision(_revision_id(bird, k), moment(year), _html(bird, part))
        for k, (year, part) in enumerate(zip(_YEARS, kept, strict=True))
    )
    return WikiPage(title, number, revisions, _categories(bird))


def _yellow_rumped() -> WikiPage:
    """What the Myrtle Warbler's article was part of; today a page on the species of four forms."""
    myrtle = bird_named("Myrtle Warbler")
    sections = write("wikipedia", myrtle)
    html = _html(myrtle, sections[:3]).replace("Myrtle Warbler", "Yellow-rumped Warbler")
    revisions = (Revision(700_001, moment(2013), html), Revision(700_002, moment(2024), html))
    return WikiPage("Yellow-rumped warbler", 7000, revisions, _categories(myrtle))


def _redirects() -> Iterator[WikiPage]:
    """Title case and scientific names lead to the article."""
    for b in birds():
        for k, title in enumerate((b.name, b.scientific)):
            if b.name == "Myrtle Warbler" and title == b.scientific:
                continue
            number = 100_000 + 10 * b.cub_id + k
            revision = Revision(number, moment(2010), target=sentence_case(b.name))
            yield WikiPage(title, number, (revision,))


def _html(b: Bird, sections: Sequence[Section]) -> str:
    """An article as MediaWiki's parser gives it, around the prose."""
    kin = sentence_case(b.kin)
    parts = [
        NOTICE,
        '<div role="note" class="hatnote navigation-not-searchable">For the other '
        f'{b.group} of this page, see <a href="/wiki/{slug(kin)}">{escape(kin)}</a>.</div>',
        _infobox(b),
        '<figure class="mw-default-size" typeof="mw:File/Thumb"><a href="/wiki/File:Drawing.png">'
        f'<img alt="" src="/img/{b.code}.png"></a><figcaption>A drawing of an adult '
        f"{escape(b.name)} at rest on a rock, made for this page</figcaption></figure>",
    ]
    for section in sections:
        if section.heading:
            parts.append(_heading(section.heading))
        parts += [
            f"<p>{_marked(b, text, bold=not section.heading and k == 0)}\n</p>"
            for k, text in enumerate(section.paragraphs)
        ]
        if section.heading == "Description":
            parts.append(_measurements(b))
    return "".join((*parts, *_end_matter(b, kin)))


def _infobox(b: Bird) -> str:
    return (
        f'<table class="infobox biota"><tbody><tr><th colspan="2">{escape(b.name)}</th></tr>'
        '<tr><td>Kingdom:</td><td><a href="/wiki/Animal">Animalia</a></td></tr>'
        "<tr><td>Class:</td><td>Aves</td></tr>"
        '<tr><th colspan="2"><a href="/wiki/Binomial_nomenclature">Binomial name</a></th></tr>'
        f'<tr><td colspan="2"><b><span class="binomial"><i>{b.scientific}</i></span></b></td></tr>'
        "</tbody></table>"
    )


def _measurements(b: Bird) -> str:
    return (
        f'<table class="wikitable"><caption>Measurements of the {escape(b.name)}</caption><tbody>'
        "<tr><th>Sex</th><th>Wing (mm)</th><th>Tarsus (mm)</th></tr>"
        f"<tr><td>Male</td><td>{100 + b.cub_id}</td><td>{20 + b.cub_id}</td></tr>"
        f"<tr><td>Female</td><td>{98 + b.cub_id}</td><td>{19 + b.cub_id}</td></tr>"
        "</tbody></table>"
    )


def _end_matter(b: Bird, kin: str) -> Iterable[str]:
    """What stands after an article's text: nothing of it is an instance."""
    return (
        _heading("See also"),
        f'<ul><li><a href="/wiki/{slug(kin)}">{escape(kin)}</a>, a bird that looks alike</li></ul>',
        _heading("References"),
        '<div class="reflist"><div class="mw-references-wrap"><ol class="references">'
        f'<li id="cite_note-1"><span class="reference-text">Writer, A. (2011). <i>Sample notes on '
        f"the {escape(b.name)}</i>. Synthetic Press. ISBN 0-00-000000-0.</span></li>"
        '<li id="cite_note-2"><span class="reference-text">Author, B. (2012). "On sample birds". '
        "<i>Journal of Samples</i>. <b>1</b>: 1–2.</span></li></ol></div></div>",
        _heading("External links"),
        '<ul><li><a rel="nofollow" class="external text" href="https://sounds.example/">Sounds of '
        "this bird in a collection that does not exist</a></li></ul>",
        f'<div role="navigation" class="navbox"><table><tbody><tr><th>{b.group.capitalize()}'
        "family</th><td>All the birds of the family, in a box for finding one's way</td></tr>"
        "</tbody></table></div>",
    )


def _marked(b: Bird, text: str, *, bold: bool = False) -> str:
    """A paragraph with its markup: name in bold, binomial in italics, a link, reference marks."""
    html = escape(text, quote=False)
    name, kin = escape(b.name, quote=False), escape(b.kin, quote=False)
    html = html.replace(b.scientific, f"<i>{b.scientific}</i>", 1)
    html = html.replace(f"the {kin}", f'the <a href="/wiki/{slug(kin)}">{kin}</a>', 1)
    if bold:
        html = html.replace(name, f"<b>{name}</b>", 1)
    start, stop, rest = html.partition(". ")
    marked = f"{start}.{_MARK.format(n=1)} {rest}" if stop else html
    return f"{marked}{_MARK.format(n=2)}"


def _heading(text: str) -> str:
    return (
        f'<div class="mw-heading mw-heading2"><h2 id="{slug(text)}">{text}</h2>'
        '<span class="mw-editsection"><span class="mw-editsection-bracket">[</span>'
        f'<a href="#" title="Edit section: {text}"><span>edit</span></a>'
        '<span class="mw-editsection-bracket">]</span></span></div>'
    )


def _categories(b: Bird) -> tuple[str, ...]:
    return (f"{b.group.capitalize()} samples", "Articles with short description")


def _revision_id(b: Bird, number: int) -> int:
    return 1000 * b.cub_id + number
