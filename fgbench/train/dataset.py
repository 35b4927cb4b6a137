"""What a method learns from and is tested on: ids, labels and inputs of each medium.

Inputs are features that lie in memory, or media that are decoded when they are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fgbench.protocol import Medium

Places = NDArray[np.int64]
"""Positions of items among those of a medium, from 0."""


class Parts(NamedTuple):
    """Some items with their parts: arrays of NumPy, and in a batch tensors on the device.

    ``parts``: vectors [b, n, d] float32, zeros behind an item's last; or, of words, numbers [b, n]
    int64, from 1, zeros behind the last. n is that of the medium's longest item, in each batch.
    ``counts`` [b] int64: how many an item has, at least 1. ``boxes`` [b, n, 4] float32, where they
    are regions of a picture: left, top, width, height as shares of it. ``pictures``
    [b, 3, side, side], bytes, and in a batch normalised.
    """

    vectors: Any
    """[b, v] float32: each item as a whole."""
    parts: Any
    counts: Any
    boxes: Any = None
    pictures: Any = None

    def each(self, change: Callable[[Any], Any]) -> Parts:
        """The same with every array changed."""
        return Parts(*(None if array is None else change(array) for array in self))


class Inputs(Protocol):
    """What a method is given of the items of a medium.

    ``shape``: of one item as it is tested; of parts [n, d], words having a width of 1.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __len__(self) -> int: ...

    def take(self, places: Places, rng: np.random.Generator | None = None) -> Any:
        """The inputs of some items: an array [len(places), …], float32, bytes of pictures or, of
        characters, int64; or :class:`Parts`.

        ``rng``: as drawn for training: one frame of a video, a text moved along, a picture turned.
        Without it each item is whole: ``shape``.
        """


def whole_rows(inputs: Inputs) -> NDArray[np.float64]:
    """The vectors of all items [n, d], for methods in closed form."""
    rows: NDArray[np.float64] = inputs.take(np.arange(len(inputs))).astype(np.float64)
    return rows


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

    def changed(self, change: Callable[[Inputs], Inputs]) -> Dataset:
        """The same with other inputs."""
        train, test = (
            {m: Items(of.ids, of.labels, change(of.inputs)) for m, of in side.items()}
            for side in (self.train, self.test)
        )
        return Dataset(train, test, self.classes)

    def only(self, *media: Medium) -> Dataset:
        """The same with fewer media."""
        return Dataset(
            {medium: self.train[medium] for medium in media},
            {medium: self.test[medium] for medium in media},
            self.classes,
        )
