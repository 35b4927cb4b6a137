"""What a method learns from and is tested on: ids, labels and inputs of each medium.

Inputs are features that lie in memory, or media that are decoded when they are taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fgbench.protocol import Medium

Places = NDArray[np.int64]
"""Positions of items among those of a medium, from 0."""


class Inputs(Protocol):
    """What a method is given of the items of a medium; ``shape``: of one item as it is tested."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __len__(self) -> int: ...

    def take(self, places: Places, rng: np.random.Generator | None = None) -> NDArray[Any]:
        """The inputs of some items [len(places), …], float32 or, of characters, int64.

        ``rng``: as drawn for training: one frame of a video, a text moved along, a picture turned.
        Without it each item is whole: ``shape``.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """The items of one medium on one side of the split, in one order.

    ``ids`` [n]; ``labels`` [n]: 0 to K - 1, the classes of the training items in ascending order.
    """

    ids: NDArray[np.str_]
    labels: NDArray[np.int64]
    inputs: Inputs

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A benchmark as a method sees it, some or all of its media. ``classes`` is K."""

    train: Mapping[Medium, Items]
    test: Mapping[Medium, Items]
    classes: int

    @property
    def media(self) -> tuple[Medium, ...]:
        """Those that there are, in the paper's order."""
        return tuple(medium for medium in Medium if medium in self.train)

    def only(self, *media: Medium) -> Dataset:
        """The same with fewer media."""
        return Dataset(
            {medium: self.train[medium] for medium in media},
            {medium: self.test[medium] for medium in media},
            self.classes,
        )
