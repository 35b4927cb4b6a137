"""Which paragraphs are no instances, and why. Nothing is dropped without one of these reasons."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from itertools import pairwise

from fgbench.collect.clean.language import is_english
from fgbench.collect.clean.paragraphs import LEAST, sentence_ends


class Reason(StrEnum):
    """Why the text cleaning rejected a paragraph: codes of the column ``reason``."""

    WRONG_SPECIES = "wrong_species"
    """The page is not, or not clearly, about the species."""
    SECTION = "section"
    """It stood under a heading such as References or See also, or was marked as a caption."""
    MOJIBAKE = "mojibake"
    """Its bytes were read in another charset than they were written in."""
    MARKUP = "markup"
    """Wikitext, style sheet or script was left in it."""
    HATNOTE = "hatnote"
    """It says what else the title may mean, or where the main article is."""
    CAPTION = "caption"
    """It names a figure or who took a picture."""
    REFERENCE = "reference"
    """It is an entry of a list of literature."""
    BOILERPLATE = "boilerplate"
    """The site speaks of itself: cookies, copyright, subscription, sharing."""
    TOO_SHORT = "too_short"
    """It has fewer than 40 characters."""
    NOT_PROSE = "not_prose"
    """A list of numbers, codes, ranks or menu entries, or fewer than four words."""
    NOT_ENGLISH = "not_english"
    """Its words are not, or too few of them, English."""
    FURNITURE = "furniture"
    """The same words stand on the site's pages of many species."""


DROPPED_SECTIONS = frozenset(
    re.split(
        r";\s+",
        """references; reference; notes; notes and references; references and notes; footnotes;
        citations; citation; cited literature; literature cited; literature; works cited;
        bibliography; cited texts; cited sources; general references; sources; see also;
        external links; links; weblinks; further reading; gallery; image gallery; picture gallery;
        photo gallery; photos; images; pictures; videos; video; media; multimedia; audio;
        caption; captions; figure; figures; table; tables; hatnote; navigation; menu; contents;
        table of contents; related articles; related pages; related species; more to explore;
        you may also like; explore similar birds; acknowledgements; acknowledgments; contributors;
        credits; photo credits; image credits; recommended citation; suggested citation;
        how to cite; copyright; copyright notice; comments; leave a comment; leave a reply; share;
        share this; newsletter; donate; about this site; categories; tags""",
    )
)
"""Headings under which nothing is an instance. An adapter that knows a caption, hatnote or table
when it sees one may keep it as a ``Paragraph`` with that word for its section."""


def _any_of(*patterns: str) -> re.Pattern[str]:
    """Patterns for lower-cased text."""
    return re.compile("|".join(patterns), re.DOTALL)


_TAIL = "[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
"""The second byte of a UTF-8 character, read as Latin-1 or as Windows-1252."""
_MOJIBAKE = re.compile(
    "|".join(
        (
            "\ufffd",
            "[\u0080-\u0084\u0086-\u009f]",  # C1 controls: Windows-1252 read as Latin-1
            f"[ÂÃÄÅ]{_TAIL}",  # é, °, and the long vowels of Hawaiian names
            f"â[\u0080€]{_TAIL}",  # quotes and dashes
            "Ê[»¼]|ï[»¿][¿½]",  # the ʻokina, the byte order mark, a second round of U+FFFD
        )
    )
)
_MARKUP = _any_of(
    r"\{\{|\}\}|\[\[|\]\]|\{\||\|\}|'''",
    r"\{[a-z]{1,30}\||\|\s?(?:thumb|style=|align=)|\b(?:file|image):\S",
    r"<(?:script|style|ref|table|div|span)\b|\.mw-parser-output|\\displaystyle",
    r"\{[^{}:;]{0,80}:[^{};]{1,80};[^{}]{0,80}\}",
    r"\bfunction\s?\w{0,40}\([^()]{0,80}\)\s?\{|\bvar \w{1,40}\s?=",
    r"\b(?:document|window)\.\w|=>\s?\{",
)
_HATNOTE = _any_of(
    r"(?:for\b[^.]{1,120},|this (?:article|page) is (?:about|on)\b.{1,200}) see\b",
    r"for (?:other|the)\b.{1,120}\(disambiguation\)",
    r"(?:.{1,80} )?redirects? here\b",
    r"not to be confused with\b",
    r"(?:main articles?|further information|see also|see)\s?:\s",
    r".{1,80}\bmay (?:also )?refer to\s?:",
    r"(?:this|the) (?:article|section|page) (?:needs|is a stub|does not cite|may need|lacks)\b",
)
_CAPTION = _any_of(
    r"(?=.{0,200}$)"
    r"(?:photo|photograph|image|picture|illustration|video|audio|(?:sound )?recording|map|drawing"
    r"|painting)s?\s?(?:(?:©|credits?|courtesy|copyright)\b|:|(?:taken |provided |courtesy )?by )",
    r"(?:photography|artwork) by ",
    r"(?:figure|fig\.|table|plate|map)\s?\d{1,3}[a-z]?\s?[.:–-]",
)
_REFERENCE = re.compile(
    r"(?:\^\s?)?[A-Z][\w'’-]{1,30}, (?:[A-Z]\.[ -]?){1,4}(?:,|\(|&|and\b|;|1[6-9]\d\d|20\d\d)"
    r"|(?=.{0,400}$).*\b(?:ISBN|ISSN|OCLC|PMID|S2CID|Bibcode)[\s:]{0,2}[\dX-]"
    r"|(?=.{0,400}$).*\bRetrieved (?:on )?(?:\d{1,2} [A-Z][a-z]+|[A-Z][a-z]+ \d{1,2}|\d{4}-\d\d)"
    r"|(?=.{0,400}$).*\bArchived from the original\b",
    re.DOTALL,
)
_BOILERPLATE = _any_of(
    r"(?:©|\(c\))\s?(?:19|20)\d\d|^(?:©|\(c\) |copyright\b)",
    r"\b(?:"  # asked once a word, not once a phrase: a quarter of the time
    r"copyright(?:\s?©|\s?\(c\))?\s?(?:19|20)\d\d|all rights reserved\b"
    r"|uses? cookies\b|accept (?:all )?cookies\b"
    r"|cookies? (?:policy|settings|preferences|consent|notice)\b"
    r"|privacy (?:policy|notice|statement)\b|permission (?:of|from) the publisher\b"
    r"|(?<!in )terms (?:of|and) (?:use|service|conditions)\b"
    r"|(?:this|our) (?:web ?site\b|site (?:will (?:soon|be)|uses|requires (?:java|cookies)))"
    r"|our site\b|subscri(?:be|bers?|ption)\b.{0,60}\b(?:access|newsletter|e-?mail|now|today"
    r"|required|full|read|content|account|inbox|here|only|to (?:our|the|this|continue))\b"
    r"|(?:a|your) (?:free )?subscription\b|newsletters?\b|become a member\b"
    r"|your (?:e-?mail|inbox|gift|donation|support|browser|account|password|membership|privacy)\b"
    r"|sign up (?:for|to|now|today|here)\b|donate (?:now|today|to)\b|follow us (?:on|at|@)"
    r"|(?:log|sign) ?in (?:to (?:your|access|view|continue|see|read)|with|or register)\b"
    r"|share (?:this (?:page|article|post|story|species|bird|photo)"
    r"|on (?:facebook|twitter|x|pinterest|e-?mail|social))\b"
    r"|click (?:here|to (?:enlarge|view|see|listen|play|read|hear))\b"
    r"|click (?:on )?(?:the |an? )?(?:image|photo|picture|thumbnail|map|link|button)\b"
    r"|(?:skip|jump) to (?:main )?(?:content|navigation)\b"
    r"|(?:enable|requires?) javascript\b|javascript (?:is|must)\b"
    r"|page not found\b|powered by wordpress\b|webmaster\b"
    r"|download (?:the|our) (?:free )?(?:[\w-]+ ){0,3}app\b"
    r"|the free encyclop(?:e|ae)dia\b|(?:text|content|material) is available under\b"
    r"|retrieved from [\"'“]|page was last (?:edited|modified|updated)\b"
    r"|help (?:wikipedia|the wiki)\b|by expanding it\b|(?:add|post|leave) a (?:comment|reply)\b"
    r")",
)
_RANK = _any_of(r"\b(?:kingdom|phylum|class|order|family|genus|species|domain|clade)\s?:")
_SEPARATOR = re.compile(r" [»›→·•/] |\|")
_WORDS = 4
"""A sentence has at least so many words; with fewer no language can be told either."""


def is_dropped_section(section: str) -> bool:
    """Whether a heading names what is no text on a species: References, See also, Gallery…"""
    return re.sub(r"[\W\d_]+", " ", section).strip().casefold() in DROPPED_SECTIONS


def is_mojibake(text: str) -> bool:
    """Whether a text shows bytes read in a wrong charset; ask before its marks are stripped too."""
    return _MOJIBAKE.search(text) is not None


def _is_boilerplate(text: str) -> bool:
    """Whether sentences in which the site speaks of itself make up half of the text."""
    if not _BOILERPLATE.search(text.lower()):
        return False
    bounds = [0, *sentence_ends(text), len(text)]
    sentences = [text[a:b] for a, b in pairwise(bounds)]
    return 2 * sum(len(s) for s in sentences if _BOILERPLATE.search(s.lower())) >= len(text)


def _is_list(text: str) -> bool:
    """Whether the text is numbers, codes, ranks or menu entries rather than words."""
    if len(_RANK.findall(text.lower())) >= 3 or len(_SEPARATOR.findall(text)) >= 3:
        return True
    dense = text.replace(" ", "")
    tokens = text.split()
    words = sum(sum(map(str.isalpha, t)) >= 2 and not t.isupper() for t in tokens)
    letters = sum(map(str.isalpha, dense))
    return words < _WORDS or 3 * words < len(tokens) or 2 * letters < len(dense)


_RULES: tuple[tuple[Reason, Callable[[str], object]], ...] = (
    (Reason.MARKUP, lambda text: _MARKUP.search(text.lower())),
    (Reason.HATNOTE, lambda text: _HATNOTE.match(text.lower())),
    (Reason.CAPTION, lambda text: _CAPTION.match(text.lower())),
    (Reason.REFERENCE, _REFERENCE.match),
    (Reason.BOILERPLATE, _is_boilerplate),
    (Reason.TOO_SHORT, lambda text: len(text) < LEAST),
    (Reason.NOT_PROSE, _is_list),
    (Reason.NOT_ENGLISH, lambda text: not is_english(text)),
)


def reason_against(text: str) -> Reason | None:
    """Why a paragraph, its marks stripped, is no instance; None where it is one."""
    return next((reason for reason, holds in _RULES if holds(text)), None)
