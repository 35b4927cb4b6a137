"""The two splits of a medium: ``paper`` (item by item) and ``grouped`` (no group on both sides).

Grouped: per class the coarsest grouping that leaves train and test non-empty. An article or a
recording stays whole, and so do recordings of one recordist on one day in one place; else the
sections of an article do; else the class is left out of the medium. Near-duplicate clusters stay
whole at every level. Groups are formed over all classes together: where two classes share a page
or a cluster, their items are one group and on one side.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from fgbench.dataset.components import components
from fgbench.dataset.draw import draw
from fgbench.dataset.halve import Group, halve
from fgbench.dataset.schema import GroupLevel, Row, Split, normalise_text, source
from fgbench.protocol import Medium

LEVELS: Mapping[Medium, tuple[GroupLevel, ...]] = {
    Medium.TEXT: (GroupLevel.ARTICLE, GroupLevel.SECTION),
    Medium.AUDIO: (GroupLevel.RECORDING,),
}
"""The groupings of a medium, coarsest first. Image and video come with a split of their own."""


def split(rows: Sequence[Row], medium: Medium, seed: int = 0) -> list[Row]:
    """The rows with split_paper, split_grouped, group_id and group_level filled in.

    Both splits are half and half a class (grouped: as near as whole groups allow), the odd item on
    a drawn side. A class that cannot have items on both sides is null in that split. ``rows``:
    the selected items of TEXT or AUDIO; their order does not matter.
    """
    paper = _split_items(rows, seed)
    grouped = _split_groups(rows, LEVELS[medium], seed)
    return [
        {**row, "split_paper": side, **columns}
        for row, side, columns in zip(rows, paper, grouped, strict=True)
    ]


def _split_items(rows: Sequence[Row], seed: int) -> list[Split | None]:
    """The side of each row: half of each class, by a draw that no other item changes."""
    classes: defaultdict[int, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        classes[row["label"]].append(i)
    sides: list[Split | None] = [None] * len(rows)
    for label, items in classes.items():
        if len(items) < 2:
            continue
        items.sort(key=lambda i: draw(seed, "paper", rows[i]["item_id"]))
        half = (len(items) + draw(seed, "paper odd", label) % 2) // 2
        for place, i in enumerate(items):
            sides[i] = Split.TEST if place < half else Split.TRAIN
    return sides


def _split_groups(rows: Sequence[Row], levels: Sequence[GroupLevel], seed: int) -> list[Row]:
    """split_grouped, group_id and group_level of each row.

    All classes begin at the coarsest level; those that come out one-sided go one level down, and
    all are divided again, since a finer class can free one that it shared a group with.
    """
    depth = {row["label"]: 0 for row in rows}
    while True:
        placed = [row for row in rows if depth[row["label"]] < len(levels)]
        level = [levels[depth[row["label"]]] for row in placed]
        groups = _group(placed, level)
        sizes: defaultdict[str, Counter[int]] = defaultdict(Counter)
        for row, group in zip(placed, groups, strict=True):
            sizes[group][row["label"]] += 1
        test = halve((Group(name, held) for name, held in sizes.items()), seed)
        sides = {(row["label"], g in test) for row, g in zip(placed, groups, strict=True)}
        one_sided = [label for label, tested in sides if (label, not tested) not in sides]
        if not one_sided:
            break
        for label in one_sided:
            depth[label] += 1
    columns = {
        row["item_id"]: {
            "split_grouped": Split.TEST if group in test else Split.TRAIN,
            "group_id": group,
            "group_level": how,
        }
        for row, group, how in zip(placed, groups, level, strict=True)
    }
    left_out = dict.fromkeys(("split_grouped", "group_id", "group_level"))
    return [columns.get(row["item_id"], left_out) for row in rows]


def _group(rows: Sequence[Row], levels: Sequence[GroupLevel]) -> list[str]:
    """The group of each row: rows with a key in common are in one, and so on through others."""
    first: dict[tuple[str, ...], int] = {}
    links = [
        (i, first.setdefault(key, i))
        for i, (row, level) in enumerate(zip(rows, levels, strict=True))
        for key in _keys(row, level)
    ]
    return components([row["item_id"] for row in rows], links)


def _keys(row: Row, level: GroupLevel) -> Iterator[tuple[str, ...]]:
    """What a row may not share with a row on the other side."""
    if level is GroupLevel.SECTION:
        yield level, source(row), normalise_text(row.get("section") or "")
    else:
        yield level, source(row)
    if row.get("cluster_id"):
        yield "cluster", row["cluster_id"]
    if level is GroupLevel.RECORDING:
        session = [normalise_text(row.get(name) or "") for name in SESSION]
        if all(session):
            yield "session", *session


SESSION = ("author", "recorded_on", "place")
"""One recordist, one day, one place: maybe one bird, whatever the recordings are called."""
