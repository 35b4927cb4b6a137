"""``fgbench check``: everything that is wrong with a submission, and what can be scored of it."""

from __future__ import annotations

import json
import sys
from typing import Any

import click
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fgbench.benchmark import DEFAULT, Benchmark, load_benchmark
from fgbench.cli._progress import Bar
from fgbench.errors import Fault
from fgbench.protocol import Task
from fgbench.remote import show_url
from fgbench.submission import FAULTS, Coverage, Report, Space, Submission, check
from fgbench.submission.findings import quote


@click.command("check")
@click.argument("submission", type=click.Path())
@click.option(
    "--benchmark",
    metavar="ID|FOLDER",
    default=DEFAULT,
    show_default=True,
    help="What to check against.",
)
@click.option("--split-column", metavar="NAME", help="The column that says train or test.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(submission: str, benchmark: str, split_column: str | None, as_json: bool) -> None:
    """Check SUBMISSION, an .npz file: every fault at once, and which tasks can be scored.

    SUBMISSION and --benchmark may be addresses such as s3://bucket/name.

    Exit code 0 where it can be scored (in part, if it is incomplete), 2 where it has faults.
    """
    against = load_benchmark(benchmark, split_column)
    with Bar("Checking") as bar:
        report = check(submission, against, progress=bar)
    name = show_url(submission)
    if as_json:
        click.echo(json.dumps(to_json(report, name, against), indent=2, allow_nan=False))
    else:
        Console().print(to_text(report, name, against))
    if not report.ok:
        sys.exit(2)


def to_json(report: Report, path: str, benchmark: Benchmark) -> dict[str, Any]:
    """The report as one JSON document."""
    document: dict[str, Any] = {
        "ok": report.ok,
        "path": path,
        "benchmark": {"id": benchmark.id, "files": dict(benchmark.files)},
        "faults": [
            {
                "code": fault.code,
                "title": FAULTS[fault.code].title,
                "where": fault.where,
                "found": fault.found,
                "expected": fault.expected,
                "why": FAULTS[fault.code].why,
                "fix": fault.fix,
            }
            for fault in report.faults
        ],
        "notes": list(report.notes),
    }
    if report.submission and report.coverage:
        document |= {
            "sha256": report.submission.sha256,
            "space": report.submission.space,
            "binary": report.submission.binary,
            "items": {m: len(ids) for m, ids in report.submission.ids.items()},
            "meta": dict(report.submission.meta),
            "complete": report.coverage.complete,
            "scored": [task.code for task in report.coverage.scored],
            "missing": {task.code: why for task, why in report.coverage.missing.items()},
        }
    return document


def to_text(report: Report, path: str, benchmark: Benchmark) -> RenderableType:
    """The report for people."""
    parts: list[RenderableType] = [Text("")]
    if report.submission and report.coverage:
        parts += _sound(report.submission, report.coverage, benchmark)
    else:
        parts += _faulty(report.faults, path)
    parts += [Text(f"Note: {note}.") for note in report.notes]
    return Group(*parts, Text(""))


def _sound(
    submission: Submission, coverage: Coverage, benchmark: Benchmark
) -> list[RenderableType]:
    total = len(benchmark.tasks)
    verdict = f"{len(coverage.scored)} of {total} tasks can be scored against {benchmark.id}."
    if not coverage.complete:
        verdict += " Incomplete: never ranked."
    facts = Table.grid(padding=(0, 2))
    items = [f"{m} {len(ids):,}" for m, ids in submission.ids.items()]
    facts.add_row("space", Text(_space(submission)))
    facts.add_row("items", Text(" · ".join(items)))
    if method := submission.meta.get("method"):
        facts.add_row("method", Text(quote(str(method))[1:-1]))
    facts.add_row("SHA-256", Text(submission.sha256))
    parts: list[RenderableType] = [
        Text.assemble(("✓ ", "bold green"), (submission.path, "bold"), f": {verdict}"),
        Padding(facts, (1, 2)),
        Padding(_grid(coverage, benchmark), (0, 2, 1, 2)),
    ]
    for why in dict.fromkeys(coverage.missing.values()):
        lost = [task.title for task, reason in coverage.missing.items() if reason == why]
        parts.append(Text(f"Cannot be scored: {', '.join(lost)} ({why})."))
    return parts


def _space(submission: Submission) -> str:
    kind = "binary codes" if submission.binary else "embeddings"
    widths = sorted({a.shape[1] for a in submission.arrays.values()})
    width = " to ".join(f"{w:,}" for w in dict.fromkeys((widths[0], widths[-1])))
    return {
        Space.COMMON: f"one common space: {kind} of width {width}",
        Space.PAIRWISE: f"{len(submission.pairs)} spaces by pair: {kind} of width {width}",
        Space.SCORES: f"{len(submission.arrays)} score matrices",
    }[submission.space]


def _grid(coverage: Coverage, benchmark: Benchmark) -> Table:
    """Query rows, gallery columns, X→All on the diagonal."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("query ╲ gallery", style="bold")
    for medium in benchmark.media:
        table.add_column(medium, justify="center")
    for query in benchmark.media:
        cells = []
        for gallery in benchmark.media:
            task = Task(query, None if gallery is query else gallery)
            mark = ("✓", "green") if task in coverage.scored else ("–", "dim")
            cells.append(Text.assemble("All " if gallery is query else "", mark))
        table.add_row(query, *cells)
    return table


def _faulty(faults: tuple[Fault, ...], path: str) -> list[RenderableType]:
    count = f"{len(faults)} fault{'s' if len(faults) != 1 else ''}"
    parts: list[RenderableType] = [
        Text.assemble(("✗ ", "bold red"), (path, "bold"), f": {count}. Nothing can be scored.\n")
    ]
    for fault in faults:
        kind = FAULTS[fault.code]
        parts.append(Text.assemble((fault.code, "bold red"), "  ", (kind.title, "bold")))
        lines = Table.grid(padding=(0, 2))
        lines.add_column()
        lines.add_column(overflow="fold")
        for label in ("where", "found", "expected"):
            lines.add_row(Text(label, style="dim"), Text(getattr(fault, label)))
        lines.add_row(Text("why", style="dim"), Text(kind.why))
        lines.add_row(Text("fix", style="dim"), Text(fault.fix, style="bold"))
        parts.append(Padding(lines, (0, 0, 1, 2)))
    return parts
