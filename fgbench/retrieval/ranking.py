"""A query's galleries, ranked by what a submission says is similar to what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fgbench.dataset.draw import draw
from fgbench.errors import Fault, FaultyInput
from fgbench.protocol import Calibration, Medium, Task
from fgbench.retrieval.query import Query
from fgbench.scoring.ap import expected_ap
from fgbench.scoring.similarity import (
    BlockSimilarity,
    Floats,
    distinct,
    file_rows,
    numpy_product,
    stacking,
    units,
)
from fgbench.submission import Coverage, Space, Submission
from fgbench.submission.format import pair

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fgbench.benchmark import Benchmark

Gallery = Medium | None
"""None: all media together."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An item that was found. It shares the places ``rank`` to ``rank + ties - 1`` with the
    ``ties`` items of its score, itself among them. ``right``: None where nobody knows."""

    rank: int
    ties: int
    score: float
    medium: Medium
    item_id: str
    right: bool | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """A gallery of ``items``, ``relevant`` of them; the query itself is not among them.

    ``ap`` is that of ``fgbench score``; None where nothing is relevant or nobody knows what is.
    ``measure``: what the scores are. ``hits``: the first, those of one score in an order that is
    drawn by their ids alone.
    """

    gallery: Gallery
    measure: str
    items: int
    relevant: int | None
    ap: float | None
    hits: tuple[Hit, ...]


def rank_galleries(
    submission: Submission,
    benchmark: Benchmark,
    query: Query,
    galleries: Sequence[Gallery],
    top: int,
) -> list[Ranking]:
    """The first ``top`` items of each gallery, which ``check_galleries`` has found to be there.

    What was submitted by pairs of media is merged by z-scores where one list needs more than one
    pair: for all media, and for the query's own.
    """
    stack = _Stack(submission, benchmark)
    if submission.space is Space.COMMON:
        row = _common_row(submission, benchmark, query, stack.media)
        rows: Mapping[Gallery, Floats] = dict.fromkeys(galleries, row)
    else:
        rows = _rows_apart(submission, benchmark, query, galleries, stack)
    return [
        stack.rank(query, gallery, rows[gallery], _measure(submission, query.medium, gallery), top)
        for gallery in galleries
    ]


def check_galleries(
    submission: Submission,
    benchmark: Benchmark,
    coverage: Coverage,
    query: Medium,
    galleries: Sequence[Gallery],
) -> None:
    """Raise ``FaultyInput`` (FG-Q004) with every gallery that the submission cannot rank."""
    faults = []
    if query not in submission.media:
        faults.append(_fault(f"the query, {query}", f"no {query}", submission))
    for gallery in () if faults else galleries:
        lack = coverage.missing.get(Task(query, None if gallery is query else gallery), "")
        if gallery is not None and gallery not in benchmark.media:
            lack = f"no {gallery} in the benchmark {benchmark.id}"
        elif gallery is query and submission.space is Space.COMMON:
            lack = ""
        if lack:
            faults.append(_fault(f"--to {gallery or 'all'}", lack, submission))
    if faults:
        raise FaultyInput("The run cannot answer this query", faults)


def _fault(where: str, found: str, submission: Submission) -> Fault:
    there = ", ".join(submission.media)
    if submission.space is Space.PAIRWISE:
        there = ", ".join("_".join(of) for of in submission.pairs)
    return Fault(
        "FG-Q004",
        where,
        found,
        f"what the submission holds: {there}",
        "ask for other media with --to, or take a run that has these",
    )


class _Stack:
    """All test items, medium after medium in the order in which the scorer stacks galleries."""

    def __init__(self, submission: Submission, benchmark: Benchmark) -> None:
        self.media = stacking(submission, benchmark)
        items = [benchmark.items[medium] for medium in self.media]
        ends = np.cumsum([len(of) for of in items])
        self.bounds = np.stack((np.concatenate(([0], ends[:-1])), ends), axis=1).astype(np.int64)
        self._ids = [item for of in items for item in of.ids.tolist()]
        self._labels = np.concatenate([of.labels for of in items])

    def slice(self, medium: Medium) -> slice:
        return slice(*self.bounds[self.media.index(medium)])

    def rank(self, query: Query, gallery: Gallery, row: Floats, measure: str, top: int) -> Ranking:
        mask = np.zeros(len(row), dtype=bool)
        mask[slice(None) if gallery is None else self.slice(gallery)] = True
        if query.place is not None:
            mask[self.slice(query.medium).start + query.place] = False
        columns = np.flatnonzero(mask)
        scores, label = row[columns], query.entry.label
        relevant = None if label is None else self._labels[columns] == label
        ap = None
        if relevant is not None and relevant.any():
            ap = expected_ap(scores, relevant)
        return Ranking(
            gallery,
            measure,
            len(columns),
            None if relevant is None else int(relevant.sum()),
            ap,
            tuple(
                self._hit(at, columns, scores, relevant) for at in self._first(columns, row, top)
            ),
        )

    def _first(self, columns: NDArray[np.intp], row: Floats, top: int) -> list[int]:
        """The places in ``columns`` of the first: ties at the end of the list are all looked at."""
        scores = row[columns]
        cut = np.sort(scores)[::-1][: min(top, len(scores))]
        chosen = np.flatnonzero(scores >= cut[-1]) if len(cut) else np.empty(0, np.intp)
        return sorted(
            chosen.tolist(),
            key=lambda at: (-scores[at], draw(0, "tie", *self._item(int(columns[at])))),
        )[:top]

    def _hit(
        self,
        at: int,
        columns: NDArray[np.intp],
        scores: Floats,
        relevant: NDArray[np.bool_] | None,
    ) -> Hit:
        return Hit(
            1 + int((scores > scores[at]).sum()),
            int((scores == scores[at]).sum()),
            float(scores[at]),
            *self._item(int(columns[at])),
            None if relevant is None else bool(relevant[at]),
        )

    def _item(self, column: int) -> tuple[Medium, str]:
        slot = int(np.searchsorted(self.bounds[:, 1], column, side="right"))
        return self.media[slot], self._ids[column]


def _common_row(
    submission: Submission, benchmark: Benchmark, query: Query, media: tuple[Medium, ...]
) -> Floats:
    """Similarities of the query to all stacked items [N]."""
    held = {m: submission.embedding(m)[file_rows(submission, benchmark, m)] for m in media}
    columns, expand = distinct(units(np.concatenate([*held.values()]), submission.binary))
    if query.place is not None:
        asked = held[query.medium][query.place]
    else:
        assert query.embedding is not None, "it is from outside"  # noqa: S101
        asked = query.embedding
    row = numpy_product(units(asked[None], submission.binary), columns)[0]
    row = row if expand is None else row[expand]
    return _distances(row, columns.shape[1]) if submission.binary else row


def _rows_apart(
    submission: Submission,
    benchmark: Benchmark,
    query: Query,
    galleries: Sequence[Gallery],
    stack: _Stack,
) -> dict[Gallery, Floats]:
    """For each gallery a row over all stacked items, of which its own columns mean something."""
    assert query.place is not None, "from outside come queries of a common space"  # noqa: S101
    similarity = BlockSimilarity(submission, benchmark, numpy_product)
    first, last = query.place, query.place + 1
    block, _ = similarity.others(query.medium, first, last, stack.bounds)
    merged = {None, query.medium}
    rows: dict[Gallery, Floats] = {g: block[0].copy() for g in galleries if g not in merged}
    for gallery, row in rows.items():
        if submission.binary and gallery is not None:
            width = submission.arrays[*pair(query.medium, gallery), gallery].shape[1]
            rows[gallery] = _distances(row, width)
    if not merged.isdisjoint(galleries):
        similarity.merge(query.medium, first, Calibration.ZROW, stack.bounds, block)
        rows |= dict.fromkeys(merged, block[0])
    return rows


def _distances(row: Floats, width: int) -> Floats:
    """Minus the Hamming distances of codes, from their products."""
    return (row - np.float32(width)) / np.float32(2)


def _measure(submission: Submission, query: Medium, gallery: Gallery) -> str:
    """What the scores of a ranking are, in words."""
    kind = "minus the Hamming distance" if submission.binary else "cosine"
    if submission.space is Space.COMMON:
        return kind
    if submission.space is Space.SCORES:
        kind = "score of the run"
    if gallery in (None, query):
        return f"{kind}, as z-scores of each pair of media: the query's own is in every pair"
    if submission.space is Space.SCORES:
        return f"{kind}, of {query} and {gallery} alone"
    return f"{kind}, in the space of {query} and {gallery} alone"
