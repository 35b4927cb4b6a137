"""A small data set of two media, no item of which has a partner: for tests of pairwise methods."""

import numpy as np

from fgbench.protocol import Medium
from fgbench.train.dataset import Dataset, Items
from fgbench.train.inputs import FeatureInputs

WIDTHS = {Medium.IMAGE: 6, Medium.TEXT: 4}


def draw_side(seed, counts, classes, spread):
    """Items about a point of their class, another point in each medium; in random order."""
    rng = np.random.default_rng(seed)
    items = {}
    for (medium, width), count in zip(WIDTHS.items(), counts, strict=True):
        points = np.random.default_rng(width).normal(0, 2, (classes, width))
        labels = rng.permutation(np.repeat(np.arange(classes), count))
        rows = points[labels] + rng.normal(0, spread, (len(labels), width)) + 3
        ids = np.array([f"{medium}/{seed}/{at}" for at in range(len(labels))])
        items[medium] = Items(ids, labels, FeatureInputs(rows.astype(np.float32)))
    return items


def draw_dataset(seed=0, *, classes=3, train=(8, 5), test=(4, 6), spread=1.0):
    """``train`` and ``test``: images and texts of each class."""
    return Dataset(
        draw_side(2 * seed, train, classes, spread),
        draw_side(2 * seed + 1, test, classes, spread),
        classes,
    )
