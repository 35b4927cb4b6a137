"""A small data set of images with regions and texts of words, for methods that take parts."""

import numpy as np

from fgbench.protocol import Medium
from fgbench.train.dataset import Dataset, Items
from fgbench.train.inputs import PartInputs

REGION, VECTOR, LONGEST, WORDS, SIDE = 6, 5, 4, 12, 64


def draw_side(seed, each, classes, media, *, pictures):
    """``each`` items of each class: parts and vectors lie about a point of their class."""
    rng = np.random.default_rng(seed)
    points = np.random.default_rng(7).normal(0, 2, (classes, REGION))
    items = {}
    for medium in media:
        labels = rng.permutation(np.repeat(np.arange(classes), each))
        counts = rng.integers(1, LONGEST + 1, len(labels))
        owners = np.repeat(labels, counts)
        vectors = points[labels, :VECTOR] + rng.normal(size=(len(labels), VECTOR))
        if medium is Medium.TEXT:
            # Mostly the class's own words; now and then any word.
            own = 1 + (owners * 3 + rng.integers(0, 3, len(owners))) % WORDS
            parts = np.where(rng.random(len(owners)) < 0.8, own, rng.integers(1, WORDS + 1))
            kind = {"words": WORDS}
        else:
            parts = (points[owners] + rng.normal(size=(len(owners), REGION))).astype(np.float32)
            kind = {}
        if medium is Medium.IMAGE:
            kind["boxes"] = rng.random((len(owners), 4)).astype(np.float32)
            if pictures:
                shape = (len(labels), 3, SIDE, SIDE)
                kind["pictures"] = rng.integers(0, 256, shape, dtype=np.uint8)
        ids = np.array([f"{medium}/{seed}/{at}" for at in range(len(labels))])
        inputs = PartInputs(vectors.astype(np.float32), parts, counts, LONGEST, **kind)
        items[medium] = Items(ids, labels, inputs)
    return items


def draw_parts(
    seed=0, *, classes=3, train=8, test=4, media=(Medium.IMAGE, Medium.TEXT), pictures=False
):
    """``train`` and ``test`` items of each class in each medium."""
    return Dataset(
        draw_side(2 * seed, train, classes, media, pictures=pictures),
        draw_side(2 * seed + 1, test, classes, media, pictures=pictures),
        classes,
    )
