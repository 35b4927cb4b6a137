"""Whether a page is about the species that it was found for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import chain

from fgbench.collect.sites.base import RawText
from fgbench.species import Species, species

LEAD = 3
"""Paragraphs at a page's start that may name its species."""

_DISAMBIGUATION = re.compile(
    r".{0,80}?\b(?:may|can|could)(?: also| commonly| variously)? refer to"
    r"(?=:|\s*$| (?:any|one|several|some|many|two|three|four|the following|either)\b)",
    re.IGNORECASE,
)
_OF_BIRDS = re.compile(
    r"\b(?:birds?|species|genus|passerines?|seabirds?|songbirds?|family|plumage|nests?)\b",
    re.IGNORECASE,
)
_TITLE_PART = re.compile(r"\s[|–—-]\s|\s?[|,:;]\s|\s?\(")


def plain_words(text: str) -> str:
    """The words of a text between single spaces, so that names are found whole and however spelt.

    As in ``species.name_key``, case, accents, a possessive s and grey for gray make no difference;
    hyphens, underscores and other signs part words.
    """
    if not text.isascii():
        parted = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in parted if not unicodedata.combining(c))
    text = re.sub(r"['’](?:s\b)?|[ʻ`]", "", text.casefold().replace("_", " "))
    words = re.findall(r"[^\W_]+", text.replace("grey", "gray"))
    return f" {' '.join(words)} "


def title_names(title: str) -> tuple[str, str]:
    """A title as ``plain_words``: whole, and its part before a site's own name or a bracket.

    Without a leading "The", which is part of no name.
    """
    whole, first = (plain_words(t) for t in (title, _TITLE_PART.split(title, maxsplit=1)[0]))
    return re.sub("^ the ", " ", whole), re.sub("^ the ", " ", first)


@cache
def _names(bird: Species) -> frozenset[str]:
    """Every name of a species, current and older, common and scientific, as ``plain_words``."""
    given = (bird.name, bird.scientific_name, *(alias.name for alias in bird.aliases))
    return frozenset(words for name in given if (words := plain_words(name)).strip())


def _binomials(bird: Species) -> frozenset[str]:
    """Scientific names of the species, and of the species that a mixed class holds."""
    aliases = (alias.name for alias in bird.aliases if alias.kind.endswith("scientific"))
    return frozenset(map(plain_words, (bird.scientific_name, *aliases)))


@cache
def _classes() -> Mapping[str, frozenset[int]]:
    """Labels of the classes that bear a name."""
    found: dict[str, set[int]] = {}
    for bird in species():
        for name in _names(bird):
            found.setdefault(name, set()).add(bird.label)
    return {name: frozenset(labels) for name, labels in found.items()}


def _another(names: Iterable[str], bird: Species) -> str | None:
    """The first of the names that belongs to other classes of the 200 only."""
    labels = _classes()
    return next((n.strip() for n in names if n in labels and bird.label not in labels[n]), None)


def _says_birds(raw: RawText) -> bool:
    return any(_OF_BIRDS.search(p.text) for p in raw.paragraphs[:LEAD])


def about_right_species(raw: RawText, bird: Species) -> tuple[bool, str]:
    """Whether the page is about the species, and if not, why.

    It is where its title, its own statement (``raw.about``) or its first three paragraphs have the
    species' binomial or a common name of it, past names included. A name of one word ("Cardinal",
    a genus) counts only in title or statement, beside a word such as bird or species. It is not
    where it is a disambiguation page, where title or statement name another class of the 200, or
    where the title names another bird of the group ("Short-tailed Albatross").
    """
    lead = [p.text for p in raw.paragraphs[:LEAD]]
    if "(disambiguation)" in raw.title.casefold() or (lead and _DISAMBIGUATION.match(lead[0])):
        return False, "a disambiguation page"
    own = _names(bird)
    titles = title_names(raw.title)
    claims = (*titles, *chain.from_iterable(map(title_names, raw.about)))
    if not own.intersection(titles) and (other := _another(claims, bird)):
        return False, f"the page says it is about {other}"
    named = own.intersection(claims)
    if any(" " in n.strip() for n in named) or (named and _says_birds(raw)):
        return True, ""
    if named:
        return False, f"{min(named).strip()} names more than birds, and no bird is spoken of"
    text = " ".join(map(plain_words, lead))
    phrases = {name for name in own if " " in name.strip()}
    if titles[1].split()[-1:] in [name.split()[-1:] for name in own]:
        # "Great White Pelican" is another bird than the White Pelican, "Meet the White Pelican"
        # is not: the binomial tells.
        phrases &= _binomials(bird) if any(name in titles[0] for name in phrases) else set()
        if not any(name in text for name in phrases):
            return False, f"the title names another bird: {raw.title}"
    if any(name in text for name in phrases):
        return True, ""
    return False, f"neither title nor lead names {bird.name} or {bird.scientific_name}"
