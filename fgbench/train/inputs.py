"""The inputs of items: features that lie in memory, media that are decoded when they are taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgbench.media.faults import gather
from fgbench.media.item import Loaded, MediaItem, attempt, load
from fgbench.media.preset import Preset
from fgbench.protocol import Medium
from fgbench.train.dataset import Inputs, Parts, Places


@dataclass(frozen=True, slots=True, eq=False)
class FeatureInputs:
    """``rows`` [n, d] float32. Nothing is drawn for training."""

    rows: NDArray[np.float32]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.rows.shape[1:]

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, places: Places, rng: np.random.Generator | None = None) -> NDArray[np.float32]:
        return self.rows[places]


@dataclass(frozen=True, slots=True, eq=False)
class PartInputs:
    """Items with their parts, in memory. Nothing is drawn for training.

    ``vectors`` [n, v] float32. ``parts``: of all items one after the other, vectors [N, d] float32
    or numbers of words [N] int64, from 1; ``counts`` [n] int64, their sum N. ``boxes`` [N, 4] and
    ``pictures`` [n, 3, side, side] as :class:`Parts` has them. ``longest``: how many parts the
    arrays that are taken have room for. ``words``: how many numbers of words there are, 0 itself
    not counted; 0 of vectors. ``word_vectors`` [words, e]: of word 1, 2, …, to start from.
    """

    vectors: NDArray[np.float32]
    parts: NDArray[Any]
    counts: NDArray[np.int64]
    longest: int
    words: int = 0
    boxes: NDArray[np.float32] | None = None
    pictures: NDArray[np.uint8] | None = None
    word_vectors: NDArray[np.float32] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.longest, (1 if self.words else self.parts.shape[1])

    def __len__(self) -> int:
        return len(self.vectors)

    def take(self, places: Places, rng: np.random.Generator | None = None) -> Parts:
        starts = np.cumsum(self.counts) - self.counts
        at = np.arange(self.longest)
        there = at < self.counts[places][:, None]
        rows = np.where(there, starts[places][:, None] + at, 0)
        return Parts(
            self.vectors[places],
            _padded(self.parts, rows, there),
            self.counts[places],
            None if self.boxes is None else _padded(self.boxes, rows, there),
            None if self.pictures is None else self.pictures[places],
        )

    def only(self, places: Places) -> PartInputs:
        """Some of the items, in that order, with room as before."""
        starts = np.cumsum(self.counts) - self.counts
        spans = zip(starts[places], self.counts[places], strict=True)
        rows = np.concatenate([np.arange(0), *(np.arange(at, at + n) for at, n in spans)])
        return replace(
            self,
            vectors=self.vectors[places],
            parts=self.parts[rows],
            counts=self.counts[places],
            boxes=None if self.boxes is None else self.boxes[rows],
            pictures=None if self.pictures is None else self.pictures[places],
        )


def as_vectors(inputs: Inputs) -> Inputs:
    """Without the parts, if there are any."""
    return FeatureInputs(inputs.vectors) if isinstance(inputs, PartInputs) else inputs


def _padded(array: NDArray[Any], rows: NDArray[np.int64], there: NDArray[np.bool_]) -> NDArray[Any]:
    """The rows [b, n, …] of an array, zeros where none is there."""
    padded: NDArray[Any] = array[rows]
    padded[~there] = 0
    return padded


@dataclass(frozen=True, slots=True, eq=False)
class MediaInputs:
    """Items of one medium, decoded as ``preset`` says whenever they are taken.

    Bytes [b, 3, side, side] of images and audios and, with ``rng``, of one drawn frame a video;
    [b, 25, 3, side, side] of whole videos, the frames of a shorter one repeated evenly; indices
    [b, 448] of texts.
    """

    items: Sequence[MediaItem]
    medium: Medium
    preset: Preset

    @property
    def shape(self) -> tuple[int, ...]:
        if self.medium is Medium.TEXT:
            return (self.preset.text.length,)
        framing = self.preset.audio.framing if self.medium is Medium.AUDIO else self.preset.image
        picture = (3, framing.crop, framing.crop)
        return (_frames(), *picture) if self.medium is Medium.VIDEO else picture

    def __len__(self) -> int:
        return len(self.items)

    def take(self, places: Places, rng: np.random.Generator | None = None) -> NDArray[Any]:
        """Raises ``FaultyInput`` (FG-M…) with every one of these items that cannot be used."""
        load_one = partial(self._load, rng=rng)
        chosen = (self.items[place] for place in places.tolist())
        return np.stack(gather(attempt(load_one, item) for item in chosen))

    def _load(self, item: MediaItem, rng: np.random.Generator | None) -> Loaded:
        if self.medium is not Medium.VIDEO:
            return load(item, self.preset, rng)
        if rng is not None:
            return self._load_frame(item, rng)
        frames = load(item, self.preset)
        whole: Loaded = frames[np.rint(np.linspace(0, len(frames) - 1, _frames())).astype(int)]
        return whole

    def _load_frame(self, item: MediaItem, rng: np.random.Generator) -> Loaded:
        """One frame of a video, each as likely; of a folder of frames no other file is read."""
        from fgbench.media.image import load_image
        from fgbench.media.video import frame_files

        if item.path is not None and (files := frame_files(item.path)):
            return load_image(files[rng.integers(len(files))], self.preset.image, rng)
        frames = load(item, self.preset, rng)
        drawn: Loaded = frames[rng.integers(len(frames))]
        return drawn


def _frames() -> int:
    """How many a whole video has; from where videos are decoded, which needs PyAV."""
    from fgbench.collect.local.frames import COUNT

    return COUNT


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some of the inputs: those at ``places``, in that order."""

    whole: Inputs
    places: Places

    @property
    def shape(self) -> tuple[int, ...]:
        return self.whole.shape

    def __len__(self) -> int:
        return len(self.places)

    def take(self, places: Places, rng: np.random.Generator | None = None) -> Any:
        return self.whole.take(self.places[places], rng)
