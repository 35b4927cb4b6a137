"""Whether what people write of a recording is about a species.

Collections of sounds of all kinds have music that is named after birds and aeroplanes that are
called nighthawks. Whether a bird is heard is for the detector to say; what is clearly about
something else is not fetched.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from fgbench.collect.clean.subject import plain_words
from fgbench.species import name_key, species

if TYPE_CHECKING:
    from fgbench.species import Species


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_OF_BIRDS = _set(
    "animal animals avian bird birdcall birdcalls birding birds birdsong birdsongs ornithology"
    " seabird seabirds songbird songbirds wildlife"
)
"""Words of which one must stand beside a common name: most common names mean other things too."""
_QUALIFIERS = _set("african black glaucous gray mexican mountain papyrus")
"""Words that make another bird's name of one of the classes': the Black-hooded Oriole. All that the
eBird checklist of October 2025 has before a name of several words, but for names of the class."""


@cache
def scientific_names(bird: Species) -> frozenset[str]:
    """Every binomial of a class, of today and before, and of the species that it mixes."""
    given = [alias.name for alias in bird.aliases if alias.kind.endswith("scientific")]
    given += [bird.scientific_name, *(taxon.scientific_name for taxon in bird.species)]
    return frozenset(name for name in given if " " in name)


@cache
def name_keys(bird: Species) -> frozenset[str]:
    """Every name of a class, as ``species.name_key``."""
    given = [bird.name, bird.scientific_name, *(alias.name for alias in bird.aliases)]
    given += [name for taxon in bird.species for name in (taxon.name, taxon.scientific_name)]
    return frozenset(map(name_key, given))


def mentions(bird: Species, text: str) -> bool:
    """Whether a text has a scientific name of the class, or a common one and a word for birds."""
    said = plain_words(text)
    if any(plain_words(name) in said for name in scientific_names(bird)):
        return True
    common = any(_stands_alone(name, said) for name in _common_names(bird))
    return common and not _OF_BIRDS.isdisjoint(said.split())


def others_named(bird: Species, text: str) -> tuple[str, ...]:
    """The other classes of the 200 whose names, of several words, a text has."""
    said = plain_words(text)
    return tuple(
        other.name
        for other in species()
        if other is not bird
        and any(_length(n) > 1 and _stands_alone(n, said) for n in _common_names(other))
    )


@cache
def _common_names(bird: Species) -> frozenset[str]:
    """As ``plain_words``, within single spaces, with a possessive s and without.

    One word ("Cardinal", "Nighthawk") counts only where the class has no longer name: other birds
    have names that end with it.
    """
    scientific = {*scientific_names(bird), bird.scientific_name}
    given = [n for n in (bird.name, *(a.name for a in bird.aliases)) if n not in scientific]
    spelt = (spelling for name in given for spelling in (name, name.replace("'", "")))
    names = frozenset(map(plain_words, spelt))
    return frozenset(n for n in names if _length(n) > 1) or names


def _length(name: str) -> int:
    return name.count(" ") - 1


def _stands_alone(name: str, said: str) -> bool:
    """Whether a name is somewhere in a text, and not as the end of a longer one."""
    befores = said.split(name)[:-1]
    return any(_QUALIFIERS.isdisjoint(before.split()[-1:]) for before in befores)
