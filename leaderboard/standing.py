"""How scored entries stand to each other: values, intervals, shared ranks, and every pair's test.

Each ranking is of one convention: in X→All either no query stands in its own gallery, or every
query does. Numbers from papers have no part in it: they come without values by query (``places``).

**What is adjusted.** The tasks of one pair of entries are one family of tests for Holm, its means
another, exactly as in ``fgbench compare``. So the board and the command give one verdict on two
entries, and that verdict does not hang on who else is on the board: nobody is separated, or
shielded, by more entries being handed in. The price: nothing is adjusted over pairs. Of pairs that
are equal in truth, up to one in twenty is separated on some task by chance: of 1,225, the pairs of
50 entries, up to 61. Adjusting over all pairs of a task instead is beyond 10,000 flips: the least p
is 1/10,001, which times the pairs of 33 entries is above .05, so that nothing would ever differ.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fgbench.protocol import Medium, SelfMatch, bimodal_tasks, multimodal_tasks, tasks
from fgbench.scoring.comparison import Row
from fgbench.scoring.significance import FLIPS, PairedTest, Verdict, is_exact, judge
from fgbench.scoring.summary import INCLUDED
from fgbench.scoring.uncertainty import DRAWS, LEVEL, ClusterSums, Interval

from .pairwise import (
    Totals,
    adjust_pairs,
    bound,
    bound_pairs,
    flip_pairs,
    list_measures,
    resample,
    total,
)

Square = tuple[tuple[float, ...], ...]
"""One number for each entry, row, against each entry, column."""


@dataclass(frozen=True, slots=True)
class Position:
    """One entry on one task or mean. ``rank`` is null where the entry is incomplete."""

    entry: str
    map: float
    ci95: tuple[float, float] | None
    rank: int | None


@dataclass(frozen=True, slots=True)
class Matrix:
    """Every entry against every other: row minus column, both in the order of ``entries``.

    ``low`` and ``high`` bound the difference at 95 %, null where undefined; ``p_holm`` is adjusted
    over the tasks, or the means, of the pair.
    """

    entries: tuple[str, ...]
    difference: Square
    low: Square | None
    high: Square | None
    p: Square
    p_holm: Square

    def verdict(self, row: int, column: int) -> Verdict:
        """Verdict.A: the row's entry is better."""
        return judge(self.difference[row][column], self.p_holm[row][column])


@dataclass(frozen=True, slots=True)
class Ranking:
    """One task or mean, best MAP first, then by name.

    A rank is 1 + the number of entries that are significantly better. So entries that no test
    separates share one, and since tests weigh how evenly two differ, not only how much, an entry
    may have a better rank than one with a higher MAP. ``apart``: entries that lack a task of the
    benchmark; they have no rank and count in nobody's.
    """

    measure: str
    queries: int
    positions: tuple[Position, ...]
    apart: tuple[Position, ...]
    matrix: Matrix


@dataclass(frozen=True, slots=True)
class Standing:
    """All rankings of one convention: by task code, then ``bimodal`` and ``multimodal``."""

    self_match: SelfMatch
    rankings: Mapping[str, Ranking]
    species: int
    flips: int
    exact: bool
    draws: int
    seed: int

    @property
    def entries(self) -> tuple[str, ...]:
        """The ranked entries, best bi-modal mean first."""
        return self.rankings["bimodal"].matrix.entries

    def compare(self, a: str, b: str) -> tuple[Row, ...]:
        """Entry ``a`` against ``b``, both ranked: the rows that ``fgbench compare`` gives."""
        return tuple(self._row(ranking, a, b) for ranking in self.rankings.values())

    def _row(self, ranking: Ranking, a: str, b: str) -> Row:
        matrix = ranking.matrix
        i, j = matrix.entries.index(a), matrix.entries.index(b)
        interval = None
        if matrix.low and matrix.high:
            interval = Interval(matrix.low[i][j], matrix.high[i][j], LEVEL, self.draws, self.seed)
        return Row(
            key=ranking.measure,
            a=ranking.positions[i].map,
            b=ranking.positions[j].map,
            test=PairedTest(ranking.queries, matrix.difference[i][j], interval, matrix.p[i][j]),
            p_holm=matrix.p_holm[i][j],
            verdict=matrix.verdict(i, j),
        )


def rank(
    sums: Mapping[str, ClusterSums],
    media: Sequence[Medium],
    *,
    flips: int = FLIPS,
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[SelfMatch, Standing]:
    """Rank entries, given what ``sum_run`` gives of them and the benchmark's media.

    Tests flip the signs of whole species, intervals resample whole species, for all entries alike.
    The order of ``sums`` does not matter.
    """
    conventions = {self_match: _columns(media, self_match) for self_match in SelfMatch}
    totals = total(sums, list_measures(media))
    field = _survey(totals, flips, draws, seed)
    species = totals.values.shape[2]
    exact = is_exact(species, flips)
    return {
        self_match: Standing(
            self_match, _rankings(field, columns), species, flips, exact, draws, seed
        )
        for self_match, columns in conventions.items()
    }


def _columns(
    media: Sequence[Medium], self_match: SelfMatch
) -> dict[str, tuple[str, tuple[str, ...]]]:
    """By measure: the column of its values in that convention, and those of its tasks."""
    mark = INCLUDED if self_match is SelfMatch.INCLUDED else ""
    bimodal = tuple(task.code for task in bimodal_tasks(media))
    multimodal = tuple(task.code + mark for task in multimodal_tasks(media))
    names = (task.code for task in tasks(media))
    return {
        **{name: (key, (key,)) for name, key in zip(names, bimodal + multimodal, strict=True)},
        "bimodal": ("bimodal", bimodal),
        "multimodal": ("multimodal" + mark, multimodal),
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Field:
    """All entries, measured once for all rankings: by column of ``totals``.

    ``ranked``: the numbers of the complete entries, and the order of ``p`` and ``apart`` [2, n, n];
    ``bounds`` [2, entries] are of all. Null where an interval is undefined.
    """

    totals: Totals
    ranked: NDArray[np.intp]
    bounds: Mapping[str, NDArray[np.float64] | None]
    apart: Mapping[str, NDArray[np.float64] | None]
    p: Mapping[str, NDArray[np.float64]]


def _survey(totals: Totals, flips: int, draws: int, seed: int) -> _Field:
    ranked = np.flatnonzero(np.isfinite(totals.maps).all(axis=0))
    drawn = resample(totals, draws=draws, seed=seed)
    p = flip_pairs(totals.values[:, ranked], flips=flips, seed=seed)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:  # sorting works beside Python
        apart = pool.map(lambda d: None if d is None else bound_pairs(d[ranked]), drawn.values())
    return _Field(
        totals=totals,
        ranked=ranked,
        bounds={c: None if d is None else bound(d) for c, d in drawn.items()},
        apart=dict(zip(drawn, apart, strict=True)),
        p=dict(zip(totals.over, p, strict=True)),
    )


def _rankings(
    field: _Field, columns: Mapping[str, tuple[str, tuple[str, ...]]]
) -> dict[str, Ranking]:
    found = {}
    for mean in (False, True):
        family = {m: c for m, (c, keys) in columns.items() if (keys != (c,)) is mean}
        adjusted = adjust_pairs(np.stack([field.p[column] for column in family.values()]))
        for (measure, column), p_holm in zip(family.items(), adjusted, strict=True):
            found[measure] = _ranking(field, measure, column, p_holm)
    return found


def _ranking(field: _Field, measure: str, column: str, p_holm: NDArray[np.float64]) -> Ranking:
    totals, bounds = field.totals, field.bounds[column]
    maps = totals.maps[list(totals.over).index(column)]

    def position(at: int, rank: int | None) -> Position:
        ci95 = None if bounds is None else (float(bounds[0, at]), float(bounds[1, at]))
        return Position(totals.entries[at], float(maps[at]), ci95, rank)

    def best_first(numbers: NDArray[np.intp]) -> list[int]:
        # Entries are in order of name, and equals stay in it.
        return sorted(numbers.tolist(), key=lambda at: float(-maps[at]))

    order = best_first(field.ranked)
    among = np.searchsorted(field.ranked, order)
    apart, pairs = field.apart[column], np.ix_(among, among)
    matrix = Matrix(
        entries=tuple(totals.entries[at] for at in order),
        difference=_square(maps[order][:, None] - maps[order]),
        low=None if apart is None else _square(apart[0][pairs]),
        high=None if apart is None else _square(apart[1][pairs]),
        p=_square(field.p[column][pairs]),
        p_holm=_square(p_holm[pairs]),
    )
    others = np.setdiff1d(np.flatnonzero(np.isfinite(maps)), field.ranked)
    return Ranking(
        measure=measure,
        queries=totals.queries(column),
        positions=tuple(position(at, r) for at, r in zip(order, _ranks(matrix), strict=True)),
        apart=tuple(position(at, None) for at in best_first(others)),
        matrix=matrix,
    )


def _square(values: NDArray[np.float64]) -> Square:
    return tuple(map(tuple, values.tolist()))


def _ranks(matrix: Matrix) -> list[int]:
    size = range(len(matrix.entries))
    return [1 + sum(matrix.verdict(i, j) is Verdict.B for j in size) for i in size]
