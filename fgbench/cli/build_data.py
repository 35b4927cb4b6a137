"""``fgbench build-data``: rebuilds the data of the benchmark, from sites and local sets."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from fgbench.protocol import Medium

if TYPE_CHECKING:
    from fgbench.collect.options import Decision
    from fgbench.collect.pipeline import Built
    from fgbench.settings import Settings


@click.command("build-data")
@click.option("--out", required=True, metavar="DIR", type=click.Path(file_okay=False))
@click.option(
    "--media",
    default="",
    metavar="NAMES",
    help="What to build: image, text, video, audio. Default: text, audio and the sets named.",
)
@click.option(
    "--cub",
    metavar="DIR|TGZ",
    type=click.Path(exists=True, path_type=Path),
    help="Your copy of CUB-200-2011, for image.",
)
@click.option(
    "--youtube-birds",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Your lists of YouTube Birds, and clips where you have them, for video.",
)
@click.option("--youtube-download", is_flag=True, help="Ask YouTube for clips that are not there.")
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
@click.option(
    "--per-class",
    type=click.IntRange(min=1),
    help="Items a class. Default: 40 texts, 60 pieces of audio.",
)
@click.option(
    "--pieces",
    type=click.Choice(("short", "paper")),
    help="Cut recordings to 10-60 s (default), or only those over 2,000 s, as the paper has them.",
)
@click.option(
    "--birdnet/--no-birdnet",
    default=None,
    help="Ask BirdNET about pieces too. Default: where it is installed.",
)
@click.option(
    "--keep-doubtful/--withhold-doubtful",
    default=None,
    help="What to do with pieces nobody has reviewed that may have no bird. Default: withhold.",
)
@click.option(
    "--soundcloud-audio",
    is_flag=True,
    default=None,
    help="Fetch the tracks of SoundCloud that are free to take.",
)
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
    cub: Path | None,
    youtube_birds: Path | None,
    youtube_download: bool,
    species: str,
    sites: str,
    access: str,
    contact: str | None,
    as_of: str,
    per_class: int | None,
    pieces: str | None,
    birdnet: bool | None,
    keep_doubtful: bool | None,
    soundcloud_audio: bool | None,
    seed: int | None,
    plan: bool,
    sample: bool,
    offline: bool,
    retry_failed: bool,
    engine: str,
    as_json: bool,
) -> None:
    """Rebuild the data of the benchmark in DIR: texts and sounds from the sites that have them,
    images and videos from your own copies of CUB-200-2011 and YouTube Birds, which are only read.

    Run again, it goes on where it was: what was answered is never asked again. With --offline,
    options that are left out are those of the last build in DIR. The manifests are those of the
    last build: a medium that it does not name is no longer there.

    Exit code 3 where some sources could not be had; the rest is built.
    """
    from fgbench.cli import _build_report as report
    from fgbench.collect.forecast import forecast
    from fgbench.collect.local.downloads import TERMS
    from fgbench.collect.options import Options, decide
    from fgbench.collect.recipe import read_recipe
    from fgbench.collect.sample import sample_copies
    from fgbench.collect.sites.soundcloud import SoundCloud

    if offline and retry_failed:
        raise click.UsageError("--offline asks nothing, and --retry-failed asks again.")
    if offline and youtube_download:
        raise click.UsageError("--offline asks nothing, and --youtube-download asks YouTube.")
    folder, settings = Path(out), _settings(contact)
    before = read_recipe(folder) if offline else None
    options = Options(
        media=media,
        species=species,
        sites=sites,
        access=access,
        as_of=as_of,
        per_class=per_class,
        seed=seed,
        sample=sample,
        cub=cub,
        youtube_birds=youtube_birds,
        pieces=pieces or "",
        birdnet=birdnet,
        keep_doubtful=keep_doubtful,
        soundcloud_audio=soundcloud_audio,
        beside=sample_copies(folder) if sample else {},
    )
    decision = decide(options, settings, before=before, labels=_classes(sample))
    if youtube_download and Medium.VIDEO not in decision.recipe.media:
        raise click.UsageError("--youtube-download is for video: give --youtube-birds too.")
    if plan:
        expected = forecast(folder, decision.recipe, decision.sites)
        if as_json:
            click.echo(json.dumps(report.plan_json(expected, decision), indent=2))
        else:
            Console().print(report.plan_text(expected, decision, folder, youtube_download))
        return
    if youtube_download:
        click.echo(f"{TERMS}\n", err=True)
    if decision.recipe.soundcloud_audio:
        click.echo(f"{SoundCloud.note}\n", err=True)
    built = _build(folder, decision, settings, offline, retry_failed, youtube_download, engine)
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
    ask_youtube: bool,
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
                ask_youtube=ask_youtube,
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
    from fgbench.collect.local.downloads import SITE
    from fgbench.collect.sites import names
    from fgbench.settings import load

    settings = load()
    settings.check_overrides((*names(), WAYBACK.name, SITE))
    return settings.with_contact(contact) if contact else settings
