"""What comes together: rules of class pairing by counting."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbench.errors import InputError
from fgbench.protocol import MEDIA, Medium
from fgbench.train.dataset import Items
from fgbench.train.pairing import ClassPairs, pair_classes

sizes = st.lists(
    st.lists(st.integers(1, 6), min_size=1, max_size=4), min_size=1, max_size=6
).filter(lambda of: len({len(counts) for counts in of}) == 1)


def labels_of(counts, seed=0):
    """``counts[c][m]`` items of class c in medium m, in random order."""
    rng = np.random.default_rng(seed)
    media = MEDIA[: len(counts[0])]
    return {
        medium: rng.permutation(np.repeat(np.arange(len(counts)), [row[at] for row in counts]))
        for at, medium in enumerate(media)
    }


def items_of(labels):
    return {m: Items(np.arange(len(y)).astype(str), y, None) for m, y in labels.items()}


@settings(max_examples=60, deadline=None)
@given(sizes, st.integers(0, 1000))
def test_rows_are_of_one_class_and_each_class_has_as_many_as_its_largest_medium(counts, seed):
    labels = labels_of(counts, seed)
    paired = pair_classes(labels, np.random.default_rng(seed))
    classes = {m: labels[m][places] for m, places in paired.items()}
    first = classes[Medium.IMAGE]
    assert all(np.array_equal(first, other) for other in classes.values())
    assert Counter(first.tolist()) == {c: max(row) for c, row in enumerate(counts)}


@settings(max_examples=60, deadline=None)
@given(sizes, st.integers(0, 1000))
def test_each_item_comes_as_often_as_others_of_its_class_or_once_more(counts, seed):
    labels = labels_of(counts, seed)
    for medium, places in pair_classes(labels, np.random.default_rng(seed)).items():
        for c in range(len(counts)):
            often = Counter(places[labels[medium][places] == c].tolist())
            assert len(often) == (labels[medium] == c).sum()
            assert max(often.values()) - min(often.values()) <= 1


def test_pairs_differ_from_epoch_to_epoch_and_agree_for_equal_generators():
    labels = labels_of([[5, 3]] * 4)

    def drawn(seed):
        paired = pair_classes(labels, np.random.default_rng(seed))
        return sorted(zip(*(places.tolist() for places in paired.values()), strict=True))

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_partners_are_drawn_evenly():
    labels = {Medium.IMAGE: np.zeros(3, np.int64), Medium.TEXT: np.zeros(3, np.int64)}
    rng = np.random.default_rng(0)
    met = Counter()
    for _ in range(3000):
        paired = pair_classes(labels, rng)
        met.update(zip(*(places.tolist() for places in paired.values()), strict=True))
    # Each of nine pairs comes 1,000 times of 3,000: a standard deviation of 26.
    assert len(met) == 9
    assert max(abs(often - 1000) for often in met.values()) < 130


@settings(max_examples=60, deadline=None)
@given(sizes, st.integers(1, 9), st.integers(0, 1000))
def test_steps_have_equal_rows_and_an_epoch_misses_no_item(counts, rows, seed):
    labels = labels_of(counts, seed)
    steps = list(ClassPairs(rows)(items_of(labels), np.random.default_rng(seed)))
    total = sum(map(max, counts))
    assert len(steps) == -(-total // min(rows, total))
    assert {len(places) for step in steps for places in step.values()} == {min(rows, total)}
    for medium, y in labels.items():
        assert set(np.concatenate([step[medium] for step in steps])) == set(range(len(y)))
        for step in steps:
            assert np.array_equal(y[step[medium]], labels[Medium.IMAGE][step[Medium.IMAGE]])


@settings(max_examples=60, deadline=None)
@given(sizes, st.integers(1, 12), st.integers(1, 8), st.integers(0, 1000))
def test_balanced_steps_have_their_number_of_classes_with_equal_rows(counts, rows, classes, seed):
    labels = labels_of(counts, seed)
    steps = list(ClassPairs(rows, classes)(items_of(labels), np.random.default_rng(seed)))
    total = sum(map(max, counts))
    expected = min(classes, len(counts), rows, total)
    for step in steps:
        of_step = {m: labels[m][places] for m, places in step.items()}
        assert all(np.array_equal(of_step[Medium.IMAGE], y) for y in of_step.values())
        often = Counter(of_step[Medium.IMAGE].tolist())
        assert len(often) == expected
        assert max(often.values()) - min(often.values()) <= 1
    assert len(steps) == -(-total // min(rows, total))


def test_balanced_classes_come_equally_often_whatever_their_size():
    labels = labels_of([[30, 2], [1, 2], [1, 1], [1, 1], [1, 1]])
    often = Counter()
    sampler = ClassPairs(rows=2, classes=2)
    rng = np.random.default_rng(0)
    for _ in range(30):
        for step in sampler(items_of(labels), rng):
            often.update(labels[Medium.IMAGE][step[Medium.IMAGE]].tolist())
    assert max(often.values()) - min(often.values()) < 0.1 * min(often.values())


def test_a_class_that_a_medium_lacks_makes_no_rows():
    labels = {Medium.IMAGE: np.array([0, 1, 3, 1]), Medium.AUDIO: np.array([2, 1])}
    paired = pair_classes(labels, np.random.default_rng(0))
    assert sorted(paired[Medium.IMAGE].tolist()) == [1, 3]
    assert paired[Medium.AUDIO].tolist() == [1, 1]


def test_media_without_a_common_class_are_named():
    labels = {Medium.IMAGE: np.array([0, 1]), Medium.AUDIO: np.array([2])}
    with pytest.raises(InputError, match=r"FG-Y040.*image, audio"):
        pair_classes(labels, np.random.default_rng(0))
