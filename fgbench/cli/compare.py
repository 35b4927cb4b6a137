"""``fgbench compare``: two scored runs, paired by query."""

from __future__ import annotations

import json
from collections.abc import Iterable

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fgbench.protocol import SelfMatch, tasks
from fgbench.scoring.comparison import Comparison, Row, compare
from fgbench.scoring.significance import ALPHA, Verdict

BAR = 21
"""Signs of an interval bar: zero in the middle."""
WIDE = 104
"""Columns of a terminal from which on there is room for bars."""
VERDICTS = {Verdict.A: "A better", Verdict.B: "B better", Verdict.NEITHER: "not separable"}
MEANS = {"bimodal": "Bi-modal mean", "multimodal": "X→All mean"}
TITLES = {task.code: task.title for task in tasks()}


@click.command("compare")
@click.argument("a", type=click.Path())
@click.argument("b", type=click.Path())
@click.option("--benchmark", metavar="ID|FOLDER", help="Default: the one that the records name.")
@click.option("--split-column", metavar="NAME", help="The column that says train or test.")
@click.option(
    "--self",
    "self_match",
    type=click.Choice([s.value for s in SelfMatch]),
    default=SelfMatch.EXCLUDED.value,
    show_default=True,
    help="In X→All, whether a query stands in its own gallery.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    a: str, b: str, benchmark: str | None, split_column: str | None, self_match: str, as_json: bool
) -> None:
    """Compare two scored submissions: is A or B better, task by task?

    A and B are folders that `fgbench score … --out DIR` wrote, against the same benchmark; any of
    them may be an address such as s3://bucket/name.
    Differences are paired by query; intervals and tests respect that queries of one species are
    alike.
    """
    found = compare(
        a, b, benchmark=benchmark, split_column=split_column, self_match=SelfMatch(self_match)
    )
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2, allow_nan=False))
    else:
        _print(found, Console())


def _print(found: Comparison, console: Console) -> None:
    console.print()
    for letter, run in (("A", found.a), ("B", found.b)):
        console.print(Text.assemble((f"{letter}  ", "bold"), run.name, (f"   {run.source}", "dim")))
    console.print()
    console.print(_table(found, wide=console.width >= WIDE))
    console.print()
    for row in found.means:
        console.print(Text(_sentence(row, found)))
    for note in found.notes:
        console.print(Text(f"Note: {note}."))
    console.print()
    console.print(Text(_legend(found), style="dim"))


def _table(found: Comparison, wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Task", no_wrap=True)
    for name in ("A", "B", "A − B", "95 % interval"):
        table.add_column(name, justify="right", no_wrap=True)
    reach = _reach(found.tasks)
    if wide:
        table.add_column(" B better │ A better ", no_wrap=True)
    for name in ("p", "Holm p"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Verdict", no_wrap=True)
    for row in found.tasks:
        cells = [TITLES[row.key], _decimal(row.a), _decimal(row.b), _signed(row.test.difference)]
        cells += [_interval(row), *([_bar(row, reach)] if wide else [])]
        cells += [_decimal(row.test.p), _decimal(row.p_holm), VERDICTS[row.verdict]]
        table.add_row(*map(Text, cells), style="dim" if row.verdict is Verdict.NEITHER else "")
    return table


def _sentence(row: Row, found: Comparison) -> str:
    better = {
        Verdict.A: f"A, {found.a.name}, is better",
        Verdict.B: f"B, {found.b.name}, is better",
    }
    verdict = better.get(row.verdict, "A and B are not separable")
    numbers = f"A {_decimal(row.a)}, B {_decimal(row.b)}, difference {_signed(row.test.difference)}"
    if row.test.interval:
        numbers += f", 95 % interval {_interval(row)}"
    return f"{MEANS[row.key]}: {verdict} ({numbers}, Holm p {_decimal(row.p_holm)})."


def _legend(found: Comparison) -> str:
    stands = "stands" if found.self_match is SelfMatch.INCLUDED else "does not stand"
    flips = f"{2**found.species:,} ways" if found.exact else f"{found.flips:,} random ways"
    return (
        f"MAP over shared queries of {found.benchmark}; in X→All the query {stands} in its own "
        f"gallery. Intervals: bootstrap over {found.species} species, {found.draws:,} draws, seed "
        f"{found.seed}. p: two-sided, signs of whole species flipped in {flips}. "
        f"Holm p: over the {len(found.tasks)} tasks; the means are a family of their own. "
        f"Better: Holm p ≤ {_decimal(ALPHA, 2)}."
    )


def _decimal(value: float, places: int = 4) -> str:
    """A number between 0 and 1 as tables print it: .2466; below the last place, <.0001."""
    if 0 < value < 10**-places:
        return f"<{_decimal(10**-places, places)}"
    return f"{value:.{places}f}".removeprefix("0")


def _signed(value: float) -> str:
    size = f"{abs(value):.4f}".removeprefix("0")
    return size if size == ".0000" else ("−" if value < 0 else "+") + size


def _interval(row: Row) -> str:
    ends = row.test.interval
    return f"{_signed(ends.low)} … {_signed(ends.high)}" if ends else "undefined"


def _reach(rows: Iterable[Row]) -> float:
    """The largest distance from zero that a bar must show."""
    ends = [end for row in rows if (i := row.test.interval) for end in (i.low, i.high)]
    return max((abs(end) for end in ends), default=0.0)


def _bar(row: Row, reach: float) -> str:
    """The interval as a line, ● its difference, on a scale from −reach to +reach with │ at zero."""
    ends, middle = row.test.interval, BAR // 2
    if not ends or not reach:
        return " " * middle + "│" + " " * middle

    def place(value: float) -> int:
        return middle + round(max(-1.0, min(1.0, value / reach)) * middle)

    signs = [" "] * BAR
    for at in range(place(ends.low), place(ends.high) + 1):
        signs[at] = "─"
    signs[middle] = "│" if signs[middle] == " " else "┼"
    signs[place(row.test.difference)] = "●"
    return "".join(signs)
