"""Which items of a class are used: a fixed number, spread over sites and over their sources.

Turns are taken: site after site, within a site source (page, recording) after source, within a
source by draw. All orders are drawn by name, so that an item that is new next year displaces at
most one other, and nothing that was over the quota comes in because of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fgbench.dataset.draw import draw
from fgbench.dataset.schema import Row, Stage, rejection, source
from fgbench.protocol import Medium

PER_CLASS: Mapping[Medium, int] = {Medium.TEXT: 40, Medium.AUDIO: 60}
"""Instances of each subcategory in the paper (section 2.2.1: 8,000 texts, 12,000 audios)."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is used, in the order given; what was over the quota; and the classes that fell short.

    ``short``: label to the number of its items, for each class with fewer than were asked for.
    """

    kept: list[Row]
    rejected: list[Row]
    short: dict[int, int]


def select(rows: Sequence[Row], per_class: int, labels: Iterable[int], seed: int = 0) -> Selection:
    """At most ``per_class`` items of each class; short classes are reported, never padded.

    ``rows``: items of one medium, each with item_id, label, site and source_url or source_id.
    ``labels``: the classes that were asked for, those without any item too. A row over the quota
    is rejected with the reason ``over_quota``. The choice does not depend on the order of ``rows``.
    """
    classes: dict[int, list[int]] = {label: [] for label in sorted(set(labels))}
    for i, row in enumerate(rows):
        classes.setdefault(row["label"], []).append(i)
    used = {i for of_class in classes.values() for i in _turns(rows, of_class, seed)[:per_class]}
    detail = f"the class has {per_class} others"
    return Selection(
        [row for i, row in enumerate(rows) if i in used],
        [
            rejection(row, Stage.SELECT, "over_quota", detail)
            for i, row in enumerate(rows)
            if i not in used
        ],
        {label: len(held) for label, held in classes.items() if len(held) < per_class},
    )


def _turns(rows: Sequence[Row], of_class: Sequence[int], seed: int) -> list[int]:
    """Positions of a class's rows in the order in which they are taken."""

    def site(i: int) -> tuple[object, ...]:
        return rows[i]["label"], rows[i]["site"]

    def place(i: int) -> tuple[object, ...]:
        return *site(i), source(rows[i])

    drawn = sorted(of_class, key=lambda i: draw(seed, "item", rows[i]["item_id"]))
    turn = _turn_within(drawn, place)
    drawn.sort(key=lambda i: (turn[i], draw(seed, "source", *place(i))))
    turn = _turn_within(drawn, site)
    return sorted(drawn, key=lambda i: (turn[i], draw(seed, "site", *site(i))))


def _turn_within(items: Sequence[int], key: Callable[[int], Hashable]) -> dict[int, int]:
    """For each item, how many before it have the same key."""
    seen: Counter[Hashable] = Counter()
    turn = {}
    for i in items:
        turn[i] = seen[key(i)]
        seen[key(i)] += 1
    return turn
