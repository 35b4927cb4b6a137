"""A page as the web sends it: its charset, its names, its paragraphs.

Nothing from a page is run, and none is too broken to be read as far as it goes.
"""

from __future__ import annotations

import re
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from bs4.dammit import EncodingDetector
from lxml import etree

from fgbench.collect.sites.base import Failure, FetchFailed, Paragraph, Response
from fgbench.collect.sites.outline import LEVELS, Layout, paragraphs, sections, words

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

__all__ = ["GENERIC", "RULE", "Layout", "Page", "parse"]

RULE, GENERIC = "rule", "trafilatura"
"""Values of ``RawText.extractor``."""

_LARGEST = 8 * 2**20
"""Bytes of a page; its tree takes some ten times as many."""
_BINOMIAL = re.compile(r"[A-Z][a-z]{2,} [a-z]{3,}(?: [a-z]{3,})?")


class Page:
    """A parsed page. Elements nested deeper than 2,048, which no real page has, are not read."""

    def __init__(self, markup: str) -> None:
        parser = etree.HTMLParser(
            encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True
        )
        self._markup = markup
        body = markup.encode("utf-8", "replace")
        root = etree.fromstring(body, parser) if body.strip() else None
        self._root: Element = etree.Element("html") if root is None else root

    @cached_property
    def title(self) -> str:
        """The page's title as the browser's tab shows it."""
        return words(self._root.find(".//title"))

    @cached_property
    def name(self) -> str:
        """The page's first heading of the first level, or ``""``."""
        return words(self._root.find(".//h1"))

    @cached_property
    def binomial(self) -> str:
        """The first text in italics that has the form of a species' scientific name, or ``""``."""
        for element in self._root.iter("em", "i", "cite"):
            small = len(list(islice(element.iter(), 4))) < 4
            if small and _BINOMIAL.fullmatch(found := words(element)):
                return found
        return ""

    def meta(self, name: str) -> str:
        """The content of a ``meta`` element, by name or property."""
        for element in self._root.iter("meta"):
            if name in (element.get("name"), element.get("property")):
                return " ".join((element.get("content") or "").split())
        return ""

    def paragraphs(self, layout: Layout) -> tuple[Paragraph, ...]:
        """The paragraphs that the layout takes, in the page's order."""
        return paragraphs(self._root, layout)

    def headings(self, layout: Layout) -> frozenset[str]:
        """Which of the layout's sections the page has text under."""
        return sections(self._root, layout)

    def read(self, layout: Layout) -> tuple[tuple[Paragraph, ...], str]:
        """The paragraphs that the layout takes, else those of the generic extractor; and which."""
        found = self.paragraphs(layout)
        if found:
            return found, RULE
        return self._generic(), GENERIC

    def _generic(self) -> tuple[Paragraph, ...]:
        import trafilatura  # slow to import, and seldom needed

        found = trafilatura.bare_extraction(
            self._markup, include_comments=False, include_tables=False, favor_precision=True
        )
        body: Element | None = getattr(found, "body", None)
        if body is None:
            return ()
        for heading in list(body.iter("head")):  # the walk follows tags, which change
            rank = heading.get("rend", "")
            heading.tag = rank if rank in LEVELS else "h2"
        return paragraphs(body, Layout(lead=True))


def parse(response: Response) -> Page:
    """The page of an answer: UTF-8, else the charset that the header or the page itself declares.

    Raises ``FetchFailed``: bad_encoding where none of them fits, too_large beyond 8 MiB.
    """
    if len(response.body) > _LARGEST:
        detail = f"a page of {len(response.body):,} bytes, more than {_LARGEST:,}"
        raise FetchFailed(Failure.TOO_LARGE, response.url, detail)
    try:
        return Page(response.text())
    except FetchFailed as failure:
        charset = EncodingDetector.find_declared_encoding(response.body[:4096], is_html=True)
        if failure.kind is not Failure.BAD_ENCODING or charset is None:
            raise
        charset = "windows-1252" if charset in {"iso-8859-1", "latin1", "us-ascii"} else charset
        try:
            return Page(response.body.decode(charset))
        except (ValueError, LookupError):
            raise failure from None
