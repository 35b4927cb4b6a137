"""How far a review has come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fgbench.collect.review.decisions import Decision
from fgbench.collect.review.doubts import Doubt


@dataclass(frozen=True, slots=True)
class Count:
    """How many items are in doubt, and what was decided on them so far."""

    doubtful: int
    keep: int
    drop: int

    @property
    def left(self) -> int:
        """How many nobody has decided on."""
        return self.doubtful - self.keep - self.drop

    def to_json(self) -> dict[str, int]:
        """Its four numbers."""
        return {k: getattr(self, k) for k in ("doubtful", "keep", "drop", "left")}


def summarise(
    doubts: Mapping[str, Doubt], decisions: Mapping[str, Decision]
) -> tuple[Count, Mapping[str, Count]]:
    """Of all items, and of each class by its CUB-200-2011 name."""
    by_class: dict[str, list[str]] = {}
    for item, doubt in doubts.items():
        by_class.setdefault(doubt.row["species"], []).append(item)
    counts = {name: _count(items, decisions) for name, items in by_class.items()}
    return _count(doubts, decisions), counts


def _count(items: Iterable[str], decisions: Mapping[str, Decision]) -> Count:
    found = [decisions.get(item) for item in items]
    return Count(len(found), found.count(Decision.KEEP), found.count(Decision.DROP))
