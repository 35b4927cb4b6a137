"""What a web page leaves in a sentence and a reader would not say: links, reference marks, tags.

Every pattern is bounded or possessive, so that time stays linear in the text whatever it holds.
"""

from __future__ import annotations

import html
import re
import unicodedata

_ENTITY = re.compile(r"&(?:amp;)*(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_COMMENT = re.compile(r"<!--[^<>]*>")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,300}>")

_LINK = re.compile(
    r"""\ ?(?:
      <?(?:https?|ftp)://[^\s<>]*+>?
    | (?<![\w.-])www\.[^\s<>]++
    | (?:mailto:)?(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)+
    | \bdoi:\s?10\.\d{4,9}/[^\s<>]++
    | (?<![\w.@-])(?:[a-z0-9-]++\.)+
      (?:(?:com|org|net|edu|gov)(?:\.[a-z]{2})?|ac\.uk|co\.uk)\b(?:/[^\s<>]*+)?
    )""",
    re.VERBOSE | re.IGNORECASE,
)

_MARK = r"""
    (?:
      \[\s?\d{1,3}(?:\s?[,–-]\s?\d{1,3}){0,20}\s?\](?::\d{1,4}(?:[–-]\d{1,4})?)?
    | \[\s?(?:note|nb|n|fn|ref|lower-alpha|upper-alpha)\.?\s?(?:\d{1,3}|[a-z])\s?\]
    | \[\s?[b-hj-z]\s?\](?!\w)
    | (?<=\S)\[[ai]\](?!\w)
    | \[\s?(?:edit|edit\ source|edit\ \|\ edit\ source|update|clarify|vague|sic\?|dubious|
        (?:dubious|disputed)\s?[–-]\s?discuss|disputed|original\ research\?|unreliable\ source\??|
        self-published\ source\??|not\ in\ citation\ given|failed\ verification|needs\ update|
        (?:permanent\ )?dead\ link|weasel\ words|
        (?:by\ |according\ to\ |to\ )?(?:who|whom|when|where|which|why|how|what)\?|
        [a-z -]{2,40}\ needed(?:\ to\ verify)?)\s?\]
    )
"""
_MARKS = re.compile(rf"\ ?{_MARK}(?:\ ?{_MARK})*+", re.VERBOSE | re.IGNORECASE)

_EMPTY = re.compile(r" ?(?:\([ ,;:–-]*\)|\[[ ,;:–-]*\]|<>)")
_BULLET = re.compile(r"^(?:[•·▪◦‣] ?)+")
_CLOSING = frozenset(".,;:!?)]}’”'\"…»")
_LINK_END = ".,;:!?'\"’”»…]}"


def _fold(text: str) -> str:
    return " ".join(text.split())


def strip_invisible(text: str) -> str:
    """The text without controls, zero-width and private-use characters and soft hyphens.

    White space stays. A lone surrogate, which no UTF-8 file can hold, becomes U+FFFD, so that
    the damage shows.
    """
    if text.isascii() and text.isprintable():
        return text
    kept = []
    for character in text:
        category = unicodedata.category(character)
        if category == "Cs":
            kept.append("\ufffd")
        elif character.isspace() or category not in ("Cc", "Cf", "Co"):
            kept.append(character)
    return "".join(kept)


def _cut_link(match: re.Match[str]) -> str:
    """Leaves the sentence's own punctuation that stands against a link's end."""
    link = match.group().lstrip(" ")
    if link.startswith("<"):
        return " "
    bare = link.rstrip(_LINK_END)
    excess = bare.count(")") - bare.count("(")
    while excess > 0 and bare.endswith(")"):
        bare, excess = bare[:-1].rstrip(_LINK_END), excess - 1
    after = link[len(bare) :]
    following = after or match.string[match.end() : match.end() + 1]
    return after if following[:1] in _CLOSING else f" {after}"


def _cut_marks(match: re.Match[str]) -> str:
    """Nothing before a space, closing punctuation or the end; a space between two words."""
    after = match.string[match.end() : match.end() + 1]
    return "" if not after or after.isspace() or after in _CLOSING else " "


def strip_marks(text: str) -> str:
    """The text without links, reference marks, tags, entities and invisible characters.

    The words stay. The result is NFC and its white space is folded to single spaces.
    """
    text = _ENTITY.sub(lambda match: html.unescape(f"&{match.group(1)};"), text)
    text = _TAG.sub("", _COMMENT.sub(" ", text))
    text = _fold(strip_invisible(unicodedata.normalize("NFC", text)))
    text = _LINK.sub(_cut_link, text)
    text = _EMPTY.sub("", _MARKS.sub(_cut_marks, text))
    return unicodedata.normalize("NFC", _fold(_BULLET.sub("", _fold(text))))
