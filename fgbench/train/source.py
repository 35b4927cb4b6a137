"""The data set of a benchmark, with features or media as inputs, and a part held out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fgbench.benchmark import DEFAULT
from fgbench.dataset.draw import draw
from fgbench.errors import Fault, FaultyInput, InputError
from fgbench.media.features import Features, read_folder
from fgbench.media.listing import Listed, Listing, read_listing
from fgbench.media.preset import PAPER, Preset
from fgbench.protocol import Medium
from fgbench.train.dataset import Dataset, Inputs, Items, Places
from fgbench.train.inputs import FeatureInputs, MediaInputs, Part, PartInputs

Note = Callable[[str], None]
"""Takes a sentence that the user should know of."""


def dataset(
    benchmark: str | Path = DEFAULT,
    features: str | Path | None = None,
    media_root: Path | None = None,
    split_column: str | None = None,
    preset: Preset = PAPER,
    note: Note = lambda text: None,
    *,
    parts: bool = False,
) -> Dataset:
    """The training and test items of a benchmark, with their inputs.

    A medium without training items is left out. ``features``: a folder of feature files, or its
    fsspec URL; a medium without a file is left out too; ``parts``: with the parts of its items
    where the file has them, which are not read else. Without ``features`` media are decoded as
    ``preset`` says; ``media_root`` is a build's own folder unless given. Each side is in the order
    of the manifests.
    ``note`` is told what is left out.

    Raises ``FaultyInput`` with all faults: of the benchmark (FG-B…, FG-D…, FG-F060), of feature
    files (``read_folder``), classes without items of a medium (FG-F061, FG-F062); ``InputError``
    where there is nothing to take inputs from (FG-F063), nothing to learn from (FG-F064) or only
    one medium (FG-F065). Faults of media (FG-M…) come when they are taken.
    """
    listing = read_listing(benchmark, media_root, split_column)
    media = [medium for medium, listed in listing.train.items() if listed.items]
    if not media:
        raise InputError(
            "FG-F064",
            f"the benchmark {benchmark} lists no training item",
            why="There is nothing to learn from.",
            fix="See to its split: --split-column names another column.",
        )
    for medium in listing.train:
        if medium not in media:
            note(f"no training item of {medium}: {medium} is left out")
    if features:
        inputs = _read_features(listing, media, features, note, parts)
    else:
        inputs = _media(listing, media, preset)
    if len(inputs) < 2:
        raise InputError(
            "FG-F065",
            f"{next(iter(inputs))} is the only medium with training items and inputs",
            why="Cross-media retrieval asks in one medium and finds in another.",
            fix="Add a second medium.",
        )
    train = {medium: listing.train[medium] for medium in inputs}
    test = {medium: listing.test[medium] for medium in inputs}
    classes = np.unique(np.concatenate([listed.labels for listed in train.values()]))
    if faults := _classes_without_items(train, test, listing.left_out):
        raise FaultyInput(f"The benchmark {benchmark} cannot be trained on", faults)
    return Dataset(
        {m: _items(listed, classes, inputs[m][0]) for m, listed in train.items()},
        {m: _items(listed, classes, inputs[m][1]) for m, listed in test.items()},
        len(classes),
    )


def hold_out(data: Dataset, share: float = 0.2, seed: int = 0) -> Dataset:
    """A data set whose test items are a share of the training items of each class and medium.

    For choosing sizes and scores without the test items, which are not in it. Of a class with two
    or more items at least one stays and at least one goes; items are drawn by their ids, so that
    other items change nothing. Item by item: a recording may be on both sides.
    """
    if not 0 < share < 1:
        raise ValueError(f"share is {share}, not between 0 and 1")
    train, test = {}, {}
    for medium, items in data.train.items():
        held = np.zeros(len(items), dtype=bool)
        order = np.argsort([draw(seed, "hold out", item) for item in items.ids.tolist()])
        for label in np.unique(items.labels):
            mine = order[items.labels[order] == label]
            count = min(max(round(share * len(mine)), 1), len(mine) - 1)
            held[mine[:count]] = True
        train[medium] = _part(items, np.flatnonzero(~held))
        test[medium] = _part(items, np.flatnonzero(held))
    return Dataset(train, test, data.classes)


def _part(items: Items, places: Places) -> Items:
    whole = items.inputs
    inputs = whole.only(places) if isinstance(whole, PartInputs) else Part(whole, places)
    return Items(items.ids[places], items.labels[places], inputs)


def _items(listed: Listed, classes: NDArray[np.int64], inputs: Inputs) -> Items:
    return Items(listed.ids, np.searchsorted(classes, listed.labels), inputs)


def _read_features(
    listing: Listing, media: Sequence[Medium], folder: str | Path, note: Note, parts: bool
) -> dict[Medium, tuple[Inputs, Inputs]]:
    """The inputs of training and of test, by medium."""
    wanted = {
        medium: np.concatenate((listing.train[medium].ids, listing.test[medium].ids))
        for medium in media
    }
    read = read_folder(folder, wanted, parts=parts)
    for text in read.notes:
        note(text)
    return {
        medium: _split(found, len(listing.train[medium].items))
        for medium, found in read.features.items()
    }


def _split(found: Features, training: int) -> tuple[Inputs, Inputs]:
    """The first ``training`` items, and the others; of both sides the longest has room in each."""
    parts = found.parts
    if parts is None:
        return FeatureInputs(found.rows[:training]), FeatureInputs(found.rows[training:])
    first = int(parts.counts[:training].sum())
    rows = parts.rows + np.int64(1) if parts.words else parts.rows  # 0 is where no word is
    longest = int(parts.counts.max())

    def take(items: slice, at: slice) -> PartInputs:
        return PartInputs(
            found.rows[items],
            rows[at],
            parts.counts[items],
            longest,
            parts.words,
            None if parts.boxes is None else parts.boxes[at],
            None if parts.pictures is None else parts.pictures[items],
            parts.word_vectors,
        )

    return (
        take(slice(training), slice(first)),
        take(slice(training, None), slice(first, None)),
    )


def _media(
    listing: Listing, media: Sequence[Medium], preset: Preset
) -> dict[Medium, tuple[Inputs, Inputs]]:
    if listing.media_root is None:
        raise InputError(
            "FG-F063",
            "neither features nor media are given",
            why="The benchmark is no build's folder, which would hold its media.",
            fix="Name --features, a folder of feature files, or --media-root.",
        )
    return {
        medium: (
            MediaInputs(listing.train[medium].items, medium, preset),
            MediaInputs(listing.test[medium].items, medium, preset),
        )
        for medium in media
    }


def _classes_without_items(
    train: Mapping[Medium, Listed],
    test: Mapping[Medium, Listed],
    left_out: Mapping[Medium, frozenset[int]],
) -> list[Fault]:
    """Classes that cannot be learnt in a medium, unless the benchmark declares it."""
    faults = []
    every = set(np.concatenate([listed.labels for listed in train.values()]).tolist())
    for medium, listed in train.items():
        held = set(listed.labels.tolist())
        if lost := sorted(every - held - left_out.get(medium, frozenset())):
            faults.append(
                Fault(
                    "FG-F061",
                    f"training items of {medium}",
                    f"none of {_count(lost)}, which other media have",
                    "training items of every class in every medium",
                    "add items, take the class out of training in the other media, or declare it "
                    "in benchmark.json: left_out",
                )
            )
        if unlearnt := sorted(set(test[medium].labels.tolist()) - every):
            faults.append(
                Fault(
                    "FG-F062",
                    f"test items of {medium}",
                    f"{_count(unlearnt)}, of which no medium has a training item",
                    "tests of classes that are trained on",
                    "see to the split: --split-column names another column",
                )
            )
    return faults


def _count(labels: list[int]) -> str:
    shown = ", ".join(map(str, labels[:5]))
    more = f" and {len(labels) - 5:,} more" if len(labels) > 5 else ""
    return f"label{'s' if len(labels) > 1 else ''} {shown}{more}"
