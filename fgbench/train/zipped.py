"""Items of several media that come together by chance, as from loaders that are zipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from fgbench.protocol import Medium
from fgbench.train.dataset import Items, Places


@dataclass(frozen=True, slots=True)
class Zipped:
    """A sampler of steps of ``rows`` items of each medium; an epoch lasts as the smallest does.

    What is left of a medium, and a last step with fewer rows, is dropped. A medium with fewer items
    than ``rows`` makes steps as small as it is.
    """

    rows: int
    shuffle: bool = True

    def __call__(
        self, items: Mapping[Medium, Items], rng: np.random.Generator
    ) -> Iterator[Mapping[Medium, Places]]:
        orders = {
            medium: rng.permutation(len(of_medium)) if self.shuffle else np.arange(len(of_medium))
            for medium, of_medium in items.items()
        }
        shortest = min(map(len, orders.values()))
        rows = min(self.rows, shortest)
        for start in range(0, shortest - rows + 1, rows):
            yield {medium: order[start : start + rows] for medium, order in orders.items()}
