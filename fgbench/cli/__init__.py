"""The command line: one verb a file, imported only when it is called.

A verb parses, calls the library and prints; ``--json`` prints one JSON document on stdout and
nothing else, while progress and messages go to stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import click

from fgbench import __version__
from fgbench.errors import FgbenchError, MissingExtra

VERBS = {
    "build-data": "Rebuild the data from the sites that have it.",
    "sites": "List, show and check the sources.",
    "review": "Decide by ear on what a build could not decide on.",
    "audit": "Count what a data set holds, and what leaks.",
    "export": "Copy a build, whole or as far as it may be passed on.",
    "features": "Turn the media of a benchmark into feature files.",
    "baseline": "List, train and reproduce the reference systems.",
    "retrieve": "Show what a trained system finds for one query.",
    "check": "Check a submission: every fault at once.",
    "score": "Score a submission: the sixteen numbers, with intervals.",
    "compare": "Compare two scored submissions, paired by query.",
    "leaderboard": "Check a board's entries, build its site, serve it.",
    "import-legacy": "Turn the authors' feature files into a submission.",
    "benchmark": "List benchmarks, or show one.",
}
"""Every verb, in the order of ``--help``; a test holds it equal to the folder."""


EXTRAS = {
    **dict.fromkeys(
        ("bs4", "datasketch", "fsspec", "jinja2", "joblib", "lxml", "protego", "requests"), "build"
    ),
    **dict.fromkeys(("PIL", "av", "imageio_ffmpeg", "librosa", "pydub", "soundfile"), "build"),
    **dict.fromkeys(("soxr", "trafilatura", "urllib3", "warcio", "yt_dlp"), "build"),
    "ai_edge_litert": "birdnet",
    "distributed": "dask",
    **dict.fromkeys(("accelerate", "torch", "torchvision"), "train"),
    **dict.fromkeys(("anyio", "h11", "python_multipart"), "serve"),
    **dict.fromkeys(("sqlalchemy", "starlette", "uvicorn"), "serve"),
    "psycopg": "postgres",
}
"""The extra that brings a module; one that is missing is the user's to install, not a crash."""


class Verbs(click.Group):
    """Loads ``fgbench.cli.<verb>`` when the verb is called, so that ``--help`` imports nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        module = import_module(f"fgbench.cli.{name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Fine-grained cross-media retrieval: find exactly this species in every other medium."""


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point. Exit codes: 0 done, 1 our failure, 2 the input or call, 3 done in part."""
    try:
        cli.main(args=list(argv) if argv is not None else None, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except FgbenchError as error:
        _fail(error)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        _fail(MissingExtra(package, EXTRAS[package]))


def _fail(error: FgbenchError) -> NoReturn:
    click.echo(f"\n{error}\n", err=True)
    sys.exit(error.exit_code)
