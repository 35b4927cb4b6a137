"""``fgbench audit``: what can be counted of a folder of manifests, leakage above all."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fgbench.benchmark import DEFAULT
from fgbench.dataset.audit import audit, to_json
from fgbench.dataset.card import span
from fgbench.dataset.leakage import MEANING, Rule
from fgbench.dataset.remarks import biases, limits, share
from fgbench.dataset.rendering import count


@click.command("audit")
@click.argument("manifests", metavar="[FOLDER|ID]", default=DEFAULT)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, as audit.json.")
def command(manifests: str, as_json: bool) -> None:
    """Count what a folder of manifests holds: accounts, classes, sites, licences, leakage.

    FOLDER is a build, or any folder that is a benchmark; ID is one that is shipped. Nothing is
    written.
    """
    document = audit(manifests)
    if as_json:
        click.echo(to_json(document), nl=False)
    else:
        _print(document, Console())


def _print(document: dict[str, Any], console: Console) -> None:
    console.print()
    console.print(Text(document["benchmark"]["title"], style="bold"))
    console.print(Text(document["benchmark"]["id"], style="dim"))
    for table in (_media(document), _sites(document)):
        if table.row_count:
            console.print()
            console.print(table)
    for split in document["benchmark"]["splits"]:
        console.print()
        console.print(Text(f"Leakage under {split}", style="bold"))
        console.print(_leakage(document, split))
    remarks = Table(box=None, pad_edge=False, show_header=False)
    for sentence in (*biases(document), *limits(document)):
        remarks.add_row("·", Text(sentence))
    if remarks.row_count:
        console.print()
        console.print(remarks)
    console.print()


def _media(document: dict[str, Any]) -> Table:
    table = _table("Medium", *_COUNTS, "Paper", "Classes", "Items a class")
    for medium, counts in document["counts"].items():
        classes, beside = document["classes"][medium], document["paper"][medium]
        numbers = [count(counts[name.lower()]) for name in _COUNTS]
        held = f"{classes['present']:,} of {classes['asked']:,}"
        table.add_row(
            medium, *numbers, count(beside["items"]["paper"]), held, span(classes["items"])
        )
    return table


def _sites(document: dict[str, Any]) -> Table:
    table = _table("Site", *_COUNTS)
    for medium, counts in document["counts"].items():
        for site, numbers in counts["sites"].items():
            row = [count(numbers[name.lower()]) for name in _COUNTS]
            table.add_row(Text(f"{medium} {site}"), *row)
    return table


_COUNTS = ("Found", "Kept", "Rejected", "Failed")


def _leakage(document: dict[str, Any], split: str) -> Table:
    """A row for each thing that test and train items can be told to share."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for medium, leakage in document["leakage"][split].items():
        if leakage["leaking"] is None:
            why = "nothing to tell it by" if leakage["train"] else "no train items are listed"
            table.add_row(medium, "", Text(why, style="dim"))
            continue
        for rule, found in leakage["rules"].items():
            if found:
                told = Text(share(found["items"], found["of"]), justify="right")
                told.stylize("bold red" if found["items"] else "green")
                table.add_row(medium, told, Text(f"test items share {MEANING[Rule(rule)]}"))
    return table


def _table(*headers: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        words = header in (headers[0], "Items a class")
        table.add_column(header, justify="left" if words else "right", no_wrap=not words)
    return table
