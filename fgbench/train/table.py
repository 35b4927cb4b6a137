"""The table of baselines, ``baselines/README.md``: written by ``python -m fgbench.train.table``.

What is said of a method is its facts; what is measured comes from ``baselines/results.csv``. A
figure that is not there is shown as not run.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from fgbench.errors import InputError
from fgbench.media.preset import Form
from fgbench.published import MEAN_BIMODAL, digits, published
from fgbench.train.method import Budget, Facts, Kind
from fgbench.train.registry import BASELINES, form_file, read_facts, source_file

README = "README.md"
RESULTS = "results.csv"
WIKIPEDIA, CAPTIONS = "wikipedia", "captions"
"""The benchmarks whose figures the table shows: of methods that take features, and of others."""
NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Result:
    """A measured figure. ``figure``: a task's code, ``seconds`` of a run, or ``parameters``.

    ``mean`` and ``spread``, the standard deviation, over ``seeds`` runs; ``command``: what gives it
    again; ``date``: of the day, as 2026-01-31.
    """

    method: str
    form: Form
    budget: Budget
    benchmark: str
    figure: str
    seeds: int
    mean: float
    spread: float
    command: str
    date: str

    @property
    def key(self) -> tuple[str, Form, Budget, str, str]:
        """What there is one result of."""
        return self.method, self.form, self.budget, self.benchmark, self.figure


def read_results(path: Path) -> tuple[Result, ...]:
    """The results of a file; none where there is no file. Raises ``InputError`` (FG-G070)."""
    if not path.is_file():
        return ()
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))
    try:
        return tuple(_result(row) for row in rows)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            "FG-G070",
            f"{path} is no table of results: {error}",
            fix=f"Its columns are {', '.join(f.name for f in fields(Result))}.",
        ) from error


def record_results(path: Path, new: Iterable[Result]) -> None:
    """Put results into a file, in the place of older ones of the same key; rows in one order."""
    held = {result.key: result for result in (*read_results(path), *new)}
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [f.name for f in fields(Result)], lineterminator="\n")
    writer.writeheader()
    for key in sorted(held):
        found = held[key]
        figures = {"mean": f"{found.mean:.9g}", "spread": f"{found.spread:.3g}"}
        writer.writerow(asdict(found) | figures)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text.getvalue(), "utf-8")
    draft.replace(path)


def render_table(results: Sequence[Result]) -> str:
    """README.md: a row for each form of each of our methods."""
    known = {result.key: result for result in results}
    forms = [(read_facts(name), form) for name in BASELINES for form in _forms(name)]
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|" + "---|" * len(_COLUMNS)]
    lines += ["| " + " | ".join(_cells(facts, form, known)) + " |" for facts, form in forms]
    used = sorted({known[key].command for key in known if known[key].command})
    commands = [f"- `{command}`" for command in used] or [f"{NOT_RUN.capitalize()}."]
    return "\n".join([*_HEAD, *lines, *_FOOT, *commands, ""])


_COLUMNS = (
    *("method", "year", "media", "space", "learns", "takes", "form", "status"),
    *("parameters", "tiny run", "measured on", "I→T", "T→I", "FG-XMedia, printed"),
)
_HEAD = (
    "# Baselines",
    "",
    "<!-- Written by python -m fgbench.train.table: edit the methods or results.csv, not this. -->",
    "",
    "One file a method, one YAML a form: the paper's way, or the released code's. How to run one:",
    "`fgbench baseline run NAME --help`; how to add one: docs/add-a-baseline.md.",
    "",
)
_FOOT = (
    "",
    "Media: joint, one model for all; pairwise, one for each two; image-text, these two alone.",
    "I→T, T→I: MAP on test items, mean ± standard deviation (seeds); full budget, or cpu.",
    "Wikipedia: Rasiwasia et al. (ACM MM 2010), its own features, 2,173 and 693 pairs of ten",
    "classes; a random order comes to .118. Captions: images of CUB-200-2011's classes 1-10 and",
    "texts of five captions each (Reed et al., CVPR 2016); a random order comes to .123. Tiny",
    "run: seconds, of a run of the budget `tiny` on it, on one core of a machine with much other",
    "work: an upper bound. Parameters: on it, of the budget measured. Status: measured where both",
    "MAPs are. Printed: the mean of the bi-modal tasks in Table 3 of He, Peng, Xie (ACM MM 2019),",
    "where that has such a row: on another data set.",
    "",
    "Measured by:",
    "",
)


def _cells(
    facts: Facts, form: Form, known: dict[tuple[str, Form, Budget, str, str], Result]
) -> tuple[str, ...]:
    benchmark = WIKIPEDIA if facts.takes is Kind.FEATURES else CAPTIONS

    def figure(name: str, *budgets: Budget) -> Result | None:
        found = (known.get((facts.name, form, b, benchmark, name)) for b in budgets)
        return next((result for result in found if result), None)

    long = Budget.FULL, Budget.CPU

    maps = [figure("i2t", *long), figure("t2i", *long)]
    parameters, seconds = figure("parameters", *long), figure("seconds", Budget.TINY)
    return (
        f"[{facts.name}]({source_file(facts.name).name}): {facts.title}",
        *(str(facts.year), facts.scope.value, facts.space, facts.learns, facts.takes.value),
        f"[{form.value}]({form_file(facts.name, form).name})",
        "measured" if all(maps) else NOT_RUN,
        "–"
        if facts.learns == "closed form"
        else f"{parameters.mean:,.0f}"
        if parameters
        else NOT_RUN,
        f"{seconds.mean:.1f} s" if seconds else NOT_RUN,
        benchmark,
        *(_map(found) for found in maps),
        _printed(facts.name),
    )


def _printed(name: str) -> str:
    """The average that the benchmark's paper prints; of two tasks alone where it ran no more."""
    means = [m.means[MEAN_BIMODAL] for m in published() if m.key == name and m.means]
    return str(means[0].value).removeprefix("0") if means else "–"


def _map(found: Result | None) -> str:
    if found is None:
        return NOT_RUN
    mean, spread = digits(found.mean), digits(found.spread)
    text = f"{mean} ± {spread} ({found.seeds})" if found.seeds > 1 else mean
    return text if found.budget is Budget.FULL else f"{text}, {found.budget.value}"


def _forms(name: str) -> list[Form]:
    module = source_file(name)
    return [form for form in Form if module.with_name(f"{module.stem}.{form}.yaml").is_file()]


def _result(row: dict[str, str]) -> Result:
    texts = {name: row[name] for name in ("method", "benchmark", "figure", "command", "date")}
    return Result(
        **texts,
        form=Form(row["form"]),
        budget=Budget(row["budget"]),
        seeds=int(row["seeds"]),
        mean=float(row["mean"]),
        spread=float(row["spread"]),
    )


def write_table(folder: Path) -> Path:
    """Write README.md from what lies in the folder of baselines; returns its path."""
    path = folder / README
    path.write_text(render_table(read_results(folder / RESULTS)), "utf-8")
    return path


if __name__ == "__main__":
    sys.stdout.write(f"{write_table(source_file(next(iter(BASELINES))).parent)}\n")
