"""The inputs of items: features that lie in memory, media that are decoded when they are taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgbench.media.faults import gather
from fgbench.media.item import Loaded, MediaItem, attempt, load
from fgbench.media.preset import Preset
from fgbench.protocol import Medium
from fgbench.train.dataset import Inputs, Places


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

    def take(self, places: Places, rng: np.random.Generator | None = None) -> NDArray[Any]:
        return self.whole.take(self.places[places], rng)
