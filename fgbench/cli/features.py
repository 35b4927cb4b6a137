"""``fgbench features``: a vector for each item of a benchmark, as feature files."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fgbench.benchmark import DEFAULT
from fgbench.cli._feature_options import Kind, choose, network_options, part_options
from fgbench.cli._folder import LocalFolder
from fgbench.cli._progress import Bar
from fgbench.errors import Fault, InputError
from fgbench.protocol import MEDIA, Medium

if TYPE_CHECKING:
    from fgbench.media.extractor import Extractor
    from fgbench.media.listing import Listing

SHOWN = 10
"""Faults of a medium that are printed; ``--json`` has all of them."""


@click.command("features")
@click.option("--benchmark", metavar="ID|FOLDER", default=DEFAULT, show_default=True)
@click.option("--split-column", metavar="NAME", help="The column that says train or test.")
@click.option(
    "--media-root",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="What paths are relative to. Default: the build folder, where the benchmark is one.",
)
@click.option(
    "--out",
    required=True,
    metavar="DIR",
    type=LocalFolder(),
    help="Where <medium>.npz are written.",
)
@click.option(
    "--extractor",
    type=click.Choice([kind.value for kind in Kind]),
    default=Kind.HANDCRAFTED.value,
    show_default=True,
    help="handcrafted: colours, edges, words, MFCC; no network. paper: images and videos by one.",
)
@click.option("--media", metavar="image,text,…", help="Default: all that the benchmark has.")
@network_options
@part_options
@click.option("--engine", default="local", metavar="local|dask://HOST:PORT", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    benchmark: str,
    split_column: str | None,
    media_root: Path | None,
    out: Path,
    extractor: str,
    media: str | None,
    engine: str,
    as_json: bool,
    **choices: Any,
) -> None:
    """Extract the features of a benchmark's training and test items.

    Writes OUT/<medium>.npz, with the arrays ids and features; with --parts also the parts of items:
    regions of images, words of texts, frames of videos, windows of audio. Stopped and called again,
    it goes on. A medium with items that cannot be used is not written, as a file needs every item;
    the others are, and the exit code is 3 (2 where none was written). Mend them and call it again:
    what was made is not made again.
    """
    from fgbench.media.extraction import extract
    from fgbench.media.features import feature_path
    from fgbench.media.listing import read_listing
    from fgbench.media.tokens import Tokens

    root = media_root.absolute() if media_root else None  # workers may be in another folder
    listing = read_listing(benchmark, root, split_column)
    chosen = _choose_media(media, listing)
    extractors, workers = choose(Kind(extractor), listing, chosen, engine, choices)
    faults: dict[Medium, tuple[Fault, ...]] = {}
    total = sum(len(listing.items(medium)) for medium in chosen)
    done = 0
    with Bar("Extracting") as bar:

        def advance(count: int) -> None:
            nonlocal done
            done += count
            bar(done / total)

        for medium, of_medium in extractors.items():
            faults[medium] = extract(
                listing.items(medium),
                of_medium,
                feature_path(out, medium),
                vocabulary=of_medium.vocabulary if isinstance(of_medium, Tokens) else None,
                engine=engine,
                workers=workers,
                advance=advance,
            )
    written = _describe(out, extractors, faults)
    if as_json:
        flat = [asdict(fault) for found in faults.values() for fault in found]
        click.echo(json.dumps({"out": str(out), "media": written, "faults": flat}, indent=2))
    else:
        _print(written, faults, out)
    if any(faults.values()):
        sys.exit(3 if written else 2)


def _choose_media(media: str | None, listing: Listing) -> list[Medium]:
    """Those to extract, in the paper's order."""
    there = list(listing.test)
    wanted = {name.strip() for name in media.split(",")} if media else set(there)
    if strange := sorted(wanted - set(there)):
        found = f"{', '.join(strange)}: not among the benchmark's media"
        raise click.BadParameter(f"{found}, {', '.join(there)}.", param_hint="--media")
    chosen = [medium for medium in MEDIA if medium in wanted]
    if listing.media_root is None and chosen != [Medium.TEXT]:
        raise InputError(
            "FG-F068",
            "--media-root is not given, and the benchmark is no build folder",
            why="Paths in its manifests are relative to a folder of media.",
            fix="Name that folder, or ask for --media text.",
        )
    return chosen


def _describe(
    out: Path,
    extractors: Mapping[Medium, Extractor],
    faults: Mapping[Medium, tuple[Fault, ...]],
) -> dict[Medium, dict[str, Any]]:
    """Each file that was written."""
    from fgbench.media.features import feature_path, read_features

    described: dict[Medium, dict[str, Any]] = {}
    for medium, extractor in extractors.items():
        if not faults[medium]:
            path = feature_path(out, medium)
            found = read_features(path, parts=True)
            described[medium] = {
                "file": str(path),
                "items": len(found.rows),
                "width": found.width,
                "parts": None if found.parts is None else len(found.parts.rows),
                "extractor": extractor.fingerprint,
            }
    return described


def _print(
    written: Mapping[Medium, Mapping[str, Any]],
    faults: Mapping[Medium, tuple[Fault, ...]],
    out: Path,
) -> None:
    for medium, found in faults.items():
        for fault in found[:SHOWN]:
            click.echo(f"{fault}\n", err=True)
        if found:
            count = f"{len(found):,} fault{'s' if len(found) > 1 else ''}"
            more = f", {len(found) - SHOWN:,} of them not shown" if len(found) > SHOWN else ""
            click.echo(f"{medium}.npz is not written: {count}{more}.\n", err=True)
    if not written:
        click.echo("Nothing is written.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Medium")
    table.add_column("Items", justify="right")
    table.add_column("Width", justify="right")
    table.add_column("Parts", justify="right")
    for medium, facts in written.items():
        parts = "–" if facts["parts"] is None else f"{facts['parts']:,}"
        table.add_row(medium, f"{facts['items']:,}", f"{facts['width']:,}", parts)
    console = Console()
    console.print(table)
    console.print(Text(f"\nWritten to {out}"))
