"""Items of several media brought together by class, where no instance has a partner of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from fgbench.errors import InputError
from fgbench.protocol import Medium
from fgbench.train.dataset import Items, Places


def pair_classes(
    labels: Mapping[Medium, NDArray[np.int64]], rng: np.random.Generator
) -> dict[Medium, Places]:
    """Rows of places, one of each medium, all of one class; in random order, equally many a medium.

    A class has as many rows as it has items of its largest medium: each medium is shuffled, and the
    smaller ones are cycled, so that every item comes at least once. A class that some medium has no
    item of makes no rows. Raises ``InputError`` (FG-Y040) where that leaves none.
    """
    parts: dict[Medium, list[Places]] = {medium: [] for medium in labels}
    for members in _members(labels):
        rows = max(map(len, members.values()))
        for medium, places in members.items():
            parts[medium].append(np.resize(rng.permutation(places), rows))
    joined = {medium: np.concatenate(part) for medium, part in parts.items()}
    order = rng.permutation(len(next(iter(joined.values()))))
    return {medium: places[order] for medium, places in joined.items()}


@dataclass(frozen=True, slots=True)
class ClassPairs:
    """A sampler of steps of ``rows`` rows: an item of each medium, all of one class.

    An epoch is :func:`pair_classes` drawn anew; its last step is filled up from the first rows. A
    step has no more rows than an epoch. With ``classes``, each step has exactly so many classes (or
    all that there are, or as many as it has rows), with equally many rows each or one more: classes
    come equally often then, whatever their size, each going round its items.
    """

    rows: int
    classes: int | None = None

    def __call__(
        self, items: Mapping[Medium, Items], rng: np.random.Generator
    ) -> Iterator[Mapping[Medium, Places]]:
        labels = {medium: items[medium].labels for medium in items}
        if self.classes is not None:
            return self._balanced(_members(labels), self.classes, rng)
        return self._plain(pair_classes(labels, rng))

    def _plain(self, paired: Mapping[Medium, Places]) -> Iterator[Mapping[Medium, Places]]:
        count = len(next(iter(paired.values())))
        rows = min(self.rows, count)
        for start in range(0, count, rows):
            step = np.arange(start, start + rows) % count
            yield {medium: places[step] for medium, places in paired.items()}

    def _balanced(
        self, members: list[dict[Medium, Places]], classes: int, rng: np.random.Generator
    ) -> Iterator[Mapping[Medium, Places]]:
        count = sum(max(map(len, of_class.values())) for of_class in members)
        rows = min(self.rows, count)
        chosen = _distinct(len(members), min(classes, len(members), rows), rng)
        turns = [{m: _cycle(places, rng) for m, places in of.items()} for of in members]
        for _ in range(-(-count // rows)):
            drawn = np.resize(next(chosen), rows)
            yield {
                medium: np.array([next(turns[of_class][medium]) for of_class in drawn])
                for medium in members[0]
            }


def _members(labels: Mapping[Medium, NDArray[np.int64]]) -> list[dict[Medium, Places]]:
    """The places of each class that every medium has, by medium."""
    classes = reduce(np.intersect1d, map(np.unique, labels.values()))
    if not len(classes):
        raise InputError(
            "FG-Y040",
            f"{', '.join(labels)} have no class in common among the items to learn from",
            why="Items are brought together by class, one of each medium.",
            fix="Add items, or leave out the medium that has other classes.",
        )
    return [
        {medium: np.flatnonzero(of_items == c) for medium, of_items in labels.items()}
        for c in classes
    ]


def _cycle(places: Places, rng: np.random.Generator) -> Iterator[np.int64]:
    while True:
        yield from rng.permutation(places)


def _distinct(n: int, count: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """``count`` different numbers below ``n`` at a time, in the long run all equally often."""
    deck: list[int] = []
    while True:
        if len(deck) < count:
            # What is left comes first; its twins last, so that none comes twice at a time.
            fresh = rng.permutation(n).tolist()
            deck += sorted(fresh, key=set(deck).__contains__)
        yield np.array(deck[:count])
        del deck[:count]
