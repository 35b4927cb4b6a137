"""What to ask a site for: a species under each of its names, the most canonical first.

The paper's second strategy for more data, "more keywords" (section 2.1): names change, and sites
keep old ones.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fgbench.species import Species


class QueryKind(StrEnum):
    """What sort of name a query is, in the order of asking."""

    COMMON = "common"
    SCIENTIFIC = "scientific"
    CUB = "cub"
    ALIAS = "alias"


@dataclass(frozen=True, slots=True)
class Query:
    """One name of a species to ask for; ``rank`` 0 is its most canonical name."""

    label: int
    text: str
    kind: QueryKind
    rank: int


def queries_for(species: Species) -> tuple[Query, ...]:
    """A species' names as queries, no name twice.

    The common name comes first, since CUB's own drops apostrophes and hyphens and shortens some
    names to a genus. Names that differ only in case and punctuation are one: the first is kept.
    """
    seen: set[str] = set()
    queries: list[Query] = []
    for text, kind in _names(species):
        text = " ".join(unicodedata.normalize("NFC", text).replace("_", " ").split())
        key = "".join(c for c in text.casefold() if c.isalnum())
        if key and key not in seen:
            seen.add(key)
            queries.append(Query(species.label, text, kind, len(queries)))
    return tuple(queries)


def _names(species: Species) -> Iterator[tuple[str, QueryKind]]:
    yield species.name, QueryKind.COMMON
    yield species.scientific_name, QueryKind.SCIENTIFIC
    yield species.cub_name.partition(".")[2] or species.cub_name, QueryKind.CUB
    for alias in species.aliases:
        yield alias.name, QueryKind.ALIAS
