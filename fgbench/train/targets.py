"""What a printed table asks of our methods, and when a figure of ours agrees with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from fgbench.published import PublishedMethod, Value, find, published


class PrintedTable(StrEnum):
    """A table of results in the benchmark's paper (He, Peng, Xie, ACM MM 2019)."""

    TABLE3 = "table3"
    """Bi-modal retrieval: twelve tasks."""
    TABLE4 = "table4"
    """Retrieval from all media: four tasks."""
    TABLE5 = "table5"
    """FGCrossNet's ablation, on the twelve."""

    @property
    def heading(self) -> str:
        """As the paper and ``published.csv`` call it."""
        return f"Table {self.value[-1]}"


class Verdict(StrEnum):
    """How a figure of ours stands to a printed one: :data:`RULE`."""

    WITHIN = "within"
    ABOVE = "above"
    BELOW = "below"
    NO_TARGET = "no target"
    NOT_COMPARABLE = "not comparable"
    NOT_MEASURED = "not measured"


RULE = (
    "Within: the printed number, given back what rounding took, meets our 95 % interval. Above, "
    "below: our whole interval lies above it, or below it. No target: the source's own columns are "
    "probably exchanged. Not comparable: the reason is stated. Not measured: there is no run that "
    "has the task. Intervals are drawn over species, on the mean over seeds; what seeds do to a "
    "score is not in them and is given beside them."
)
"""The rule of the verdicts, in words; :func:`judge` is the same in code."""

ABLATION: Mapping[str, Mapping[str, str]] = {
    "fgcrossnet-cls": {"constraint": "classification"},
    "fgcrossnet-cls-center": {"constraint": "center"},
    "fgcrossnet": {},
}
"""Table 5's rows, in its order: key of the published method, and FGCrossNet's other choices."""

_NO_TARGET = "columns-swapped"
_TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True)
class Target:
    """A row of a printed table. ``printed``: by task code or name of a mean; ``baseline``: the
    method of ours that is to reach it, with ``settings``.
    """

    key: str
    name: str
    baseline: str
    settings: Mapping[str, str]
    printed: Mapping[str, Value]


def targets(table: PrintedTable) -> tuple[Target, ...]:
    """The rows of the table, in its order."""
    if table is PrintedTable.TABLE5:
        return tuple(
            _target(find(key), _bimodal(find(key)), "fgcrossnet", settings)
            for key, settings in ABLATION.items()
        )
    rows = ((m, _of_table(m, table)) for m in published())
    return tuple(_target(m, printed, m.key, {}) for m, printed in rows if printed)


def judge(printed: Value, interval: tuple[float, float], obstacle: str = "") -> Verdict:
    """The verdict on a figure of ours; ``obstacle``: why it cannot be compared, if it cannot."""
    if obstacle:
        return Verdict.NOT_COMPARABLE
    if any(note.key == _NO_TARGET for note in printed.notes):
        return Verdict.NO_TARGET
    low, high = _unrounded(printed)
    if interval[0] > high:
        return Verdict.ABOVE
    return Verdict.BELOW if interval[1] < low else Verdict.WITHIN


def _unrounded(printed: Value) -> tuple[Decimal, Decimal]:
    """The numbers that are printed so: half a last digit either way, or one up if truncated."""
    unit = Decimal(1).scaleb(int(printed.value.as_tuple().exponent))
    if any(note.key == _TRUNCATED for note in printed.notes):
        return printed.value, printed.value + unit
    return printed.value - unit / 2, printed.value + unit / 2


def _of_table(method: PublishedMethod, table: PrintedTable) -> dict[str, Value]:
    cells = {**method.values, **method.means}
    return {key: value for key, value in cells.items() if value.table == table.heading}


def _bimodal(method: PublishedMethod) -> dict[str, Value]:
    """Of Table 5; its last step is FGCrossNet, whose numbers stand in Table 3."""
    return _of_table(method, PrintedTable.TABLE5) or _of_table(method, PrintedTable.TABLE3)


def _target(
    method: PublishedMethod,
    printed: Mapping[str, Value],
    baseline: str,
    settings: Mapping[str, str],
) -> Target:
    return Target(method.key, method.name, baseline, settings, printed)
