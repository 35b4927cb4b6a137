"""``fgbench leaderboard``: the results store and its board."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fgbench.benchmark import DEFAULT, load_benchmark
from fgbench.cli._leaderboard_serve import serve
from fgbench.cli._leaderboard_token import token
from fgbench.cli._progress import Bar

RESULTS = "leaderboard/results"
"""Where the store of this project lies, from the root of its repository."""


@click.group("leaderboard")
def command() -> None:
    """Check the entries of a board, build its site, and serve it to teams."""


command.add_command(serve)
command.add_command(token)


@command.command("check")
@click.argument("results", type=click.Path(path_type=Path), default=RESULTS)
@click.option(
    "--benchmark", metavar="ID|FOLDER", default=DEFAULT, show_default=True, help="The board's."
)
@click.option("--split-column", metavar="NAME", help="The column that says train or test.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def check(results: Path, benchmark: str, split_column: str | None, as_json: bool) -> None:
    """Check RESULTS, the folder of a board's entries: every fault of every entry at once.

    RESULTS is leaderboard/results unless named. What can be counted again from the per-query values
    is counted again. Exit code 0 where the board can be built, 2 where there are faults.
    """
    board: Any = import_module("fgbench.leaderboard.check")
    kinds: Any = import_module("fgbench.leaderboard.faults").KINDS
    against = load_benchmark(benchmark, split_column)
    with Bar("Checking") as bar:
        report = board.check_results(results, against, bar)
    if as_json:
        document = to_json(report, kinds, str(results), against.id)
        click.echo(json.dumps(document, indent=2, allow_nan=False))
    else:
        Console().print(to_text(report, kinds, str(results), against.id))
    if not report.ok:
        sys.exit(2)


@command.command("build")
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=RESULTS,
    show_default=True,
    help="Entries.",
)
@click.option(
    "--benchmark", metavar="ID|FOLDER", default=DEFAULT, show_default=True, help="The board's."
)
@click.option("--split-column", metavar="NAME", help="The column that says train or test.")
@click.option(
    "--out", type=click.Path(path_type=Path), default="site", show_default=True, help="The site."
)
@click.option("--hosted", is_flag=True, help="Link to the pages of fgbench leaderboard serve.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def build(
    results: Path,
    benchmark: str,
    split_column: str | None,
    out: Path,
    hosted: bool,
    as_json: bool,
) -> None:
    """Build the static site of a board: open index.html in its folder.

    Checks the entries first, and builds nothing where one has a fault. A site that is there is
    replaced as a whole. Equal entries give equal bytes.
    """
    site: Any = import_module("fgbench.leaderboard.build")
    with Bar("Building") as bar:
        built = site.build_site(results, benchmark, out, split_column, hosted, bar)
    if as_json:
        document = {
            "folder": str(built.folder),
            "benchmark": built.benchmark,
            "methods": built.methods,
            "scored": built.scored,
            "files": built.files,
            "bytes": built.bytes,
        }
        click.echo(json.dumps(document, indent=2, allow_nan=False))
        return
    methods = f"{built.methods} method{'s' if built.methods != 1 else ''}, {built.scored} scored"
    said = f": {methods}; {built.files:,} files, {built.bytes / 1e6:.1f} MB. Open "
    index = str(built.folder / "index.html")
    Console().print(
        Text.assemble("\n", ("✓ ", "bold green"), (str(out), "bold"), said, index, "\n")
    )


def to_json(report: Any, kinds: Any, results: str, benchmark: str) -> dict[str, Any]:
    """The report as one JSON document."""
    return {
        "ok": report.ok,
        "results": results,
        "benchmark": benchmark,
        "entries": [
            {
                "folder": str(entry.folder),
                "method": entry.name,
                "submission": entry.submission,
                "status": entry.status.value,
                "complete": entry.record.complete is True,
            }
            for entry in report.entries
        ],
        "faults": [
            {
                "code": fault.code,
                "title": kinds[fault.code].title if fault.code in kinds else "",
                "where": fault.where,
                "found": fault.found,
                "expected": fault.expected,
                "why": kinds[fault.code].why if fault.code in kinds else "",
                "fix": fault.fix,
            }
            for fault in report.faults
        ],
    }


def to_text(report: Any, kinds: Any, results: str, benchmark: str) -> RenderableType:
    """The report for people."""
    count = len(report.entries)
    if report.ok:
        entries = f"{count} {'entry' if count == 1 else 'entries'}"
        mark, said = ("✓ ", "bold green"), f": {entries}, all sound, on {benchmark}."
        return Text.assemble("\n", mark, (results, "bold"), said, "\n")
    faults = f"{len(report.faults)} fault{'s' if len(report.faults) != 1 else ''}"
    head = Text.assemble("\n", ("✗ ", "bold red"), (results, "bold"), f": {faults}.\n")
    return Group(head, *(part for fault in report.faults for part in _fault(fault, kinds)))


def _fault(fault: Any, kinds: Any) -> list[RenderableType]:
    kind = kinds.get(fault.code)
    lines = Table.grid(padding=(0, 2))
    lines.add_column()
    lines.add_column(overflow="fold")
    for label in ("where", "found", "expected"):
        lines.add_row(Text(label, style="dim"), Text(getattr(fault, label)))
    if kind:
        lines.add_row(Text("why", style="dim"), Text(kind.why))
    lines.add_row(Text("fix", style="dim"), Text(fault.fix, style="bold"))
    title = Text.assemble((fault.code, "bold red"), f"  {kind.title}" if kind else "")
    return [title, Padding(lines, (0, 0, 1, 2))]
