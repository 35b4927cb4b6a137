"""``fgbench benchmark``: list the shipped benchmarks, or show what one holds."""

from __future__ import annotations

import json
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fgbench.benchmark import DEFAULT, Benchmark, load_benchmark, shipped
from fgbench.protocol import Medium, SelfMatch
from fgbench.scoring.chance import expected_map


@click.group("benchmark")
def command() -> None:
    """List benchmarks, or show one."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_shipped(as_json: bool) -> None:
    """The benchmarks that come with fgbench."""
    found = shipped()
    if as_json:
        click.echo(json.dumps([{"id": id_, "title": title} for id_, title in found.items()]))
        return
    console = Console()
    for id_, title in found.items():
        mark = " (default)" if id_ == DEFAULT else ""
        console.print(Text.assemble((id_ + mark, "bold"), f"  {title}"))
    console.print(
        Text("A folder of Parquet manifests is a benchmark too: docs/protocol.md.", style="dim")
    )


@command.command("show")
@click.argument("benchmark", metavar="[ID|FOLDER]", default=DEFAULT)
@click.option("--split-column", metavar="NAME", help="The column that says train or test.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(benchmark: str, split_column: str | None, as_json: bool) -> None:
    """What a benchmark holds: items, classes, tasks, chance levels, files.

    Without an argument, the one that all verbs score against by default.
    """
    described = _describe(load_benchmark(benchmark, split_column))
    if as_json:
        click.echo(json.dumps(described, ensure_ascii=False, indent=2, allow_nan=False))
    else:
        _print(described, Console())


def _describe(benchmark: Benchmark) -> dict[str, Any]:
    taxonomy = benchmark.taxonomy
    return {
        "id": benchmark.id,
        "title": benchmark.title,
        "split_column": benchmark.split_column,
        "classes": len(benchmark.labels),
        "media": {m.value: _describe_medium(benchmark, m) for m in benchmark.media},
        "tasks": {
            task.code: {
                "title": task.title,
                "chance": expected_map(benchmark, task),
                "chance_self_included": None
                if task.bimodal
                else expected_map(benchmark, task, SelfMatch.INCLUDED),
            }
            for task in benchmark.tasks
        },
        "taxonomy": taxonomy
        and {
            "genera": len(set(taxonomy.genus)),
            "families": len(set(taxonomy.family)),
            "orders": len(set(taxonomy.order)),
        },
        "files": dict(benchmark.files),
    }


def _describe_medium(benchmark: Benchmark, medium: Medium) -> dict[str, Any]:
    counts = np.unique(benchmark.items[medium].labels, return_counts=True)[1]
    return {
        "train": benchmark.train.get(medium, 0),
        "test": len(benchmark.items[medium]),
        "classes": len(counts),
        "test_per_class": {
            "min": int(counts.min()),
            "median": float(np.median(counts)),
            "max": int(counts.max()),
        },
        "left_out": sorted(benchmark.left_out.get(medium, ())),
    }


def _print(described: dict[str, Any], console: Console) -> None:
    console.print()
    console.print(Text(described["title"], style="bold"))
    console.print(
        Text(
            f"{described['id']} · {described['classes']} classes · "
            f"split by the column {described['split_column']}",
            style="dim",
        )
    )
    console.print()
    console.print(_media_table(described["media"]))
    console.print()
    console.print(_chance_table(described))
    console.print(
        Text(
            f"Chance: the MAP of a random order, for {len(described['tasks'])} tasks. In X→All the "
            "query itself is out of the gallery; in brackets: in it, at rank 1 (the paper's way).",
            style="dim",
        )
    )
    console.print()
    if taxonomy := described["taxonomy"]:
        parts = ", ".join(f"{count} {rank}" for rank, count in taxonomy.items())
        console.print(Text(f"Taxonomy: {parts}"))
    else:
        console.print(Text("Taxonomy: none, so no nDCG and no genus and family marks"))
    console.print()
    files = _table("File", "SHA-256")
    for name, digest in described["files"].items():
        files.add_row(Text(name), digest[:16] + "…")
    console.print(files)
    console.print()


def _media_table(media: dict[str, Any]) -> Table:
    table = _table("Medium", *map(_right, ("Train", "Test", "Classes", "Test items a class")))
    for name, medium in media.items():
        spread = medium["test_per_class"]
        table.add_row(
            name,
            f"{medium['train']:,}" if medium["train"] else "none listed",
            f"{medium['test']:,}",
            f"{medium['classes']}",
            f"{spread['min']} each"
            if spread["min"] == spread["max"]
            else f"{spread['min']} to {spread['max']}, median {spread['median']:g}",
        )
        if medium["left_out"]:
            table.add_row("", "", "", f"({len(medium['left_out'])} left out)", "", style="dim")
    total = sum(medium["test"] for medium in media.values())
    table.add_row("all", "", f"{total:,}", "", "", style="bold")
    return table


def _chance_table(described: dict[str, Any]) -> Table:
    """Queries in rows, galleries in columns; a medium's own column is X→All."""
    names = list(described["media"])
    table = _table("Query", *map(_right, (f"→ {name}" for name in names)), _right("→ all"))
    for query in names:
        row = [f"{Medium(query).code.upper()} {query}"]
        for gallery in names:
            task = described["tasks"].get(f"{query[0]}2{gallery[0]}")
            row.append(f"{task['chance']:.4f}" if task else "")
        whole = described["tasks"][f"{query[0]}2all"]
        row.append(f"{whole['chance']:.4f} ({whole['chance_self_included']:.4f})")
        table.add_row(*row)
    return table


def _right(header: str) -> Text:
    return Text(header, justify="right")


def _table(*headers: str | Text) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        right = isinstance(header, Text)
        table.add_column(header, justify="right" if right else "left", no_wrap=True)
    return table
