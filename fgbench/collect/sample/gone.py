"""The sites that are gone: what the miniature Archive has of them, and of whom it shows nothing.

Pages were taken in 2013, before their last paragraph was written, and whole in 2018 and 2021. The
addresses are those of the real sites, as far as they are known; the layouts are made up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from itertools import chain

from fgbench.collect.sample.archive import Capture, archive
from fgbench.collect.sample.guides import wild_page
from fgbench.collect.sample.miniature import Miniature, headed, page
from fgbench.collect.sample.prose import Bird, Section, bird_named, paragraphs, write

_BIRDSNA = (
    "Black-footed Albatross",
    "Laysan Albatross",
    "Ring-billed Gull",
    "Common Tern",
    "Tennessee Warbler",
)
_NEOTROPICAL = ("Heermann's Gull", "Common Tern", "Myrtle Warbler", "Tennessee Warbler")
_PSU = ("Ring-billed Gull", "Tennessee Warbler", "Myrtle Warbler")
_DIGEST = ("Ring-billed Gull", "Myrtle Warbler", "Tennessee Warbler")
_FOLKSREAD = ("Black-footed Albatross", "Common Tern")

Body = Callable[[Sequence[Section]], str]
"""A page around some of its sections."""


def wayback() -> Miniature:
    """The miniature Archive; Birds of the World wants to be shown to subscribers only."""
    captures = chain(
        *map(_birdsna, map(bird_named, _BIRDSNA)),
        *map(_neotropical, map(bird_named, _NEOTROPICAL)),
        *map(_psu, map(bird_named, _PSU)),
        *map(_digest, map(bird_named, _DIGEST)),
        *map(_folksread, map(bird_named, _FOLKSREAD)),
        _nhptv(),
    )
    return archive(captures, blocked=("birdsoftheworld.org",))


def _taken(address: str, sections: Sequence[Section], body: Body) -> Iterator[Capture]:
    """Captures of a page over the years: its beginnings, itself twice, and the day it had moved."""
    whole = body(sections).encode()
    *most, last = sections
    begun = [*most, Section(last.heading, last.paragraphs[:-1])]
    yield Capture("20130501120000", address, body(begun).encode())
    yield Capture("20181120081500", address, whole)
    yield Capture("20210302171000", address, whole)
    yield Capture("20220701000000", address, b"", status="301")


def _account(b: Bird, site: str) -> Body:
    """A species account of Cornell's."""

    def body(sections: Sequence[Section]) -> str:
        title = f'<h1>{escape(b.name)} <i class="sci">{b.scientific}</i></h1>'
        return page(b.name, site, f'{title}<div class="article">{headed(sections, "h2")}</div>')

    return body


def _birdsna(b: Bird) -> Iterator[Capture]:
    address = f"https://birdsna.org/Species-Account/bna/species/{b.code}/introduction"
    return _taken(address, write("birdsna", b), _account(b, "Birds of North America Online"))


def _neotropical(b: Bird) -> Iterator[Capture]:
    start = f"https://neotropical.birds.cornell.edu/Species-Account/nb/species/{b.code}"
    for part in ("overview", "breeding"):
        sections = write(f"neotropical.{part}", b)
        yield from _taken(f"{start}/{part}", sections, _account(b, "Neotropical Birds"))


def _psu(b: Bird) -> Iterator[Capture]:
    """A student's post, with a button that repeats its address, a drawing, and a visitor's word."""
    slug = b.name.lower().replace(" ", "-")
    start = "https://sites.psu.edu/fieldbiology/2012/10/12"

    def body(sections: Sequence[Section]) -> str:
        post = (
            f'<article class="post"><h1 class="entry-title">The {escape(b.name)}</h1>'
            f'<div class="entry-content">{headed(sections, "h2")}'
            f'<div class="wp-caption"><p class="wp-caption-text">My own drawing of the '
            f"{escape(b.name)}, made in class</p></div></div>"
            '<div class="comments"><p>Great post! I liked the part about the nest, and the drawing'
            " most of all.</p></div></article>"
        )
        return page(f"The {b.name}", "Field biology", post)

    yield from _taken(f"{start}/{slug}/", write("psu", b), body)
    yield from _taken(f"{start}/{slug}/?share=twitter", write("psu", b), body)
    yield Capture("20181120081700", f"{start}/{slug}.jpg", b"\xff\xd8\xff", mimetype="image/jpeg")


def _digest(b: Bird) -> Iterator[Capture]:
    slug = b.name.lower().replace(" ", "-")
    start = "http://www.birdwatchersdigest.com:80/bwdsite/learn/identification"

    def body(sections: Sequence[Section]) -> str:
        main = f'<h1>{escape(b.name)}</h1><div id="content">{headed(sections, "h3")}</div>'
        return page(b.name, "Bird Watcher's Digest", main)

    return _taken(f"{start}/{b.group}s/{slug}.php", write("birdwatchersdigest", b), body)


def _folksread(b: Bird) -> Iterator[Capture]:
    """A content farm: words of its own before a paragraph that it took from Wikipedia."""
    slug = b.name.lower().replace(" ", "-")
    copied = Section("", (paragraphs(write("wikipedia", b))[2],))

    def body(sections: Sequence[Section]) -> str:
        main = f"<h1>All you want to know about the {escape(b.name)}</h1>{headed(sections, 'h2')}"
        return page(f"{b.name}: all you want to know", "Folks Read", main)

    return _taken(f"http://folksread.com/{slug}-facts/", (*write("folksread", b), copied), body)


def _nhptv() -> Iterator[Capture]:
    """A page that New Hampshire PBS has no longer."""
    albatross = bird_named("Black-footed Albatross")
    yield Capture(
        "20170809101112",
        "http://www.nhptv.org/wild/blackfootedalbatross.asp",
        wild_page(albatross.name, albatross).encode(),
    )
