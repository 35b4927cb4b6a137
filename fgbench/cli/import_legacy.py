"""``fgbench import-legacy``: the authors' feature files, as a submission."""

from __future__ import annotations

import click
from rich.console import Console

from fgbench.benchmark import DEFAULT, load_benchmark
from fgbench.cli._progress import Bar
from fgbench.cli.check import to_text
from fgbench.submission import check
from fgbench.submission.legacy import import_legacy


@click.command("import-legacy")
@click.argument("folder", metavar="DIR", type=click.Path())
@click.option("--out", required=True, metavar="FILE", help="The submission to write, an .npz file.")
@click.option(
    "--benchmark", metavar="ID|FOLDER", default=DEFAULT, show_default=True, help="Whose items."
)
@click.option("--split-column", metavar="NAME", help="The column that says train or test.")
@click.option("--force", is_flag=True, help="Replace FILE where it is there already.")
def command(folder: str, out: str, benchmark: str, split_column: str | None, force: bool) -> None:
    """Turn the authors' feature files in DIR into a submission.

    DIR has image/features_te.txt, text/features_te.txt, …, as the authors' release writes them:
    one line a test item, in the order of the benchmark's list. Also taken:
    image_features_te.txt or image.txt.
    """
    against = load_benchmark(benchmark, split_column)
    with Bar("Reading") as bar:
        files = import_legacy(folder, out, against, force=force, progress=bar)
    for medium, path in files.items():
        click.echo(f"{medium:6} {len(against.items[medium]):>7,} lines of {path}")
    Console().print(to_text(check(out, against), out, against))
