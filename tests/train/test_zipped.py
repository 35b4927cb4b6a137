"""Media that come together by chance."""

from __future__ import annotations

import numpy as np

from fgbench.protocol import Medium
from fgbench.train.dataset import Items
from fgbench.train.inputs import FeatureInputs
from fgbench.train.zipped import Zipped


def items(inputs: np.ndarray) -> Items:
    ids = np.array([f"item{k}" for k in range(len(inputs))])
    return Items(ids, np.zeros(len(inputs), np.int64), FeatureInputs(inputs))


def test_zipped_media_end_with_the_smallest() -> None:
    sizes = {Medium.IMAGE: 11, Medium.TEXT: 9, Medium.AUDIO: 30}
    of_media = {m: items(np.zeros((n, 2), np.float32)) for m, n in sizes.items()}
    steps = list(Zipped(4, shuffle=False)(of_media, np.random.default_rng(0)))
    assert [{m: p.tolist() for m, p in step.items()} for step in steps] == [
        {medium: [0, 1, 2, 3] for medium in sizes},
        {medium: [4, 5, 6, 7] for medium in sizes},
    ]
    shuffled = list(Zipped(3)(of_media, np.random.default_rng(0)))
    assert sorted(int(p) for step in shuffled for p in step[Medium.TEXT]) == list(range(9))
    audios = [int(p) for step in shuffled for p in step[Medium.AUDIO]]
    assert len(set(audios)) == 9
    assert max(audios) > 9
    assert [p.tolist() for p in shuffled[0].values()] != [[0, 1, 2]] * 3


def test_zipped_media_of_fewer_items_than_a_step() -> None:
    of_media = {Medium.IMAGE: items(np.zeros((3, 2), np.float32))}
    (step,) = Zipped(32)(of_media, np.random.default_rng(0))
    assert sorted(step[Medium.IMAGE].tolist()) == [0, 1, 2]
