"""``fgbench build-data``: rebuilds the texts of the benchmark from the sites that have them."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

if TYPE_CHECKING:
    from fgbench.collect.options import Decision
    from fgbench.collect.pipeline import Built
    from fgbench.settings import Settings


@click.command("build-data")
@click.option("--out", required=True, metavar="DIR", type=click.Path(file_okay=False))
@click.option("--media", default="", metavar="NAMES", help="What to build. Default: text.")
@click.option(
    "--species",
    default="",
    metavar="all|NAMES|@FILE",
    help="Names or CUB ids, between commas or one a line. Default: all.",
)
@click.option(
    "--sites", default="", metavar="NAMES", help="Only these. Default: all that --access covers."
)
@click.option(
    "--access",
    default="",
    metavar="KINDS",
    help="Besides open, key: research_copy, archive, import (fgbench sites list).",
)
@click.option("--contact", metavar="YOU@LAB.EDU", help="Goes with every request.")
@click.option("--as-of", default="", metavar="DAY", help="Pages as of then, where sites can tell.")
@click.option("--per-class", type=click.IntRange(min=1), help="Items a class. Default: 40 texts.")
@click.option("--seed", type=int, help="For selection and splits. Default: 0.")
@click.option("--plan", is_flag=True, help="Say what would be asked of whom; ask nothing.")
@click.option("--sample", is_flag=True, help="Ask a synthetic world on this machine instead.")
@click.option("--offline", is_flag=True, help="Build again from what is stored; ask nothing.")
@click.option("--retry-failed", is_flag=True, help="Ask again for what could not be had.")
@click.option("--engine", default="local", metavar="local|dask://HOST:PORT", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    out: str,
    media: str,
    species: str,
    sites: str,
    access: str,
    contact: str | None,
    as_of: str,
    per_class: int | None,
    seed: int | None,
    plan: bool,
    sample: bool,
    offline: bool,
    retry_failed: bool,
    engine: str,
    as_json: bool,
) -> None:
    """Rebuild the data of the benchmark in DIR, from the sites that have it.

    Run again, it goes on where it was: what was answered is never asked again. With --offline,
    options that are left out are those of the last build in DIR.

    Exit code 3 where some sources could not be had; the rest is built.
    """
    from fgbench.cli import _build_report as report
    from fgbench.collect.forecast import forecast
    from fgbench.collect.options import Options, decide
    from fgbench.collect.recipe import read_recipe

    if offline and retry_failed:
        raise click.UsageError("--offline asks nothing, and --retry-failed asks again.")
    folder, settings = Path(out), _settings(contact)
    options = Options(media, species, sites, access, as_of, per_class, seed, sample)
    before = read_recipe(folder) if offline else None
    decision = decide(options, settings, before=before, labels=_classes(sample))
    if plan:
        expected = forecast(folder, decision.recipe, decision.sites)
        if as_json:
            click.echo(json.dumps(report.plan_json(expected, decision), indent=2))
        else:
            Console().print(report.plan_text(expected, decision, folder))
        return
    built = _build(folder, decision, settings, offline, retry_failed, engine)
    if as_json:
        click.echo(json.dumps(report.built_json(built, decision.left_out), indent=2))
    else:
        Console().print(report.built_text(built, decision.left_out))
    if built.failed:
        sys.exit(3)


def _build(
    folder: Path,
    decision: Decision,
    settings: Settings,
    offline: bool,
    retry_failed: bool,
    engine: str,
) -> Built:
    """Builds, from the sample world where that was asked for."""
    from fgbench.cli._build_progress import BuildProgress
    from fgbench.collect.crawl.pace import Patience
    from fgbench.collect.pipeline import build

    patience = Patience()
    try:
        with ExitStack() as stack:
            if decision.recipe.sample and not offline:
                from fgbench.collect.sample import sample_world

                settings = stack.enter_context(sample_world()).settings(settings)
                patience = Patience(pace=0)
            return build(
                folder,
                decision.recipe,
                decision.sites,
                settings,
                offline=offline,
                retry_failed=retry_failed,
                engine=engine,
                patience=patience,
                progress=stack.enter_context(BuildProgress()),
            )
    except KeyboardInterrupt:
        click.echo("\nStopped. The same command goes on from here.", err=True)
        sys.exit(130)


def _classes(sample: bool) -> str:
    """The classes where none is named: those that there are."""
    if not sample:
        return "all"
    from fgbench.collect.sample import CUB_IDS

    return ",".join(map(str, CUB_IDS))


def _settings(contact: str | None) -> Settings:
    from fgbench.collect.crawl.address import WAYBACK
    from fgbench.collect.sites import names
    from fgbench.settings import load

    settings = load()
    settings.check_overrides((*names(), WAYBACK.name))
    return settings.with_contact(contact) if contact else settings
