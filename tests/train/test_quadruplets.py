"""The quadruplets' rules, by counting; and that a batch's quadruplets are found again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fgbench.errors import InputError
from fgbench.protocol import MEDIA, Medium
from fgbench.train.dataset import Items, Places
from fgbench.train.quadruplets import Quadruplets, arrange


@dataclass(frozen=True)
class NoInputs:
    shape = (0,)

    def __len__(self) -> int:
        return 0

    def take(self, places: Places, rng: np.random.Generator | None = None) -> NDArray[np.float32]:
        raise AssertionError("a sampler looks at labels alone")


def items(labels: list[int]) -> Items:
    ids = np.array([f"item{k}" for k in range(len(labels))])
    return Items(ids, np.array(labels), NoInputs())


def some(media: int, seed: int = 0, classes: int = 7) -> dict[Medium, Items]:
    """Each class in each medium, of which there are between 30 and 60 items."""
    rng = np.random.default_rng(seed)
    every = [*range(classes)]
    return {
        medium: items([*every, *rng.integers(0, classes, rng.integers(30, 60)).tolist()])
        for medium in MEDIA[:media]
    }


def seats(found: dict[Medium, list[int]]) -> list[tuple[Medium, int]]:
    """Medium and class of each seat, the media in turn."""
    turns = {medium: iter(of_medium) for medium, of_medium in found.items()}
    total = sum(map(len, found.values()))
    order = [medium for medium in MEDIA if medium in found]
    return [
        (medium, next(turns[medium])) for k in range(total) for medium in [order[k % len(order)]]
    ]


def draw(of_media: dict[Medium, Items], count: int, seed: int = 0) -> list[dict[Medium, Places]]:
    return [dict(step) for step in Quadruplets(count)(of_media, np.random.default_rng(seed))]


def quadruplets(
    of_media: dict[Medium, Items], steps: list[dict[Medium, Places]]
) -> list[list[tuple[Medium, int]]]:
    found = []
    for step in steps:
        row = seats({m: of_media[m].labels[places].tolist() for m, places in step.items()})
        found += [row[start : start + 4] for start in range(0, len(row), 4)]
    return found


def shared(quadruplet: list[tuple[Medium, int]]) -> list[tuple[Medium, int]]:
    counts = Counter(label for _, label in quadruplet)
    return [seat for seat in quadruplet if counts[seat[1]] == 2]


@settings(max_examples=40, deadline=None)
@given(
    media=st.integers(2, 4),
    count=st.integers(1, 9),
    classes=st.integers(3, 9),
    seed=st.integers(0, 99),
)
def test_rules(media: int, count: int, classes: int, seed: int) -> None:
    of_media = some(media, seed, classes)
    steps = draw(of_media, count, seed)
    rows = {tuple(len(places) for places in step.values()) for step in steps}
    assert len(rows) == 1
    for quadruplet in quadruplets(of_media, steps):
        assert sorted(Counter(label for _, label in quadruplet).values()) == [1, 1, 2]
        assert {medium for medium, _ in quadruplet} == set(of_media)
        assert len({medium for medium, _ in shared(quadruplet)}) == 2


def test_any_two_media_share_the_class_equally_often() -> None:
    of_media = {medium: items([*range(5)] * 1200) for medium in MEDIA}
    found = quadruplets(of_media, draw(of_media, 4))
    pairs = Counter(frozenset(medium for medium, _ in shared(q)) for q in found)
    assert len(pairs) == 6
    # 6,000 draws among six pairs: a standard deviation of 29 around 1,000.
    assert all(850 < count < 1150 for count in pairs.values())


def test_classes_come_equally_often() -> None:
    of_media = {medium: items([*range(11)] * 100) for medium in MEDIA}
    found = quadruplets(of_media, draw(of_media, 4))
    as_shared = Counter(shared(q)[0][1] for q in found)
    assert max(as_shared.values()) - min(as_shared.values()) <= 1
    others = Counter(label for q in found for _, label in q) - Counter(
        {label: 2 * count for label, count in as_shared.items()}
    )
    # 2,200 draws among eleven classes: a standard deviation of 13.5 around 200.
    assert all(140 < others[label] < 260 for label in range(11))


def test_items_of_a_class_come_in_turns() -> None:
    of_media = some(4)
    steps = draw(of_media, 4)
    for medium, of_medium in of_media.items():
        uses = Counter(int(place) for step in steps for place in step[medium])
        for label in range(7):
            members = np.flatnonzero(of_medium.labels == label).tolist()
            counts = [uses[place] for place in members]
            assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize(("media", "count"), [(2, 4), (3, 3), (4, 5)])
def test_an_epoch_has_as_many_items_of_the_largest_medium(media: int, count: int) -> None:
    of_media = some(media)
    longest = max(map(len, of_media.values()))
    drawn = sum(len(step[MEDIA[0]]) for step in draw(of_media, count))
    assert longest <= drawn < longest + 4 * count / media


def test_equal_generators_draw_alike_and_others_do_not() -> None:
    def places(seed: int) -> list[list[int]]:
        return [p.tolist() for step in draw(some(4), 4, seed) for p in step.values()]

    assert places(3) == places(3)
    assert places(3) != places(4)


@pytest.mark.parametrize("of_media", [some(1), some(4, classes=2)], ids=["medium", "classes"])
def test_too_few_are_refused(of_media: dict[Medium, Items]) -> None:
    with pytest.raises(InputError, match="FG-Y050"):
        draw(of_media, 4)


def test_a_class_that_a_medium_lacks_is_named() -> None:
    lacking = some(4) | {Medium.AUDIO: items([0, 1, 2, 3, 4, 5] * 9)}
    with pytest.raises(InputError, match=r"no audio item .* has class 6"):
        draw(lacking, 4)


@settings(max_examples=40, deadline=None)
@given(media=st.integers(2, 4), count=st.integers(1, 6), seed=st.integers(0, 99))
def test_arranged_rows_are_the_quadruplets_in_every_role(media: int, count: int, seed: int) -> None:
    of_media = some(media, seed)
    step = draw(of_media, count, seed)[0]
    labels = {m: torch.from_numpy(of_media[m].labels[places]) for m, places in step.items()}
    # Each row says who it is: its medium, its place in the batch, its class.
    rows = {
        m: torch.stack([torch.full_like(y, MEDIA.index(m)), torch.arange(len(y)), y], dim=1)
        for m, y in labels.items()
    }
    found = torch.stack(arrange(rows, labels), dim=1).tolist()
    expected = []
    order = seats({m: list(range(len(y))) for m, y in labels.items()})
    for start in range(0, len(order), 4):
        own = [[MEDIA.index(m), row, int(labels[m][row])] for m, row in order[start : start + 4]]
        expected += [
            [*roles]
            for roles in permutations(own)
            if roles[0][2] == roles[1][2] and len({role[2] for role in roles}) == 3
        ]
    assert sorted(found) == sorted(expected)
    assert len(found) == 4 * count


@pytest.mark.parametrize(
    ("images", "texts"), [([0], [0]), ([0, 1], [2, 3]), ([0, 1], [1, 0]), ([0, 0], [0, 1])]
)
def test_rows_that_are_no_quadruplets_are_refused(images: list[int], texts: list[int]) -> None:
    labels = {Medium.IMAGE: torch.tensor(images), Medium.TEXT: torch.tensor(texts)}
    with pytest.raises(InputError, match="FG-Y052"):
        arrange({medium: y[:, None] for medium, y in labels.items()}, labels)
