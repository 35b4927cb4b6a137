"""What a set on the user's disk came to: kept, rejected, absent, failed; and what it is part of."""

from __future__ import annotations

from dataclasses import dataclass

from fgbench.dataset.collected import Failed
from fgbench.dataset.schema import Row
from fgbench.protocol import Medium
from fgbench.species import Species


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome for every listed item that was asked for, each in one of the four.

    ``remarks``: what else a user should know of their copy, in sentences.
    """

    kept: tuple[Row, ...]
    rejected: tuple[Row, ...]
    absent: tuple[Row, ...]
    failed: tuple[Failed, ...]
    remarks: tuple[str, ...] = ()


def absence(bird: Species, medium: Medium, site: str, query: str, reason: str) -> Row:
    """A row of ``absent``: a listed item that is not there."""
    return {
        "label": bird.label,
        "species": bird.cub_name,
        "medium": medium.value,
        "site": site,
        "query": query,
        "reason": reason,
    }
