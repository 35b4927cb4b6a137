"""``fgbench review``: a page on this machine where a person decides on what is in doubt."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from types import FrameType

    from fgbench.collect.review.summary import Count


@click.command("review")
@click.argument("out", metavar="OUT", type=click.Path(file_okay=False, path_type=Path))
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Default: one that is free.")
@click.option("--reviewer", metavar="NAME", help="Is written beside each decision.")
@click.option("--json", "as_json", is_flag=True, help="Print how far the review has come; no page.")
def command(out: Path, port: int, reviewer: str | None, as_json: bool) -> None:
    """Listen to what the build in OUT could not decide on, and keep or drop it by keyboard.

    Open the address that is printed; only this machine can. Decisions go to OUT/review.parquet, and
    every later build of OUT does as they say.
    """
    from fgbench.collect.review.decisions import Decisions, replay
    from fgbench.collect.review.doubts import read_doubts
    from fgbench.collect.review.summary import summarise

    doubts = read_doubts(out)
    if as_json:
        count, species = summarise(doubts, replay(out))
        by_species = {name: of.to_json() for name, of in species.items()}
        click.echo(json.dumps({**count.to_json(), "species": by_species}, indent=2))
        return
    from fgbench.collect.review.server import Server

    console = Console()
    with Decisions(out, reviewer) as decisions, Server(doubts, decisions, port) as server:
        console.print(_told(summarise(doubts, decisions.all())[0]))
        click.echo(server.url)  # whole on its line, however wide the terminal
        console.print(Text("Ctrl-C stops. Every decision is saved as it is made.", style="dim"))
        signal.signal(signal.SIGTERM, _stop)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            count, _ = summarise(doubts, decisions.all())
    console.print(Text("\n").append(_told(count)))
    if count.keep or count.drop:
        console.print(Text(f"fgbench build-data --offline --out {out}  applies them.", style="dim"))


def _told(count: Count) -> Text:
    return Text(
        f"{count.doubtful:,} in doubt: {count.keep:,} kept, {count.drop:,} dropped, "
        f"{count.left:,} left"
    )


def _stop(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
