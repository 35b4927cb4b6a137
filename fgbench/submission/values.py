"""The numbers of a submission, looked at in blocks of rows: finite, with a direction, or binary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from fgbench.submission.array import StoredArray
from fgbench.submission.faults import Code
from fgbench.submission.findings import EXAMPLES, Findings, quote, several

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Meaning(Enum):
    """What the numbers of an array stand for, and so what they may be."""

    VECTORS = "finite, no row of zeros"
    CODES = "−1 and 1, or 0 and 1"
    SCORES = "finite"


@dataclass(slots=True)
class Tally:
    """Rows at fault in one array: per code how many, and the first few.

    ``lows``: those of −1 and 0 that occur.
    """

    counts: Counter[Code] = field(default_factory=Counter)
    first: dict[Code, list[int]] = field(default_factory=dict)
    lows: set[int] = field(default_factory=set)

    def add(self, code: Code, rows: NDArray[np.intp]) -> None:
        if len(rows):
            self.counts[code] += len(rows)
            shown = self.first.setdefault(code, [])
            shown += rows[: EXAMPLES - len(shown)].tolist()

    def report(
        self, where: str, total: int, ids: NDArray[np.str_] | None, findings: Findings
    ) -> None:
        """Add the faults; rows are named by their ids where these can be read."""
        for code, count in self.counts.items():
            rows = [
                f"row {row:,}" + (f" ({quote(str(ids[row]))})" if ids is not None else "")
                for row in self.first[code]
            ]
            findings.add(code, where, f"{count:,} of {total:,} rows: {several(rows, count)}")


def scan(array: StoredArray, meaning: Meaning, advance: Callable[[int], None]) -> Tally:
    """Look through a matrix as it will be scored, that is in float32. Row numbers count from 0."""
    tally = Tally()
    for first, block in array.blocks():
        with np.errstate(over="ignore"):  # what overflows is among what is looked for
            numbers = block.astype(np.float32, copy=False)
        if meaning is Meaning.CODES:
            tally.lows |= {low for low in (-1, 0) if (numbers == low).any()}
        for code, rows in _refused(numbers, meaning).items():
            tally.add(code, first + rows)
        advance(block.nbytes)
    return tally


def _refused(numbers: NDArray[np.float32], meaning: Meaning) -> dict[Code, NDArray[np.intp]]:
    """For each code, the rows at fault."""
    refused: dict[Code, NDArray[np.intp]] = {}
    finite = np.isfinite(numbers)
    if not finite.all():
        refused[Code.NAN] = np.flatnonzero(np.isnan(numbers).any(axis=1))
        refused[Code.INFINITE] = np.flatnonzero(np.isinf(numbers).any(axis=1))
    if meaning is Meaning.VECTORS:
        refused[Code.ZERO_ROW] = np.flatnonzero(~numbers.any(axis=1))
    if meaning is Meaning.CODES:
        binary = (np.abs(numbers) == 1) | (numbers == 0) | ~finite
        refused[Code.NOT_BINARY] = np.flatnonzero(~binary.all(axis=1))
    return refused
