"""Licences as sources state them: addresses and names of Creative Commons, and the absence of one.

What is not recognised is kept as the source words it and not passed on.
"""

from __future__ import annotations

import re

from fgbench.collect.sites.base import Licence

ALL_RIGHTS_RESERVED = Licence("all rights reserved", "", redistributable=False, derivatives=False)
"""No licence: for the user's own research copy."""

_DEED = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/"
    r"(?:licenses/(?P<kind>by(?:-nc)?(?:-nd|-sa)?)/(?P<version>\d\.\d)|(?P<zero>publicdomain/zero))"
    r"(?:/|$)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"(?:CC[ -]?|Creative Commons )(?P<kind>BY(?:-NC)?(?:-ND|-SA)?)(?: (?P<version>\d\.\d))?",
    re.IGNORECASE,
)
_WORDS = (
    ("attribution", "by"),
    ("non-?commercial", "nc"),
    ("no-?deriv(?:ative)?s?(?: works)?", "nd"),
    ("share-?\\s?alike", "sa"),
)
"""The long names, in the order in which the short ones stand."""


def licence_of(url: str, text: str = "") -> Licence:
    """The licence behind an address and a name, as sources give them.

    The address of a Creative Commons deed says all. Else the name counts ("CC-BY-SA", "Creative
    Commons Attribution-Share Alike 4.0"), with a version only where it states one.
    """
    deed = _DEED.match(url.strip())
    if deed and deed["zero"]:
        return Licence("CC0-1.0", url, redistributable=True)
    if deed:
        return _creative_commons(deed["kind"], deed["version"], url)
    short = _short(text)
    named = _NAMED.fullmatch(short)
    if named:
        return _creative_commons(named["kind"], named["version"] or "", url)
    if not text.strip():
        return ALL_RIGHTS_RESERVED
    return Licence(" ".join(text.split()), url, redistributable=False, derivatives=False)


def _creative_commons(kind: str, version: str, url: str) -> Licence:
    name = "-".join(part for part in ("CC", kind.upper(), version) if part)
    return Licence(name, url, redistributable=True, derivatives="nd" not in kind.lower())


def _short(text: str) -> str:
    """A licence's name with its long words made short: ``Creative Commons by-sa 4.0``."""
    text = re.sub(r"\b(?:license|licence|unported|international|\(|\))\b|[()]", " ", text.lower())
    for words, letters in _WORDS:
        text = re.sub(words, letters, text)
    text = re.sub(r"(?<=\bby|\bnc)[ -]+(?=nc\b|nd\b|sa\b)", "-", text)
    return " ".join(text.split())
