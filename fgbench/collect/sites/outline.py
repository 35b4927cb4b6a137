"""The text of a page under its headings: which headings count, and one pass that finds them.

Sections are known by the words of their headings, wherever the markup puts them: sites redesign
their pages, and keep their headings. Nothing here recurses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from fgbench.collect.clean.filters import is_dropped_section
from fgbench.collect.sites.base import Paragraph

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

LEVELS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6, "th": 7, "dt": 7}
"""Elements that are headings, and how far each reaches."""


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


_LABEL = 7
_SCOPES = frozenset({"table", "tr", "dl"})
"""A heading within one of these ends with it."""
_LONGEST = 100
"""Characters of a heading; paragraphs need not be looked at whole."""
_BREAK = "\v"
"""Marks a line break in a run of text: white space that no page writes."""
_EMBEDDED = _set(
    "script style noscript template select textarea svg math canvas iframe object audio video"
)
_SKIPPED = _EMBEDDED | _set("title nav footer figure figcaption caption")
_SKIPPED_ROLES = _set("navigation contentinfo search menu menubar tablist dialog alertdialog note")
_INLINE = _EMBEDDED | _set(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd mark nobr q s samp"
    " small span strike strong sub sup time tt u var wbr"
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Which of a page's paragraphs are text on its species. Headings are in lower case.

    With ``sections``, those under one of them, or under a heading within; without, all. ``leave``
    are headings that end such a section: what stands under them is not read.
    """

    sections: frozenset[str] = frozenset()
    leave: frozenset[str] = frozenset()
    lead: bool = False
    """Whether what stands between the page's name and its first heading is read too."""
    tables: bool = False
    """Whether tables hold prose (old layouts), rather than figures."""
    skip: frozenset[str] = frozenset()
    """Classes of elements that are no prose: captions, hatnotes, edit links."""

    def is_label(self, text: str) -> bool:
        """Whether a text is one of the headings, whatever element bears it."""
        key = heading_key(text[:_LONGEST])
        return len(text) < _LONGEST and (key in self.sections or key in self.leave)

    def takes(self, path: tuple[str, ...]) -> bool:
        """Whether what stands under these headings, outermost first, is read."""
        for heading in map(heading_key, reversed(path)):
            if heading in self.leave:
                return False
            if heading in self.sections:
                return True
        return not self.sections if path else self.lead


def heading_key(text: str) -> str:
    """A heading's words in lower case, without the punctuation around them.

    >>> heading_key(" Size & Shape: ")
    'size & shape'
    """
    return " ".join(text.casefold().split()).strip(" .:–—-»›▸+[]")


def paragraphs(root: Element, layout: Layout) -> tuple[Paragraph, ...]:
    """The paragraphs under an element that the layout takes, in the page's order."""
    return tuple(
        Paragraph(text, _section(path))
        for text, path in _Walk(root, layout).blocks()
        if layout.takes(path)
    )


def sections(root: Element, layout: Layout) -> frozenset[str]:
    """Which of the layout's sections have text under an element."""
    under = {heading_key(h) for _, path in _Walk(root, layout).blocks() for h in path}
    return layout.sections & under


def words(element: Element | None) -> str:
    """The words of an element, without code embedded in it."""
    if element is None:
        return ""
    parts = element.xpath(".//text()[not(ancestor::script or ancestor::style)]")
    return " ".join("".join(map(str, parts)).split()) if isinstance(parts, list) else ""


class _Walk:
    """One pass over a tree, in document order."""

    def __init__(self, root: Element, layout: Layout) -> None:
        self._root, self._layout = root, layout
        self._run: list[str] = []
        self._broken = False
        self._path: list[tuple[int, str]] = []
        self._scopes: list[tuple[Element, list[tuple[int, str]]]] = []
        self._heading: Element | None = None
        self._name: Element | None = root.find(".//h1")
        self._ids = {e.get("id"): e for e in root.iter() if e.get("id")}
        self._labels: dict[str, str] = {}

    def blocks(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Each run of text between two block elements, with the headings above it.

        What stands before the page's name is the site's own, and left out.
        """
        events = etree.iterwalk(self._root, events=("start", "end"))
        for event, element in events:
            if event == "end":
                yield from self._leave(element)
                self._run.append(element.tail or "")
            elif self._skips(element):
                events.skip_subtree()
                if self._name is not None and element in self._name.iterancestors():
                    self._name = None
            else:
                yield from self._enter(element)
                self._run.append(element.text or "")
        yield from self._flush()

    def _skips(self, element: Element) -> bool:
        classes = element.get("class", "").split()
        return (
            element.tag in _SKIPPED
            or (element.tag == "table" and not self._layout.tables)
            or element.get("role") in _SKIPPED_ROLES
            or not self._layout.skip.isdisjoint(classes)
        )

    def _enter(self, element: Element) -> Iterator[tuple[str, tuple[str, ...]]]:
        tag = str(element.tag)
        label = self._label_of(element)
        if tag == "br":
            yield from self._line_break()
        elif tag not in _INLINE or label:
            yield from self._flush()
        if label or tag in _SCOPES:
            self._scopes.append((element, list(self._path)))
        if label:
            self._head(0, label)
        if tag in LEVELS and self._heading is None:
            self._heading = element
        elif tag == "img" and self._layout.is_label(element.get("alt") or ""):
            self._run.append(f" {element.get('alt')} ")

    def _leave(self, element: Element) -> Iterator[tuple[str, tuple[str, ...]]]:
        tag = str(element.tag)
        if self._heading is element:
            self._heading = None
            self._close_heading(element, self._take())
        elif tag == "button":
            text = self._take()  # it labels a panel, or it is no text
            if self._layout.is_label(text):
                self._head(_LABEL, text)
        elif tag not in _INLINE and tag != "br":
            yield from self._flush()
        if self._scopes and self._scopes[-1][0] is element:
            yield from self._flush()
            self._path = self._scopes.pop()[1]

    def _label_of(self, element: Element) -> str:
        """The heading that ARIA gives an element, if it is one of the layout's."""
        label = element.get("aria-label") or ""
        if not label and (named := element.get("aria-labelledby")):
            named = named.strip()
            if named not in self._labels:
                self._labels[named] = words(self._ids.get(named))
            label = self._labels[named] if self._layout.is_label(self._labels[named]) else named
        return label if element.tag not in _INLINE and self._layout.is_label(label) else ""

    def _close_heading(self, element: Element, text: str) -> None:
        if element is self._name and not self._layout.is_label(text):
            self._path.clear()
            self._name = None
        elif text:
            self._head(LEVELS[str(element.tag)], text)

    def _head(self, level: int, text: str) -> None:
        while self._path and self._path[-1][0] >= level:
            self._path.pop()
        self._path.append((level, text))

    def _line_break(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """One break after a label ends it; two end a paragraph; else it is a space."""
        last = next((part for part in reversed(self._run) if part.strip(" \t\r\n")), "")
        first_line = not self._broken and self._layout.is_label("".join(self._run))
        if last == _BREAK or first_line:
            yield from self._flush()
        else:
            self._run.append(_BREAK)
            self._broken = True

    def _take(self) -> str:
        text = " ".join("".join(self._run).split())
        self._run.clear()
        self._broken = False
        return text

    def _flush(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        if self._heading is not None:
            self._run.append(" ")
            return
        text = self._take()
        label, colon, rest = text[:_LONGEST].partition(":")
        if self._layout.is_label(text):
            self._head(_LABEL, text)
            return
        if colon and rest.startswith(" ") and self._layout.is_label(label):
            self._head(_LABEL, label)
            text = text[len(label) + 1 :].strip()
        if any(map(str.isalnum, text)) and (self._name is None or self._path):
            yield text, tuple(heading for _, heading in self._path)


def _section(path: tuple[str, ...]) -> str:
    """The nearest heading; an outer one such as References counts for all within."""
    return next((h for h in path if is_dropped_section(h)), path[-1] if path else "")
