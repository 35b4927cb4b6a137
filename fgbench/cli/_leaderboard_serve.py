"""``fgbench leaderboard serve``: a board that teams hand in to over HTTP."""

from __future__ import annotations

import contextlib
import logging
import signal
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fgbench.benchmark import DEFAULT

if TYPE_CHECKING:
    from types import FrameType

_COUNT = click.IntRange(1)
_MIB, _GIB = 1 << 20, 1 << 30


@click.command("serve")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder of submissions and board; made where there is none.",
)
@click.option(
    "--benchmark", metavar="ID|FOLDER", default=DEFAULT, show_default=True, help="The board's."
)
@click.option("--split-column", metavar="NAME", help="The column that says train or test.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option("--url", default="", help="What users type, as https://board.example.org")
@click.option(
    "--proxy", default="", metavar="ADDRESS", help="The reverse proxy's, which says who calls."
)
@click.option(
    "--database",
    default="",
    envvar="FGBENCH_DATABASE",
    metavar="URL",
    help="postgresql://…; default: SQLite in --data. Also FGBENCH_DATABASE.",
)
@click.option("--upload", type=_COUNT, default=512, show_default=True, help="MiB an upload.")
@click.option("--per-day", type=_COUNT, default=20, show_default=True, help="A team's, in 24 h.")
@click.option("--waiting", type=_COUNT, default=5, show_default=True, help="A team's, at once.")
@click.option("--team-room", type=_COUNT, default=20, show_default=True, help="GiB of a team.")
@click.option("--scorers", type=_COUNT, default=1, show_default=True, help="At once.")
@click.option("--memory", type=_COUNT, default=8, show_default=True, help="GiB a scorer.")
@click.option("--seconds", type=_COUNT, default=900, show_default=True, help="A scorer's time.")
def serve(
    data: Path,
    benchmark: str,
    split_column: str | None,
    host: str,
    port: int,
    url: str,
    proxy: str,
    database: str,
    **bounds: int,
) -> None:
    """Serve a board: teams hand in, the server scores, an admin publishes what teams ask for.

    `fgbench leaderboard token` makes the tokens. Ctrl-C stops; nothing that was accepted is lost.
    """
    server: Any = import_module("fgbench.leaderboard.serve.server")
    found: Any = import_module("fgbench.leaderboard.serve.settings")
    limits = found.Limits(
        upload=bounds["upload"] * _MIB,
        per_day=bounds["per_day"],
        waiting=bounds["waiting"],
        team_bytes=bounds["team_room"] * _GIB,
        scorers=bounds["scorers"],
        memory=bounds["memory"] * _GIB,
        seconds=bounds["seconds"],
    )
    settings = found.Settings(
        data=data,
        benchmark=benchmark,
        split_column=split_column,
        host=host,
        port=port,
        url=url.rstrip("/"),
        proxy=proxy,
        database=database,
        limits=limits,
    )
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    logging.getLogger("fgbench.leaderboard.serve").setLevel(logging.INFO)
    signal.signal(signal.SIGTERM, _stop)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve(settings, _say)


def _say(url: str) -> None:
    click.echo(f"{url}/ is the board, {url}/team/ where teams hand in. Ctrl-C stops.", err=True)


def _stop(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
