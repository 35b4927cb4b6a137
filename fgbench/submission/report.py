"""Checking a submission against a benchmark: every fault at once, and what can be scored."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fgbench.errors import Fault
from fgbench.protocol import Medium, Task
from fgbench.submission.findings import Findings
from fgbench.submission.format import Progress, Space, Submission, pair
from fgbench.submission.matching import check_ids
from fgbench.submission.reader import examine

if TYPE_CHECKING:
    from fgbench.benchmark import Benchmark


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which tasks of the benchmark can be scored, and for the others what they lack."""

    scored: tuple[Task, ...]
    missing: Mapping[Task, str]

    @property
    def complete(self) -> bool:
        return not self.missing


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found. ``submission`` and ``coverage`` are None where there are faults."""

    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    submission: Submission | None
    coverage: Coverage | None

    @property
    def ok(self) -> bool:
        return not self.faults


def check(
    source: str | os.PathLike[str] | Submission,
    benchmark: Benchmark,
    progress: Progress | None = None,
) -> Report:
    """Everything that is wrong with a submission, in the file and against the benchmark.

    ``source``: a path, an fsspec URL or a submission that was read. Raises ``InputError`` only
    where there is no file to read.
    """
    findings = Findings()
    submission: Submission | None
    if isinstance(source, Submission):
        submission, ids = source, source.ids
    else:
        submission, ids = examine(source, findings, progress)
    notes = submission.notes if submission else tuple(findings.notes)
    check_ids(ids, benchmark, findings)
    if submission is None or findings:
        if submission is not None and submission is not source:
            submission.close()
        return Report(findings.faults, notes, None, None)
    return Report((), notes, submission, cover(submission, benchmark))


def cover(submission: Submission, benchmark: Benchmark) -> Coverage:
    """Which of the benchmark's tasks a submission has the numbers for."""
    missing: dict[Task, str] = {}
    for task in benchmark.tasks:
        galleries = (task.gallery,) if task.gallery else benchmark.media
        lacks = [lack for g in galleries if (lack := _lack(submission, task.query, g))]
        if lacks:
            missing[task] = ", ".join(dict.fromkeys(lacks))
    return Coverage(tuple(t for t in benchmark.tasks if t not in missing), missing)


def _lack(submission: Submission, query: Medium, gallery: Medium) -> str:
    """What is missing to compare two media, '' where nothing is."""
    absent = [m for m in (query, gallery) if m not in submission.media]
    if absent:
        return f"no {absent[0]}"
    if submission.space is Space.PAIRWISE and query is not gallery:
        a, b = pair(query, gallery)
        return "" if (a, b) in submission.pairs else f"no {a}_{b}"
    if submission.space is Space.SCORES and submission.scores(query, gallery) is None:
        return f"no scores/{query}_{gallery}"
    return ""
