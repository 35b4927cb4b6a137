"""Two runs side by side, paired by query: differences with intervals, tests and verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fgbench.benchmark import Benchmark, load_benchmark, shipped
from fgbench.errors import Fault, FaultyInput, InputError
from fgbench.protocol import SelfMatch, bimodal_tasks, multimodal_tasks
from fgbench.scoring.pairing import REFUSAL, Pairs, pair
from fgbench.scoring.run import Run, read_run
from fgbench.scoring.significance import (
    ALPHA,
    FLIPS,
    PairedTest,
    Verdict,
    holm,
    is_exact,
    judge,
    paired_test,
)
from fgbench.scoring.uncertainty import DRAWS

if TYPE_CHECKING:
    from fgbench.scoring.score import Result


@dataclass(frozen=True, slots=True)
class Row:
    """One task, or one mean over tasks; ``a`` and ``b`` are MAPs over the shared queries."""

    key: str
    a: float
    b: float
    test: PairedTest
    p_holm: float
    verdict: Verdict

    def to_json(self) -> dict[str, Any]:
        interval = self.test.interval
        return {
            "queries": self.test.queries,
            "a": self.a,
            "b": self.b,
            "difference": self.test.difference,
            "ci95": [interval.low, interval.high] if interval else None,
            "p": self.test.p,
            "p_holm": self.p_holm,
            "verdict": self.verdict.value,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Run ``a`` against run ``b``: the tasks that both have, and the means over all tasks.

    For Holm the tasks are one family of tests and the means another. Intervals are at 95 %.
    """

    a: Run
    b: Run
    benchmark: str
    self_match: SelfMatch
    species: int
    tasks: tuple[Row, ...]
    means: tuple[Row, ...]
    flips: int
    draws: int
    seed: int
    notes: tuple[str, ...]

    @property
    def exact(self) -> bool:
        """Whether the tests went through all signs, not ``flips`` random ones."""
        return is_exact(self.species, self.flips)

    def to_json(self) -> dict[str, Any]:
        """The comparison as strict JSON; differences are a − b."""
        return {
            "a": {"name": self.a.name, "submission": self.a.submission},
            "b": {"name": self.b.name, "submission": self.b.submission},
            "benchmark": self.benchmark,
            "protocol": self.a.protocol,
            "self": self.self_match.value,
            "species": self.species,
            "flips": self.flips,
            "exact": self.exact,
            "draws": self.draws,
            "seed": self.seed,
            "alpha": ALPHA,
            "tasks": {row.key: row.to_json() for row in self.tasks},
            "means": {row.key: row.to_json() for row in self.means},
            "notes": list(self.notes),
        }


def compare(
    a: str | Path | Result,
    b: str | Path | Result,
    *,
    benchmark: Benchmark | str | Path | None = None,
    split_column: str | None = None,
    self_match: SelfMatch = SelfMatch.EXCLUDED,
    flips: int = FLIPS,
    draws: int = DRAWS,
    seed: int = 0,
) -> Comparison:
    """Compare two runs, paired by query: folders that ``fgbench score`` wrote, or its results.

    ``benchmark`` gives the species of each query; by default the shipped one that the records name.
    X→All is compared under ``self_match`` in both runs. Raises ``FaultyInput`` or ``InputError``
    (codes ``FG-C…``) where a run is damaged or was edited, the two were scored by different
    protocols or against different manifests, or they share no query.
    """
    run_a, run_b = _read_runs(a, b)
    ground = _open_benchmark(run_a, benchmark, split_column)
    pairs, gaps = pair(run_a, run_b, ground, self_match)
    means = {
        name: codes
        for name, family in (
            ("bimodal", bimodal_tasks(ground.media)),
            ("multimodal", multimodal_tasks(ground.media)),
        )
        if set(codes := tuple(task.code for task in family)) <= pairs.keys()
    }
    tests = paired_test(
        {code: (pair.a - pair.b, pair.labels) for code, pair in pairs.items()},
        means,
        flips=flips,
        draws=draws,
        seed=seed,
    )
    species = len(np.unique(np.concatenate([pair.labels for pair in pairs.values()])))
    return Comparison(
        a=run_a,
        b=run_b,
        benchmark=ground.id,
        self_match=self_match,
        species=species,
        tasks=_rows({code: (code,) for code in pairs}, pairs, tests),
        means=_rows(means, pairs, tests),
        flips=flips,
        draws=draws,
        seed=seed,
        notes=(*gaps, *_too_few(species, len(pairs))),
    )


def _read_runs(a: str | Path | Result, b: str | Path | Result) -> tuple[Run, Run]:
    (run_a, faults_a), (run_b, faults_b) = read_run(a, "A"), read_run(b, "B")
    faults = faults_a + faults_b
    if run_a and run_b:
        faults += _disagreements(run_a, run_b)
    if faults or not run_a or not run_b:
        raise FaultyInput(REFUSAL, faults)
    return run_a, run_b


def _disagreements(a: Run, b: Run) -> list[Fault]:
    faults = []
    if a.protocol != b.protocol:
        found = f"A {a.protocol[:40]!r}, B {b.protocol[:40]!r}"
        fix = "score both submissions with one version of fgbench"
        faults.append(Fault("FG-C008", "protocol", found, "one protocol", fix))
    if apart := _apart(a, b.files, b.split_column):
        found = f"A {a.benchmark[:40]!r}, B {b.benchmark[:40]!r}: different {apart}"
        fix = "score both submissions against one benchmark"
        faults.append(Fault("FG-C009", "benchmark", found, "the same manifests", fix))
    return faults


def _apart(run: Run, files: Mapping[str, str], split_column: str) -> str:
    """In what a run's manifests differ from these; '' where they do not."""
    parts = [repr(name[:40]) for name in sorted({k for k, _ in run.files.items() ^ files.items()})]
    if split_column != run.split_column:
        parts.append("split column")
    return ", ".join(parts[-8:])


def _open_benchmark(
    run: Run, source: Benchmark | str | Path | None, split_column: str | None
) -> Benchmark:
    if source is None and run.benchmark not in shipped():
        raise InputError(
            "FG-C010",
            f"the benchmark {run.benchmark[:60]!r} does not come with fgbench",
            why="Its manifests say which species each query shows.",
            fix="Say where it lies: --benchmark FOLDER.",
        )
    if isinstance(source, Benchmark):
        ground = source
    else:
        ground = load_benchmark(source or run.benchmark, split_column or run.split_column)
    if apart := _apart(run, ground.files, ground.split_column):
        raise InputError(
            "FG-C011",
            f"the benchmark {ground.id!r} is not the one that the runs were scored against: "
            f"different {apart}",
            why="Its labels may not be those that the scores rest on.",
            fix="Give the benchmark that they were scored against, or score them again.",
        )
    return ground


def _rows(
    over: Mapping[str, tuple[str, ...]],
    pairs: Mapping[str, Pairs],
    tests: Mapping[str, PairedTest],
) -> tuple[Row, ...]:
    """One family of tests: the rows of ``over``, each a mean over task codes, adjusted together."""
    adjusted = holm([tests[key].p for key in over])
    return tuple(
        Row(
            key=key,
            a=float(np.mean([pairs[code].a.mean() for code in codes])),
            b=float(np.mean([pairs[code].b.mean() for code in codes])),
            test=tests[key],
            p_holm=float(p),
            verdict=judge(tests[key].difference, p),
        )
        for (key, codes), p in zip(over.items(), adjusted, strict=True)
    )


def _too_few(species: int, family: int) -> list[str]:
    """Says so where no difference whatever could be significant: p is at least 2 / 2^species."""
    if family * 2 / 2**species <= ALPHA:
        return []
    return [f"{species} species are too few for {family} tasks: no difference could be separable"]
