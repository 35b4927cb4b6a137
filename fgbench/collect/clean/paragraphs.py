"""One paragraph is one instance; a longer one is cut so that nothing is lost.

The limit is the 448 characters that the paper's text stream takes (section 3.1), counted in NFC
code points. Cuts fall at sentence ends, else after ``;`` or ``,``, else at a space, else anywhere.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LIMIT = 448
LEAST = 40
"""A shorter text is no instance, so no piece is cut shorter than this."""

_STOP = re.compile(r"[.!?…]+[\"'”’)\]»]*+ ")
_PAUSE = re.compile(r"[;,][\"'”’)\]»]*+ ")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")

_ABBREVIATIONS = frozenset(
    re.findall(
        r"[a-z]+",
        "al approx apr aug auct ave avg blvd bros ca capt cf ch co col corp dec dept dist dr ed"
        " eds eg encl esp est etc excl feb ff fig figs fl fr gen gov hon ibid ie inc incl jan jr"
        " jul jun lat lt ltd mar max min misc mr mrs ms mt mtn mts nat no nom nos nov obs oct orig"
        " pers pl pp pref prof prov pt pts rd ref refs resp rev sect seq sep sept ser sp spp sq sr"
        " ssp st ste stat subg subgen subsp subspp suppl syn temp univ var viz vol vols vs wt yr"
        " yrs",
    )
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a paragraph: its text, and where it starts there (code points)."""

    text: str
    start: int


def _ends_sentence(text: str, stop: re.Match[str], cased: bool) -> bool:
    """Whether the punctuation before this space ends a sentence, not an abbreviation or initial."""
    after = text[stop.end() : stop.end() + 1]
    if cased and after.islower():
        return False
    if not stop.group().startswith(".") or stop.group().startswith(".."):
        return True
    before = text[max(0, stop.start() - 40) : stop.start()].split(" ")
    word = before[-1].lstrip("([{\"'“‘«")
    if _INITIALS.fullmatch(word):
        unit = word.islower() and len(before) > 1 and before[-2][-1:].isdigit()
        return unit and not after.islower()
    return word.casefold() not in _ABBREVIATIONS


def sentence_ends(text: str) -> list[int]:
    """Positions of the spaces that stand after a sentence's end, in folded text.

    A full stop after an abbreviation ("approx.", "St."), an initial ("P. n. nigripes", "(L.)"),
    letters with stops ("U.S.") or before a lower-case word ends none; "8.6 g. The" does.
    """
    cased = not text.islower()
    return [m.end() - 1 for m in _STOP.finditer(text) if _ends_sentence(text, m, cased)]


def _nearest(cuts: Sequence[int], low: int, high: int, target: int) -> int | None:
    """The cut nearest to ``target`` in ``low..high``, the earlier of two; None where none is."""
    first, last = bisect_left(cuts, low), bisect_right(cuts, high)
    if first == last:
        return None
    right = min(bisect_left(cuts, target, first, last), last - 1)
    left = max(right - 1, first)
    return cuts[left] if target - cuts[left] <= cuts[right] - target else cuts[right]


def _whole_character(text: str, cut: int, low: int) -> int:
    """A cut moved left, so that no accent is parted from its letter where that can be."""
    place = cut
    while place > low and unicodedata.category(text[place]).startswith("M"):
        place -= 1
    return place if place > low else cut


def _cuts(text: str) -> Iterator[int]:
    """Where to cut: at each step the best kind of place in reach, nearest to equal lengths."""
    kinds = (
        sentence_ends(text),
        [m.end() - 1 for m in _PAUSE.finditer(text)],
        [m.start() for m in re.finditer(" ", text)],
    )
    start = 0
    while (rest := len(text) - start) > LIMIT:
        low, high = start + LEAST, min(start + LIMIT, len(text) - LEAST - 1)
        target = start + rest // -(-rest // LIMIT)
        found = (_nearest(cuts, low, high, target) for cuts in kinds)
        cut = next((c for c in found if c is not None), None)
        if cut is None:
            cut = _whole_character(text, target, low)
        yield cut
        start = cut + (text[cut] == " ")


def split_paragraph(text: str) -> tuple[Piece, ...]:
    """The paragraph in pieces of at most 448 code points, in order; none of less than 40.

    White space is folded first. The pieces, with one space between two unless the cut fell within
    a word (``start`` tells), are the folded paragraph again; one of under 40 stays as it is.
    """
    text = " ".join(text.split())
    pieces, start = [], 0
    for cut in _cuts(text):
        pieces.append(Piece(text[start:cut], start))
        start = cut + (text[cut] == " ")
    if text:
        pieces.append(Piece(text[start:], start))
    return tuple(pieces)
