"""``fgbench export``: a copy of a build, whole or as far as it may be passed on."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fgbench.dataset.export import Exported, What, export
from fgbench.remote import show_url


@click.command("export")
@click.argument("folder", type=click.Path())
@click.option("--to", "target", metavar="DIR|URL", required=True, help="A new folder, or a URL.")
@click.option(
    "--redistributable",
    is_flag=True,
    help="Whole where the licence allows passing on, else pointers and hashes.",
)
@click.option("--pointers", is_flag=True, help="Pointers and hashes for everything.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(folder: str, target: str, redistributable: bool, pointers: bool, as_json: bool) -> None:
    """Copy FOLDER, a build, to a new folder or to an address such as s3://bucket/name.

    Without an option the copy holds all that the build holds. A pointer says where an item is and
    how to know it again: by its id or its SHA-256, once it was fetched anew.
    """
    if redistributable and pointers:
        raise click.UsageError("Say --redistributable or --pointers, not both.")
    what = What.POINTERS if pointers else What.WHOLE
    done = export(folder, target, What.REDISTRIBUTABLE if redistributable else what)
    if as_json:
        click.echo(json.dumps({"to": show_url(target), **asdict(done)}, indent=2))
    else:
        _print(done, target, Console())


def _print(done: Exported, target: str, console: Console) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Medium")
    table.add_column("Whole", justify="right")
    table.add_column("Pointers", justify="right")
    for medium, whole in done.whole.items():
        table.add_row(medium, f"{whole:,}", f"{done.pointers[medium]:,}")
    console.print()
    console.print(table)
    files = f", {done.media_files:,} media files" if done.media_files else ""
    console.print(Text(f"\nWritten to {show_url(target)}{files}"))
    if done.restricted:
        console.print(
            Text(
                f"{done.restricted:,} items in it may not be passed on: this copy is for your own "
                "use. --redistributable makes one to give away.",
                style="yellow",
            )
        )
    console.print()
