"""Who leads a task, and whether the next differs: what a reader wants to know first."""

from __future__ import annotations

from dataclasses import dataclass

from fgbench.published import digits
from fgbench.scoring.significance import Verdict

from .board import Row, Rules, View
from .figures import Pair
from .standing import Ranking


@dataclass(frozen=True, slots=True)
class Lead:
    """The two highest MAPs at a task; ``pair`` tests the first against the second, if it can."""

    measure: str
    first: Row
    second: Row | None
    pair: Pair | None

    def __str__(self) -> str:
        best = f"Highest MAP: {_value(self.first, self.measure)}."
        if self.second is None:
            return best
        best = f"{best} Next: {_value(self.second, self.measure)}."
        if self.pair is None:
            return f"{best} Whether they differ cannot be told: papers print no values by query."
        said = {
            Verdict.A: "The first is significantly better",
            Verdict.NEITHER: "No test separates them",
            Verdict.B: "The second is significantly better",
        }[self.pair.verdict]
        bounds = self.pair.interval
        interval = f" [{bounds[0]:+.3f} {bounds[1]:+.3f}]" if bounds else ""
        return f"{best} {said}: difference {self.pair.difference:+.3f}{interval}, {self._p}."

    @property
    def _p(self) -> str:
        if self.pair is None or self.pair.p < 0.001:
            return "adjusted p < .001"
        return f"adjusted p = {digits(self.pair.p) if self.pair.p < 1 else '1'}"


def find_lead(view: View, measure: str) -> Lead | None:
    """The lead among complete methods at a task or mean; None where there is no method."""
    rows = view.ranked(measure)
    if not rows:
        return None
    if len(rows) == 1:
        return Lead(measure, rows[0], None, None)
    pair = None
    if view.rules is not Rules.PAPER and view.standing is not None:
        pair = paired_tests(view.standing.rankings[measure], 2)[0, 1]
    return Lead(measure, rows[0], rows[1], pair)


def paired_tests(ranking: Ranking, most: int) -> dict[tuple[int, int], Pair]:
    """The paired tests among the first entries of a ranking, by their places in it."""
    matrix = ranking.matrix
    size = min(most, len(matrix.entries))
    return {
        (i, j): Pair(
            matrix.difference[i][j],
            (matrix.low[i][j], matrix.high[i][j]) if matrix.low and matrix.high else None,
            matrix.p_holm[i][j],
        )
        for i in range(size)
        for j in range(i + 1, size)
    }


def _value(row: Row, measure: str) -> str:
    return f"{row.method.name}, {digits(row.cells[measure].value)}"
