"""The 200 classes: what they are called, where they stand in the taxonomy, what they may mix.

Labels run from 0 to 199 in the lists and from 1 to 200 in CUB-200-2011; ``find`` takes CUB's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources

from fgbench.errors import InputError


@dataclass(frozen=True, slots=True)
class Alias:
    """A name of a class: what kind of name, and which source uses it (docs/manifests.md)."""

    name: str
    kind: str
    source: str


@dataclass(frozen=True, slots=True)
class Taxon:
    """A species of the eBird/Clements checklist of October 2025."""

    scientific_name: str
    name: str
    ebird_code: str


@dataclass(frozen=True, slots=True)
class Sources:
    """Which source each field is from; ``resolutions.csv`` where sources disagreed."""

    name: str
    scientific_name: str
    taxonomy: str
    ebird_code: str
    species: str


@dataclass(frozen=True, slots=True)
class Species:
    """A class of the benchmark: most are a species, a few a genus or a mixture (``note``)."""

    label: int
    cub_id: int
    cub_name: str
    name: str
    scientific_name: str
    genus: str
    family: str
    order: str
    ebird_code: str | None
    """As the CUB taxonomy gives it; None for class 103, which has three (``species``)."""
    ebird_code_2025: str | None
    """Of ``scientific_name`` in the current checklist; None where that is a genus."""
    avibase_id: str | None
    species: tuple[Taxon, ...]
    """What its items may show, the likeliest first; one, except where ``note`` says why not."""
    aliases: tuple[Alias, ...]
    note: str | None
    sources: Sources


@cache
def species() -> tuple[Species, ...]:
    """All 200, by label."""
    import pyarrow.parquet as pq

    table = pq.read_table(str(resources.files("fgbench.manifests") / "species.parquet"))
    return tuple(
        Species(
            **{
                **row,
                "species": tuple(Taxon(**taxon) for taxon in row["species"]),
                "aliases": tuple(Alias(**alias) for alias in row["aliases"]),
                "sources": Sources(**row["sources"]),
            }
        )
        for row in table.to_pylist()
    )


def name_key(name: str) -> str:
    """The name without case, accents, punctuation, possessive s and the grey/gray difference.

    >>> name_key("Brewer's Blackbird") == name_key("Brewer_Blackbird")
    True
    """
    plain = unicodedata.normalize("NFKD", name).casefold().replace("grey", "gray")
    return re.sub(r"[^a-z0-9]", "", re.sub(r"['’]s\b", "", plain.replace("_", " ")))


def find(name: str | int) -> Species:
    """The class of a CUB id (1-200), a CUB name, a common or scientific name, or an eBird code.

    Case, accents and punctuation do not matter. Raises ``InputError``: FG-N001 where no class has
    the name, FG-N002 where several have it; both say which names are near.
    """
    if isinstance(name, int) or re.fullmatch(r"\s*[0-9]{1,9}\s*", name):
        number = int(name)
        if 1 <= number <= len(species()):
            return species()[number - 1]
        raise InputError(
            "FG-N001",
            f"there is no class {number}",
            why="CUB ids run from 1 to 200 (labels, from 0 to 199, are one less).",
            fix="Give a CUB id or a name.",
        )
    found = _index().get(name_key(name), ())
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(
            "FG-N002",
            f"{name!r} is the name of {len(found)} classes",
            fix=f"Give one of {', '.join(s.cub_name for s in found)}.",
        )
    near = _near(name)
    raise InputError(
        "FG-N001",
        f"no class is called {name[:80]!r}",
        why="The benchmark has the 200 classes of CUB-200-2011.",
        fix=f"Near: {', '.join(near)}." if near else "Give a CUB id, 1 to 200, or a name.",
    )


@cache
def _index() -> Mapping[str, tuple[Species, ...]]:
    index: dict[str, dict[int, Species]] = {}
    for s in species():
        codes = (s.ebird_code, s.ebird_code_2025, *(taxon.ebird_code for taxon in s.species))
        names = (s.cub_name, s.cub_name[4:], s.name, s.scientific_name, *codes)
        for name in (*names, *(alias.name for alias in s.aliases)):
            for spelling in (name, name.replace("'", "")) if name else ():
                index.setdefault(name_key(spelling), {})[s.cub_id] = s
    return {key: tuple(found.values()) for key, found in index.items()}


def _near(name: str) -> list[str]:
    """Up to five display names: those that contain the words, then those spelled alike."""
    key = name_key(name)
    contain = [k for k in _index() if len(key) >= 4 and key in k]
    keys = [*contain, *get_close_matches(key, _index(), n=5, cutoff=0.7)]
    return list(dict.fromkeys(s.name for k in keys for s in _index()[k]))[:5]
