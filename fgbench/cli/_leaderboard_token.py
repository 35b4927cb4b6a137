"""``fgbench leaderboard token``: who may hand in to a board that is served."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table


@click.command("token")
@click.argument("team", required=False)
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), required=True, help="The board's."
)
@click.option("--database", metavar="URL", default="", help="If it is not SQLite in --data.")
@click.option("--admin", is_flag=True, help="For one who decides what is published.")
@click.option("--replace", is_flag=True, help="Give a team a new token; the old one ends.")
@click.option("--remove", is_flag=True, help="Take a team's token; its submissions stay.")
@click.option("--list", "listed", is_flag=True, help="Show all teams, and nothing else.")
def token(
    team: str | None,
    data: Path,
    database: str,
    admin: bool,
    replace: bool,
    remove: bool,
    listed: bool,
) -> None:
    """Make TEAM, and print its token, once: the board keeps a digest alone.

    Works while the board is served, too.
    """
    if (team is None) is not listed or sum((admin, replace, remove, listed)) > 1:
        raise click.UsageError("Name one TEAM and at most one of the options, or say --list.")
    serve: Any = import_module("fgbench.leaderboard.serve.settings")
    ledgers: Any = import_module("fgbench.leaderboard.serve.ledger")
    states: Any = import_module("fgbench.leaderboard.serve.states")
    vaults: Any = import_module("fgbench.leaderboard.serve.vault")
    vaults.make_folder(data)
    ledger = ledgers.Ledger.open(serve.Settings(data=data, database=database).database_url)
    try:
        if team is None:
            Console().print(_to_text(ledger.teams()))
        elif remove:
            ledger.remove_token(team)
            click.echo(f"{team} has no token any more.", err=True)
        elif replace:
            click.echo(ledger.replace_token(team))
        else:
            click.echo(ledger.add_team(team, states.Role.ADMIN if admin else states.Role.TEAM))
    finally:
        ledger.close()


def _to_text(teams: list[tuple[Any, bool]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for title in ("team", "role", "token"):
        table.add_column(title)
    for team, has_token in teams:
        table.add_row(team.name, team.role.value, "yes" if has_token else "none")
    return table
