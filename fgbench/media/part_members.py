"""The members of a feature file that hold the parts of items: read with care, and written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from fgbench.errors import Fault
from fgbench.media.parts import ItemParts
from fgbench.submission.array import Header, StoredArray
from fgbench.submission.faults import Code
from fgbench.submission.findings import EXAMPLES, Findings, several
from fgbench.submission.ids import read_ids
from fgbench.submission.npz import Npz
from fgbench.submission.shapes import MAX_ITEMS, MAX_WIDTH, is_list
from fgbench.submission.values import Meaning, scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARTS, WORDS, COUNTS, BOXES, PICTURES = "parts", "words", "counts", "boxes", "pictures"
VOCABULARY, WORD_VECTORS = "vocabulary", "word_vectors"

MOST_PARTS = 20_000_000
"""Of all items of a file."""
SIDES = range(8, 513)
"""Pixels that pictures may have a side."""

_SLACK = 1e-3
"""What boxes may reach beyond the picture, by rounding."""


def has_parts(npz: Npz) -> bool:
    """Whether a file says that its items have parts."""
    return PARTS in npz.names or WORDS in npz.names


def write_parts(parts: ItemParts) -> Iterator[tuple[str, NDArray[Any]]]:
    """The members of a file, in their order."""
    number, name = (np.int32, WORDS) if parts.rows.ndim == 1 else (np.float32, PARTS)
    yield name, np.ascontiguousarray(parts.rows, number)
    yield COUNTS, np.ascontiguousarray(parts.counts, np.int64)
    if parts.boxes is not None:
        yield BOXES, np.ascontiguousarray(parts.boxes, np.float32)
    if parts.pictures is not None:
        yield PICTURES, parts.pictures
    if parts.vocabulary is not None:
        yield VOCABULARY, parts.vocabulary
    if parts.word_vectors is not None:
        yield WORD_VECTORS, np.ascontiguousarray(parts.word_vectors, np.float32)


class PartReader:
    """Reads the parts of ``items`` items; what is wrong goes to ``findings`` and ``faults``.

    ``items``: None where the file does not say. ``faults``: those that only parts can have,
    FG-F080 to FG-F083, their ``where`` a member.
    """

    def __init__(self, npz: Npz, items: int | None, findings: Findings) -> None:
        self._npz, self._items, self._findings = npz, items, findings
        self.faults: list[Fault] = []

    def read(self) -> ItemParts | None:
        """The parts, or None where there is any fault. Numbers are looked at, not copied."""
        self._check_names()
        words = WORDS in self._npz.names
        rows = self._numbers(WORDS) if words else self._vectors(PARTS)
        counts = self._counts(None if rows is None else len(rows))
        boxes = self._boxes(None if rows is None else len(rows))
        pictures = self._pictures()
        vocabulary = self._strings(VOCABULARY) if words else None
        vectors = self._vectors(WORD_VECTORS) if words else None
        if self._findings or self.faults or rows is None or counts is None:
            return None
        parts = ItemParts(rows, counts, boxes, pictures, vocabulary, vectors)
        self._check_words(parts)
        return None if self._findings or self.faults else parts

    def _check_names(self) -> None:
        names = self._npz.names
        if COUNTS not in names:
            there = WORDS if WORDS in names else PARTS
            self._findings.add(
                Code.MISSING_MEMBER,
                "the file",
                f"{there!r}, but no {COUNTS!r}",
                expected=f"{COUNTS!r}: how many parts each item has",
                fix=f"write {COUNTS} [n], whole numbers whose sum is the rows of {there}",
            )
        for one, other in ((PARTS, WORDS), (BOXES, WORDS)):
            if one in names and other in names:
                self._fault(
                    "FG-F082",
                    "the file",
                    f"both {one!r} and {other!r}",
                    "parts that are vectors, as of regions, which may have boxes; or words",
                    "leave one of them out",
                )

    def _fault(self, code: str, where: str, found: str, expected: str, fix: str) -> None:
        self.faults.append(Fault(code, where, found, expected, fix))

    def _array(self, name: str, kinds: str, axes: int, expected: str) -> StoredArray | None:
        """A member of such a type (kinds of NumPy) with so many axes, and none of them 0 long."""
        header: Header | None = self._npz.headers.get(name)
        if header is None:
            return None
        number = header.dtype.kind in kinds and header.dtype.itemsize <= 8
        if not number:
            self._findings.add(Code.TYPE, name, f"{header.dtype}", expected=expected, fix=expected)
        elif len(header.shape) != axes:
            found = f"shape {header.shape}"
            self._findings.add(Code.DIMENSIONS, name, found, expected=expected, fix=expected)
        elif not all(header.shape) or header.shape[0] > MOST_PARTS:
            found, bounds = f"shape {header.shape}", f"1 to {MOST_PARTS:,} rows"
            self._findings.add(Code.NO_ROWS, name, found, expected=bounds, fix=bounds)
        else:
            return self._npz.array(name)
        return None

    def _vectors(self, name: str) -> NDArray[Any] | None:
        array = self._array(name, "fiu", 2, "vectors: float32, one row each")
        if array is None:
            return None
        if array.shape[1] > MAX_WIDTH:
            self._findings.add(Code.WIDTH, name, f"shape {array.shape}")
            return None
        tally = scan(array, Meaning.SCORES, lambda count: None)
        tally.report(name, array.shape[0], None, self._findings)
        return None if tally.counts else array.map()

    def _numbers(self, name: str) -> NDArray[Any] | None:
        array = self._array(name, "iu", 1, "a list of whole numbers")
        return None if array is None else array.map()

    def _counts(self, rows: int | None) -> NDArray[np.int64] | None:
        stored = self._numbers(COUNTS)
        if stored is None:
            return None
        if not self._is_one_each(COUNTS, len(stored)):
            return None
        few = np.flatnonzero((stored < 1) | (stored > MOST_PARTS))
        if len(few):
            shown = several([f"row {at:,}: {stored[at]}" for at in few[:EXAMPLES]], len(few))
            fix = "leave out an item without parts, or give it one: the item as a whole"
            self._fault("FG-F080", COUNTS, shown, "1 or more parts of each item", fix)
            return None
        counts = np.array(stored, np.int64)
        if rows is not None and counts.sum() != rows:
            found = f"a sum of {counts.sum():,} for {rows:,} rows"
            fix = "write parts and counts from the same loop"
            self._fault("FG-F080", COUNTS, found, "as many as there are rows", fix)
        return counts

    def _is_one_each(self, name: str, count: int) -> bool:
        if self._items in (None, count):
            return True
        found = f"{count:,} for {self._items:,} ids"
        self._findings.add(Code.ROWS, name, found, expected="one for each id")
        return False

    def _boxes(self, rows: int | None) -> NDArray[Any] | None:
        shares = "left, top, width and height as shares of the picture, 0 to 1"
        array = self._array(BOXES, "f", 2, shares) if WORDS not in self._npz.names else None
        if array is None:
            return None
        if array.shape[1] != 4:
            found = f"shape {array.shape}"
            self._findings.add(Code.WIDTH, BOXES, found, expected=shares, fix=shares)
            return None
        if rows is not None and array.shape[0] != rows:
            found = f"{array.shape[0]:,} for {rows:,} rows of {PARTS}"
            self._findings.add(Code.ROWS, BOXES, found, expected="one for each part")
        places = []
        for first, block in array.blocks():
            ends = block[:, :2] + block[:, 2:]
            sound = (block >= -_SLACK).all(axis=1) & (ends <= 1 + _SLACK).all(axis=1)  # not NaN
            places.append(first + np.flatnonzero(~sound))
        if len(amiss := np.concatenate(places)):
            shown = several([f"row {row:,}" for row in amiss[:EXAMPLES]], len(amiss))
            fix = "divide pixels by the picture's width and height, and cut off what is outside"
            self._fault("FG-F083", BOXES, shown, shares, fix)
        return array.map()

    def _pictures(self) -> NDArray[np.uint8] | None:
        bytes_of = "bytes: uint8 [items, 3, side, side]"
        array = self._array(PICTURES, "u", 4, bytes_of)
        if array is None:
            return None
        if array.dtype.itemsize > 1:
            self._findings.add(Code.TYPE, PICTURES, f"{array.dtype}", expected=bytes_of)
            return None
        count, colours, height, width = array.shape
        self._is_one_each(PICTURES, count)
        if colours != 3 or height != width or width not in SIDES:
            sides = f"{bytes_of}, a side of {SIDES[0]} to {SIDES[-1]}"
            found = f"shape {array.shape}"
            self._findings.add(Code.DIMENSIONS, PICTURES, found, expected=sides, fix=sides)
        return array.map()

    def _strings(self, name: str) -> NDArray[np.str_] | None:
        header = self._npz.headers.get(name)
        if header is None or not is_list(name, header, self._findings):
            return None
        return read_ids(self._npz, name, self._findings)

    def _check_words(self, parts: ItemParts) -> None:
        """Every number has a word, and every word a vector if any has."""
        if parts.rows.ndim == 2:
            return
        vectors, vocabulary = parts.word_vectors, parts.vocabulary
        if vectors is not None and vocabulary is not None and len(vectors) != len(vocabulary):
            found = f"{len(vectors):,} for {len(vocabulary):,} words"
            expected = f"one for each word of {VOCABULARY}"
            self._findings.add(Code.ROWS, WORD_VECTORS, found, expected=expected)
        most = min(max(parts.words, 1), MAX_ITEMS)
        amiss = np.flatnonzero((parts.rows < 0) | (parts.rows >= most))
        if len(amiss):
            shown = [f"row {row:,}: {parts.rows[row]}" for row in amiss[:EXAMPLES]]
            self._fault(
                "FG-F081",
                WORDS,
                several(shown, len(amiss)),
                f"numbers from 0 to {most - 1:,}: places in {VOCABULARY}",
                f"number the words from 0, and write every word in {VOCABULARY}",
            )
