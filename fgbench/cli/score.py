"""``fgbench score``: the sixteen numbers of a submission, with intervals."""

from __future__ import annotations

from importlib import import_module, resources
from pathlib import Path
from typing import Any

import click
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fgbench.benchmark import DEFAULT, load_benchmark
from fgbench.cli._progress import Bar
from fgbench.errors import InputError
from fgbench.protocol import Calibration, Convention, Medium, SelfMatch, Task, tasks
from fgbench.published import MEAN_BIMODAL, MEAN_MULTIMODAL, PublishedMethod, digits, find
from fgbench.record import Mean, Record
from fgbench.remote import show_url
from fgbench.scoring.score import Result, score

SHADES = ("grey35", "grey46", "grey58", "grey70", "grey82", "grey100")
"""From the lowest MAP of a grid to the highest; the numbers are printed in any case."""


@click.command("score")
@click.argument("submission", type=click.Path(), required=False)
@click.option("--sample", is_flag=True, help="Score the synthetic submission that is shipped.")
@click.option("--benchmark", metavar="ID|FOLDER", default=DEFAULT, show_default=True)
@click.option("--split-column", metavar="NAME", help="The column that says train or test.")
@click.option("--out", type=click.Path(file_okay=False), help="Write record and AP values here.")
@click.option(
    "--card", type=click.Path(path_type=Path), help="A YAML file: the method's card in the record."
)
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    help="Hand it in: make its folder in this store, as leaderboard/results. Needs --card.",
)
@click.option("--force", is_flag=True, help="Replace another submission's record in --out.")
@click.option(
    "--against", metavar="METHOD", help="Print a published method beside it, as fgcrossnet."
)
@click.option(
    "--convention",
    type=click.Choice([c.value for c in Convention]),
    default=Convention.SOUND.value,
    show_default=True,
    help="paper: ties and self-match as in the authors' script; for old tables only.",
)
@click.option(
    "--calibration",
    type=click.Choice([c.value for c in Calibration]),
    default=Calibration.ZROW.value,
    show_default=True,
    help="How X→All merges similarities that were learned apart.",
)
@click.option("--device", help="A torch device for the products, as cuda. Default: NumPy.")
@click.option("--json", "as_json", is_flag=True, help="Print the record, and nothing else.")
def command(
    submission: str | None,
    sample: bool,
    benchmark: str,
    split_column: str | None,
    out: str | None,
    card: Path | None,
    to: Path | None,
    force: bool,
    against: str | None,
    convention: str,
    calibration: str,
    device: str | None,
    as_json: bool,
) -> None:
    """Score SUBMISSION, an .npz file, against a benchmark's test items.

    SUBMISSION, --benchmark and --out may be addresses such as s3://bucket/name.

    Every fault of the file is reported at once, with exit code 2; then nothing is written. A grid
    cell is the MAP over all queries of its row, with a 95 % interval over species.
    """
    if (submission is None) is not sample:
        raise click.UsageError("Name one SUBMISSION, or say --sample.")
    if to and (not card or Convention(convention) is Convention.PAPER):
        raise click.UsageError("--to needs --card, and the sound convention: no other is ranked.")
    other = find(against) if against else None
    bench = load_benchmark(benchmark, split_column)
    path = submission or str(resources.files("fgbench.manifests") / "sample_submission.npz")
    with Bar("Scoring (the first run also compiles, once)") as bar:
        # The board's own package is looked for only by those who hand in.
        handin: Any = import_module("fgbench.leaderboard.handin") if card else None
        result = score(
            handin.with_card(path, card, bench, to) if card else path,
            bench,
            calibration=Calibration(calibration),
            convention=Convention(convention),
            device=device,
            progress=lambda stage, part: bar(part if stage == "ranking" else 0.0),
        )
        if out:
            result.write(out, force=force)
        handed = handin.hand_in(result, to) if to else None
    if as_json:
        click.echo(result.record.to_json(), nl=False)
        return
    console = Console()
    paper = Convention(convention) is Convention.PAPER
    console.print(to_text(result, Path(show_url(path)).name, paper=paper))
    if other:
        console.print(beside(result.record, other, paper=paper))
    if sample:
        console.print(Padding(Text(EXPLAINED), (0, 2, 1, 2)))
    if out:
        written = ": record.json, per_query.parquet, run.json\n"
        console.print(Text.assemble("  Written to ", (show_url(out), "bold"), written))
    if handed:
        console.print(Text.assemble("  Handed in: ", (str(handed), "bold")))
        console.print(Text(f"  Next: fgbench leaderboard check {to} --benchmark {benchmark}\n"))


EXPLAINED = (
    "What this means. Every cell is a mean average precision, MAP, from 0 to 1: take each test "
    "item of the row's medium as a query, rank all test items of the column's medium, and ask how "
    "far up those of exactly the same species stand. 1 is perfect; a random order gives about "
    ".007. The diagonal ranks all four media together, without the query itself. In brackets: the "
    "95 % interval, from drawing the species anew 1,000 times. The sample was made from the test "
    "labels and noise, so it says nothing about any method. Score your own: docs/submission.md."
)


def to_text(result: Result, name: str, *, paper: bool) -> RenderableType:
    """The grid, the two means and the time, for people."""
    record = result.record
    head = Text.assemble("\n  ", (method_name(record) or name, "bold"))
    head.append(f"  on {record.benchmark['id']}")
    if paper:
        head.append("\n  In the paper's convention: compare with printed tables only.", "yellow")
    parts: list[RenderableType] = [
        head,
        Padding(grid(record, paper=paper), (1, 2)),
    ]
    parts += [Text(f"  {line}") for line in means(record, paper=paper)]
    if record.missing:
        codes = {t.code: t.title for t in tasks()}
        for lack in dict.fromkeys(record.missing.values()):
            lost = ", ".join(codes[c] for c, why in record.missing.items() if why == lack)
            parts.append(Text(f"  Incomplete, never ranked: {lost} ({lack}).", "yellow"))
    if record.merge:
        parts.append(Text(f"  X→All merged by {record.merge}.", "dim"))
    parts += [Text(f"  Note: {note}.", "dim") for note in record.submission["notes"]]
    seconds = result.run["seconds"]["total"]
    asked = sum(s.queries for s in record.scores.values())
    parts.append(Text(f"  {asked:,} queries in {seconds:.1f} s\n", "dim"))
    return Group(*parts)


def method_name(record: Record) -> str:
    """The method's name from its card, printable; empty where the card has none."""
    name = record.submission["meta"].get("method")
    return "".join(c for c in str(name) if c.isprintable())[:60] if name else ""


def shown(score: Mean, *, paper: bool) -> float:
    return score.map_paper if paper and score.map_paper is not None else score.map


def grid(record: Record, *, paper: bool) -> Table:
    """Query rows, gallery columns, X→All on the diagonal."""
    media = [Medium(m) for m in record.benchmark["items"]]
    values = [shown(s, paper=paper) for s in record.scores.values()]
    low, high = min(values), max(values)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("query ╲ gallery", style="bold")
    for medium in media:
        table.add_column(medium.value, justify="center", min_width=11)
    for query in media:
        cells = []
        for gallery in media:
            task = Task(query, None if gallery is query else gallery)
            score = record.scores.get(task.code)
            if score is None:
                cells.append(Text("–\n", "dim"))
                continue
            value = shown(score, paper=paper)
            shade = SHADES[int((value - low) / (high - low or 1) * (len(SHADES) - 1))]
            label = "All " if task.gallery is None else ""
            cell = Text.assemble((label, "dim"), (digits(value), f"bold {shade}"))
            if not paper and score.ci95:
                cell.append(f"\n[{digits(score.ci95[0])} {digits(score.ci95[1])}]", "dim")
            cells.append(cell)
        table.add_row(query.value, *cells)
    return table


def means(record: Record, *, paper: bool) -> list[str]:
    """The two means as lines; X→All also with the query in its own gallery."""
    lines = []
    count = {
        name: sum(t.bimodal is (name == "bimodal") for t in tasks_of(record)) for name in TITLES
    }
    for name, mean in record.means.items():
        line = f"{TITLES[name]:<14} {digits(shown(mean, paper=paper))}"
        if not paper and mean.ci95:
            line += f"  [{digits(mean.ci95[0])} {digits(mean.ci95[1])}]"
        line += f"  mean of {count[name]}"
        if not paper and mean.map_self_included is not None:
            line += f"; self {SelfMatch.INCLUDED}: {digits(mean.map_self_included)}"
        lines.append(line)
    return lines


TITLES = {"bimodal": "Bi-modal", "multimodal": "X→All"}


def tasks_of(record: Record) -> tuple[Task, ...]:
    return tasks(Medium(m) for m in record.benchmark["items"])


def beside(record: Record, other: PublishedMethod, *, paper: bool) -> RenderableType:
    """Ours beside a published method's printed numbers, task by task.

    Printed X→All values have the query in its own gallery, so ours do here too.
    """
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("task", style="bold")
    for title in ("here", other.name, "difference"):
        table.add_column(title, justify="right")
    for task in tasks_of(record):
        score, theirs = record.scores.get(task.code), other.values.get(task.code)
        if score is not None and theirs is not None:
            _row(
                table, task.title, _comparable(score, paper), float(theirs.value), str(theirs.value)
            )
    for name, key in (("bimodal", MEAN_BIMODAL), ("multimodal", MEAN_MULTIMODAL)):
        mean, theirs = record.means.get(name), other.means.get(key)
        if mean is not None and theirs is not None:
            title = f"{TITLES[name]} mean"
            _row(table, title, _comparable(mean, paper), float(theirs.value), str(theirs.value))
    if not table.row_count:
        raise InputError(
            "FG-P002",
            f"{other.name} and this submission have no task in common",
            fix="Compare with another method: fgbench score --against …",
        )
    said = [f"{other.name}: {other.source}. As printed; X→All with the query in its own gallery."]
    if record.benchmark["id"] != DEFAULT:
        said.append(f"Printed for {DEFAULT}, not for {record.benchmark['id']}: not comparable.")
    if not paper:
        said.append("Ties here in expectation; --convention paper breaks them as the script does.")
    said += [note.text for note in other.notes]
    return Group(
        Padding(table, (0, 2, 1, 2)), *(Padding(Text(s, "dim"), (0, 2)) for s in said), Text("")
    )


def _comparable(score: Mean, paper: bool) -> float:
    if paper and score.map_paper is not None:
        return score.map_paper
    return score.map if score.map_self_included is None else score.map_self_included


def _row(table: Table, title: str, ours: float, theirs: float, printed: str) -> None:
    difference = ours - theirs
    sign = "+" if difference >= 0 else "−"
    table.add_row(
        title, digits(ours), printed.removeprefix("0"), f"{sign}{digits(abs(difference))}"
    )
