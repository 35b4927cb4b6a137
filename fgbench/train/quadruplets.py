"""Quadruplets: four items of as many media as there are, two of one class, two of two others.

Source: He, Peng, Xie (ACM MM 2019), sections 3.3.3 and 3.4.1. They have four media, one item of
each. With fewer, ours: the items of a quadruplet take the media in turn, and the two of one class
are of different media.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fgbench.errors import InputError
from fgbench.protocol import Medium
from fgbench.train.dataset import Items, Places

_SEATS = range(4)
_ROLES = [[0, 1, 2, 3], [1, 0, 2, 3], [0, 1, 3, 2], [1, 0, 3, 2]]


@dataclass(frozen=True, slots=True)
class Quadruplets:
    """A sampler of steps of ``count`` quadruplets; :func:`arrange` finds them in a batch.

    An epoch has as many items of the largest medium as there are, or up to a step more. Classes
    come equally often as the one that two items share, and the others at random; which media share
    it is random too. The items of a class and medium come in turns of random order.
    """

    count: int

    def __call__(
        self, items: Mapping[Medium, Items], rng: np.random.Generator
    ) -> Iterator[Mapping[Medium, Places]]:
        media = tuple(medium for medium in Medium if medium in items)
        classes = np.unique(np.concatenate([items[medium].labels for medium in media]))
        if len(media) < 2 or len(classes) < 3:
            raise InputError(
                "FG-Y050",
                f"quadruplets of {len(media)} media and {len(classes)} classes",
                why="Two of their items share a class across media, two are of two more classes.",
                fix="Train with at least two media and three classes.",
            )
        rows = self.count * len(_SEATS)
        longest = max(len(items[medium]) for medium in media)
        steps = -(-longest * len(media) // rows)
        labels = classes[self._classes(len(media), len(classes), steps * self.count, rng)]
        by_step = labels.reshape(steps, rows)
        places = {
            medium: _draw(items[medium], by_step[:, k :: len(media)], medium, rng)
            for k, medium in enumerate(media)
        }
        for step in range(steps):
            yield {medium: of_medium[step] for medium, of_medium in places.items()}

    @staticmethod
    def _classes(
        media: int, classes: int, count: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """The classes [count, 4] of the seats of quadruplets, as places among the classes."""
        turns = [rng.permutation(classes) for _ in range(-(-count // classes))]
        shared = np.concatenate(turns)[:count]
        # Two different steps away from the shared class, all pairs of them as likely.
        first = rng.integers(1, classes, count)
        second = rng.integers(1, classes - 1, count)
        second += second >= first
        # Seat s of a step has medium s modulo media, so that this difference says who may share.
        pairs = np.array([p for p in combinations(_SEATS, 2) if (p[1] - p[0]) % media])
        rest = np.array([[seat for seat in _SEATS if seat not in pair] for pair in pairs])
        chosen = rng.integers(len(pairs), size=count)
        found = np.empty((count, len(_SEATS)), np.int64)
        np.put_along_axis(found, pairs[chosen], shared[:, None], axis=1)
        others = (shared[:, None] + np.stack([first, second], axis=1)) % classes
        np.put_along_axis(found, rest[chosen], others, axis=1)
        return found


def _draw(
    items: Items, labels: NDArray[np.int64], medium: Medium, rng: np.random.Generator
) -> Places:
    """Places of items of these classes [steps, rows]."""
    places = np.empty(labels.shape, np.int64)
    for label in np.unique(labels):
        wanted = labels == label
        members = np.flatnonzero(items.labels == label)
        if not len(members):
            raise InputError(
                "FG-Y051",
                f"no {medium} item among those to learn from has class {label}, counted from 0",
                why="A quadruplet may ask any medium for an item of any class.",
                fix="Leave the class out of every medium, add an item of it, or do without "
                "quadruplets: --set sampling=shuffled --set constraint=center.",
            )
        turns = -(-int(wanted.sum()) // len(members))
        drawn = np.concatenate([rng.permutation(members) for _ in range(turns)])
        places[wanted] = drawn[: wanted.sum()]
    return places


def arrange(
    features: Mapping[Medium, Tensor], labels: Mapping[Medium, Tensor]
) -> tuple[Tensor, ...]:
    """The rows i, j, k, l of the quadruplets in a batch, each [4·count, d], in every role.

    Section 3.4.1 draws which of the two items of one class is i; here each is in turn, and so with
    k and l: the mean over the rows is what that draw comes to on average. Raises ``InputError``
    (FG-Y052) where rows are no quadruplets, as those of a step that is cut up may be.
    """
    media = tuple(medium for medium in Medium if medium in features)
    seated = _seat([labels[medium] for medium in media])
    if len(seated) % len(_SEATS):
        raise _cut_up(len(seated), media)
    seated = seated.reshape(-1, len(_SEATS))
    alike = (seated[:, :, None] == seated[:, None, :]).sum(2)
    if bool((alike.sum(1) != 6).any()):  # 2 + 2 + 1 + 1: one pair of one class
        raise _cut_up(seated.numel(), media)
    pair_first = alike.argsort(dim=1, descending=True, stable=True)
    rows = _seat([features[medium] for medium in media])
    by_four = rows.reshape(-1, len(_SEATS), rows.shape[1])
    roles = by_four.take_along_dim(pair_first[:, :, None], dim=1)[:, _ROLES]
    return tuple(roles.flatten(0, 1).unbind(1))


def _seat(parts: list[Tensor]) -> Tensor:
    """The rows of all media, one of each in turn."""
    total, device = sum(map(len, parts)), parts[0].device
    seats = [torch.arange(k, total, len(parts), device=device) for k in range(len(parts))]
    return torch.cat(parts)[torch.cat(seats).argsort()]


def _cut_up(rows: int, media: Sequence[Medium]) -> InputError:
    return InputError(
        "FG-Y052",
        f"{rows} items of {len(media)} media that are no whole quadruplets",
        why="Ranking compares the four items of a quadruplet.",
        fix="Choose a batch of which every process and slice gets whole quadruplets.",
    )
