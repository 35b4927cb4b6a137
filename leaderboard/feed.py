"""The feed of entries, as Atom (RFC 4287).

Equal results give an equal feed, so nothing in it is of the clock. The only date of an entry is the
year on its card: an entry stands at that year's first day, and one without a year is left out.
"""

from __future__ import annotations

import uuid
from xml.etree import ElementTree

from fgbench.published import digits

from .board import Board, Method

PATH = "feed.xml"
_ATOM = "http://www.w3.org/2005/Atom"
_NO_DATE = "1970-01-01T00:00:00Z"


def write_feed(board: Board) -> str:
    """The feed, newest year first, then by address. Its links are relative to it."""
    dated = [(method.card["year"], method) for method in board.methods if "year" in method.card]
    dated.sort(key=lambda pair: (-pair[0], pair[1].slug))
    feed = ElementTree.Element("feed", xmlns=_ATOM)
    _add(feed, "id", _urn(board.benchmark.id))
    _add(feed, "title", f"{board.benchmark.title}: entries")
    _add(feed, "updated", _first_day(dated[0][0]) if dated else _NO_DATE)
    ElementTree.SubElement(feed, "link", rel="self", href=PATH)
    ElementTree.SubElement(feed, "link", rel="alternate", href="index.html")
    _add(ElementTree.SubElement(feed, "author"), "name", "fgbench")
    for year, method in dated:
        entry = ElementTree.SubElement(feed, "entry")
        submission = method.entry.submission if method.entry else ""
        _add(entry, "id", _urn(f"{board.benchmark.id}/{method.slug}/{submission}"))
        _add(entry, "title", method.name)
        _add(entry, "updated", _first_day(year))
        ElementTree.SubElement(entry, "link", rel="alternate", href=f"methods/{method.slug}.html")
        _add(entry, "summary", _summary(board, method))
    ElementTree.indent(feed)
    return ElementTree.tostring(feed, "unicode", xml_declaration=False) + "\n"


def _summary(board: Board, method: Method) -> str:
    for view in board.views.values():
        row = view.find(method)
        if row is not None and "bimodal" in row.cells:
            value = digits(row.cells["bimodal"].value)
            return f"{row.status.value}: bi-modal mean {value}"
    return "not all bi-modal tasks"


def _urn(name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_OID, f"fgbench/{name}").urn


def _first_day(year: int) -> str:
    return f"{year:04}-01-01T00:00:00Z"


def _add(parent: ElementTree.Element, tag: str, text: str) -> None:
    ElementTree.SubElement(parent, tag).text = text
