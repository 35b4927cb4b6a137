"""Rows of similarities, one block of queries at a time, never the whole matrix.

The gallery is stacked medium after medium in the authors' order (``PAPER_STACK``), each medium in
the benchmark's own order, whatever the order of rows in the file.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fgbench.protocol import PAPER_STACK, Calibration, Medium
from fgbench.scoring.merge import calibrate
from fgbench.submission import Space, Submission
from fgbench.submission.format import pair

if TYPE_CHECKING:
    from fgbench.benchmark import Benchmark

Floats: TypeAlias = NDArray[np.float32]
Product: TypeAlias = Callable[[Floats, Floats], Floats]
"""``product(a, b)``: a @ b.T in float32."""


def numpy_product(a: Floats, b: Floats) -> Floats:
    result: Floats = a @ b.T
    return result


def torch_product(device: str) -> Product:
    """The product on a torch device, in full float32: TF32 and half precision create ties."""
    try:
        import torch
    except ImportError as error:
        from fgbench.errors import MissingExtra

        raise MissingExtra("torch", "train") from error
    torch.backends.cuda.matmul.allow_tf32 = False
    held: dict[int, tuple[Floats, torch.Tensor]] = {}  # each gallery goes to the device once

    def product(a: Floats, b: Floats) -> Floats:
        if id(b) not in held:
            held[id(b)] = (b, torch.from_numpy(b).to(device))
        found: Floats = (torch.from_numpy(a).to(device) @ held[id(b)][1].T).cpu().numpy()
        return found

    return product


def stacking(submission: Submission, benchmark: Benchmark) -> tuple[Medium, ...]:
    """The media of both, in the order in which their galleries are stacked."""
    return tuple(m for m in PAPER_STACK if m in submission.media and m in benchmark.media)


def file_rows(submission: Submission, benchmark: Benchmark, medium: Medium) -> NDArray[np.intp]:
    """Where in the file each test item of the benchmark stands, in the benchmark's order: [n]."""
    order = np.argsort(submission.ids[medium], kind="stable")
    wanted = benchmark.items[medium].ids
    return order[np.searchsorted(submission.ids[medium], wanted, sorter=order)]


def units(rows: Floats, binary: bool) -> Floats:
    """Rows of length one, normalised in float64; binary codes (±1) as they are.

    Adding zero turns -0 into 0, so that equal rows have equal bytes.
    """
    if binary:
        return np.ascontiguousarray(rows, dtype=np.float32)
    out = np.empty(rows.shape, np.float32)
    for at in range(0, len(rows), 4096):
        part = rows[at : at + 4096].astype(np.float64)
        part /= np.abs(part).max(
            axis=1, keepdims=True
        )  # so that squares neither over- nor underflow
        out[at : at + 4096] = part / np.linalg.norm(part, axis=1, keepdims=True) + 0.0
    return out


def distinct(rows: Floats) -> tuple[Floats, NDArray[np.intp] | None]:
    """The distinct rows, and for each row which it is (None where all differ).

    Equal rows share a column of the product, so that they tie exactly.
    """
    bits = rows.view(np.uint32)
    odd = np.random.default_rng(0).integers(2**63, size=rows.shape[1], dtype=np.uint64) * 2 + 1
    keys = np.concatenate(
        [(bits[a : a + 4096] * odd).sum(axis=1) for a in range(0, len(rows), 4096)]
    )
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    if len(first) == len(rows):
        return rows, None
    if not np.array_equal(rows, rows[first[inverse]]):  # two different rows with one key
        unique, inverse = np.unique(rows, axis=0, return_inverse=True)
        return unique, inverse
    return rows[first], inverse


class CommonSimilarity:
    """One product of all items with all items gives every gallery."""

    def __init__(self, submission: Submission, benchmark: Benchmark, product: Product) -> None:
        media = stacking(submission, benchmark)
        stacked = np.concatenate(
            [submission.embedding(m)[file_rows(submission, benchmark, m)] for m in media]
        )
        self._columns, self.expand = distinct(units(stacked, submission.binary))
        self._product = product

    def rows(self, first: int, last: int) -> Floats:
        """Similarities of the stacked items ``first:last`` to the distinct columns (``expand``)."""
        if self.expand is None:
            return self._product(self._columns[first:last], self._columns)
        return self._product(self._columns[self.expand[first:last]], self._columns)


class BlockSimilarity:
    """Similarities that were learned apart: one block a pair of media, from a space or a matrix."""

    def __init__(self, submission: Submission, benchmark: Benchmark, product: Product) -> None:
        self._submission = submission
        self._product = product
        self._media = stacking(submission, benchmark)
        self._order = {m: file_rows(submission, benchmark, m) for m in self._media}
        self._lock = Lock()
        self._spaces: dict[tuple[Medium, Medium], tuple[Floats, NDArray[np.intp] | None]] = {}

    def others(
        self, query: Medium, first: int, last: int, bounds: NDArray[np.int64]
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """Query items ``first:last`` against the media that they were submitted with.

        A block [b, N] over the stacked gallery, and [M] which media it holds.
        """
        block = np.zeros((last - first, bounds[-1, 1]), np.float32)
        asked = np.zeros(len(self._media), dtype=bool)
        for slot, gallery in enumerate(self._media):
            if gallery is query:
                continue
            found = self._between(query, gallery, first, last)
            if found is not None:
                block[:, slice(*bounds[slot])] = found
                asked[slot] = True
        return block, asked

    def merge(
        self,
        query: Medium,
        first: int,
        calibration: Calibration,
        bounds: NDArray[np.int64],
        block: Floats,
    ) -> bool:
        """Make a full block of ``others`` one X→All list, in place; False where no space has the
        query's own medium. That is the mean over the spaces that do, each calibrated first."""
        within = self._within(query, first, first + len(block))
        if not within:
            return False
        own = np.arange(first, first + len(block))
        for slot, gallery in enumerate(self._media):
            columns = slice(*bounds[slot])
            if gallery is query:
                total = sum(calibrate(found, calibration, own) for found in within)
                block[:, columns] = total / len(within)
            else:
                block[:, columns] = calibrate(block[:, columns], calibration, None)
        return True

    def _between(self, query: Medium, gallery: Medium, first: int, last: int) -> Floats | None:
        if self._submission.space is Space.SCORES:
            return self._scores(query, gallery, first, last)
        if pair(query, gallery) not in self._submission.pairs:
            return None
        return self._cosine((query, gallery), (gallery, query), first, last)

    def _within(self, query: Medium, first: int, last: int) -> list[Floats]:
        if self._submission.space is Space.SCORES:
            found = self._scores(query, query, first, last)
            return [] if found is None else [found]
        partners = [m for m in self._media if m is not query]
        return [self._cosine((query, m), (query, m), first, last) for m in partners]

    def _scores(self, query: Medium, gallery: Medium, first: int, last: int) -> Floats | None:
        matrix = self._submission.scores(query, gallery)
        if matrix is None:
            return None
        block = matrix.rows(self._order[query][first:last], self._order[gallery])
        if (
            np.abs(block).max() > 1e30
        ):  # keep differences of two scores finite; a power of two: exact
            block *= np.float32(2.0**-20)
        return block

    def _space(self, medium: Medium, partner: Medium) -> tuple[Floats, NDArray[np.intp] | None]:
        key = (medium, partner)
        with self._lock:  # several workers ask; one reads
            if key not in self._spaces:
                rows = self._submission.embedding(medium, partner)[self._order[medium]]
                self._spaces[key] = distinct(units(rows, self._submission.binary))
            return self._spaces[key]

    def _cosine(
        self, query: tuple[Medium, Medium], gallery: tuple[Medium, Medium], first: int, last: int
    ) -> Floats:
        """Rows of a medium in the space with a partner, against another's (medium, partner)."""
        rows, inverse = self._space(*query)
        asked = rows[first:last] if inverse is None else rows[inverse[first:last]]
        columns, expand = self._space(*gallery)
        block = self._product(asked, columns)
        return block if expand is None else block[:, expand]
