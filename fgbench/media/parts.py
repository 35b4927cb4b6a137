"""Parts of items: the regions of a picture, the words of a text, frames, windows of a sound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_SPANS = 25
"""Windows of a sound: as many as a video has frames."""

_BLOCK = 4_096
"""Rows that are copied at a time."""


class Extracted(NamedTuple):
    """What is taken of one item: ``vector`` [d], the item as a whole, and perhaps its k parts.

    ``parts``: vectors [k, p] float32, or the numbers of words [k] int32, from 0; k is 1 or more.
    ``boxes`` [k, 4] float32: left, top, width and height as shares of the picture. ``picture``
    [3, side, side], bytes.
    """

    vector: NDArray[np.float32]
    parts: NDArray[np.float32] | NDArray[np.int32] | None = None
    boxes: NDArray[np.float32] | None = None
    picture: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """What the numbers of words stand for: ``words`` [V], and perhaps a vector of each [V, e]."""

    words: NDArray[np.str_]
    vectors: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ItemParts:
    """The parts of n items, N in all, one item's after another's: ``counts`` [n] say how many.

    ``rows``: vectors [N, p], or the numbers of words [N], from 0. ``boxes`` [N, 4], ``pictures``
    [n, 3, side, side]: as :class:`Extracted` has them. ``vocabulary`` [V] and ``word_vectors``
    [V, e], of words. Arrays of a file that was read lie in it: only what is touched is in memory.
    """

    rows: NDArray[Any]
    counts: NDArray[np.int64]
    boxes: NDArray[Any] | None = None
    pictures: NDArray[np.uint8] | None = None
    vocabulary: NDArray[np.str_] | None = None
    word_vectors: NDArray[np.float32] | None = None

    @property
    def words(self) -> int:
        """How many words there are; 0 where parts are vectors."""
        if self.rows.ndim == 2:
            return 0
        for named in (self.vocabulary, self.word_vectors):
            if named is not None:
                return len(named)
        return int(self.rows.max()) + 1

    def select(self, places: NDArray[np.int64]) -> ItemParts:
        """Those of some items, in that order, in memory: float32, words int32."""
        kept = self.counts[places]
        shifts = np.cumsum(self.counts)[places] - np.cumsum(kept)
        rows = np.arange(kept.sum()) + np.repeat(shifts, kept)
        number = np.int32 if self.rows.ndim == 1 else np.float32
        return replace(
            self,
            rows=_copy(self.rows, rows, number),
            counts=kept,
            boxes=None if self.boxes is None else _copy(self.boxes, rows, np.float32),
            pictures=None if self.pictures is None else self.pictures[places],
        )


def even_spans(length: int, most: int = MOST_SPANS) -> list[slice]:
    """What a sequence is cut into: slices of one length or one more, none of them empty."""
    ends = np.linspace(0, length, min(most, length) + 1).astype(int).tolist()
    return [slice(start, end) for start, end in pairwise(ends)]


def join_extracted(found: Sequence[Extracted]) -> ItemParts | None:
    """The parts of items that one extractor made; None where it makes none."""
    rows = [one.parts for one in found if one.parts is not None]
    if not rows:
        return None
    boxes = [one.boxes for one in found if one.boxes is not None]
    pictures = [one.picture for one in found if one.picture is not None]
    return ItemParts(
        np.concatenate(rows),
        np.array([len(parts) for parts in rows], np.int64),
        np.concatenate(boxes) if boxes else None,
        np.stack(pictures) if pictures else None,
    )


def join_parts(lots: Iterable[ItemParts], vocabulary: Vocabulary | None) -> ItemParts | None:
    """The parts of several lots of items, in memory once; None where there is no lot."""
    rows, last = bytearray(), None  # grows in its place, so that there are never two copies
    counts, boxes, pictures = [], [], []
    for lot in lots:
        rows += np.ascontiguousarray(lot.rows).data.cast("B")
        last = lot.rows
        counts.append(lot.counts)
        if lot.boxes is not None:
            boxes.append(np.array(lot.boxes))
        if lot.pictures is not None:
            pictures.append(np.array(lot.pictures))
    if last is None:
        return None
    return ItemParts(
        np.frombuffer(rows, last.dtype).reshape(-1, *last.shape[1:]),
        np.concatenate(counts),
        np.concatenate(boxes) if boxes else None,
        np.concatenate(pictures) if pictures else None,
        None if vocabulary is None else vocabulary.words,
        None if vocabulary is None else vocabulary.vectors,
    )


def _copy(stored: NDArray[Any], rows: NDArray[np.int64], number: type[Any]) -> NDArray[Any]:
    """Rows of an array in another type, of which no whole copy is made in its own."""
    copied = np.empty((len(rows), *stored.shape[1:]), number)
    for first in range(0, len(rows), _BLOCK):
        copied[first : first + _BLOCK] = stored[rows[first : first + _BLOCK]]
    return copied
