"""Where the sound players of a page take their sound from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

    from fgbench.collect.sites.base import Response


def tree(response: Response) -> Element:
    """The elements of a page, however broken; nothing in it is run or fetched."""
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True)
    root = etree.fromstring(response.body, parser) if response.body.strip() else None
    return etree.Element("html") if root is None else root


def sources(root: Element, *tags: str) -> tuple[str, ...]:
    """The ``src`` of every element of these tags, in the page's order, none twice."""
    given = ((element.get("src") or "").strip() for element in root.iter(*tags))
    return tuple(dict.fromkeys(source for source in given if source))
