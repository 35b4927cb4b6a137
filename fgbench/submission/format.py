"""What a submission is: embeddings in one space, in spaces by pair, or score matrices.

A submission is an ``.npz`` file. Its rows come in any order: ids say what they are. Its numbers
stay in the file; they are brought into memory when they are asked for. docs/submission.md has the
contract for users, ``members`` the names inside the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np

from fgbench.protocol import MEDIA, Medium
from fgbench.submission.array import StoredArray

if TYPE_CHECKING:
    from numpy.typing import NDArray

Pair: TypeAlias = tuple[Medium, Medium]
Key: TypeAlias = tuple[Medium, ...]
"""Names an array: ``(m,)`` in the common space, ``(a, b, m)`` the rows of ``m`` in the space of
the pair ``a, b``, ``(q, g)`` a score matrix."""

Progress: TypeAlias = Callable[[float], None]
"""Called now and then with the part of the work that is done, 0 to 1."""


def pair(one: Medium, other: Medium) -> Pair:
    """The unordered pair of two media: both in the paper's order."""
    first, second = sorted((one, other), key=MEDIA.index)
    return first, second


class Space(StrEnum):
    """How a submission says what is similar to what."""

    COMMON = "common"
    PAIRWISE = "pairwise"
    SCORES = "scores"


@dataclass(frozen=True, slots=True)
class ScoreMatrix:
    """Similarities of every query item (rows) to every gallery item, as the file has them.

    ``transposed``: the file holds gallery × query. The matrix lies on disk and is mapped for each
    call of ``rows``, so that no more than the block asked for is in memory.
    """

    array: StoredArray
    transposed: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = self.array.shape
        return (columns, rows) if self.transposed else (rows, columns)

    def rows(self, index: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float32]:
        """The block [len(index), len(columns)] in float32; both count in the file's order."""
        stored = self.array.map()
        if self.transposed:
            block = stored[np.ix_(columns, index)].T
        else:
            block = stored[np.ix_(index, columns)]
        return np.ascontiguousarray(block, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Submission:
    """A submission without structural faults. ``arrays`` lie on disk until they are asked for.

    ``path`` and ``sha256`` are the file's; ``binary`` marks codes; ``media`` are those present and
    ``pairs`` the unordered pairs of a pairwise submission, both in the paper's order; ``ids`` are
    [n] a medium, rows as in the file; ``meta`` is the method's card; ``notes`` says what was
    accepted though it is unusual. Use it as a context manager, or ``close`` it, to let go of the
    file early; it is let go of in any case when the object goes.
    """

    path: str
    sha256: str
    space: Space
    binary: bool
    media: tuple[Medium, ...]
    ids: Mapping[Medium, NDArray[np.str_]]
    meta: Mapping[str, Any]
    notes: tuple[str, ...]
    pairs: tuple[Pair, ...]
    arrays: Mapping[Key, StoredArray] = field(repr=False)

    def embedding(self, medium: Medium, partner: Medium | None = None) -> NDArray[np.float32]:
        """The rows of ``medium`` as a new [n, d] float32 array, in the file's order.

        Pairwise spaces: in the space of the pair ``{medium, partner}``. Binary codes come as −1
        and +1. Raises ``KeyError`` where the submission has no such rows.
        """
        key: Key = (medium,)
        if partner is not None:
            key = (*pair(medium, partner), medium)
        rows = np.array(self.arrays[key].map(), dtype=np.float32, order="C")
        if self.binary:
            return np.where(rows > 0, np.float32(1), np.float32(-1))
        return rows

    def scores(self, query: Medium, gallery: Medium) -> ScoreMatrix | None:
        """The matrix of a pair of media, or the transpose of its mirror, or None without both."""
        if array := self.arrays.get((query, gallery)):
            return ScoreMatrix(array)
        if array := self.arrays.get((gallery, query)):
            return ScoreMatrix(array, transposed=True)
        return None

    def close(self) -> None:
        """Let go of the file; no array can be read after that."""
        for array in self.arrays.values():
            array.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
