"""The parts of a record that per-query values do not prove: held to their form and bounds.

These are the other measures, first places and confusions, and what is said of the submission. Only
scoring the submission again can show whether they are right.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from fgbench.benchmark import RANKS, Benchmark
from fgbench.errors import Fault
from fgbench.protocol import Calibration
from fgbench.record import Record, TaskScore
from fgbench.scoring.summary import MOST_CONFUSED
from fgbench.scoring.values import SECONDARY
from fgbench.submission import Space
from fgbench.submission.findings import quote

from .faults import Code, fault, shorten
from .text import text_faults
from .verification import DIGEST

MAX_TEXT = 500
MAX_NOTES = 50
_KEYS = {"sha256", "space", "binary", "media", "notes", "meta"}


def shape_faults(where: str, record: Record, benchmark: Benchmark) -> list[Fault]:
    """What the scorer would not have written so."""
    faults = [fault(Code.SHAPE, f"{where}, {at}", found) for at, found in _wrong(record, benchmark)]
    texts: dict[str, Any] = {"package_version": record.package_version}
    if isinstance(record.missing, dict):
        texts |= {f"missing.{quote(str(code))[1:-1]}": why for code, why in record.missing.items()}
    notes = record.submission.get("notes")
    if isinstance(notes, list):
        texts |= {f"submission.notes.{at}": note for at, note in enumerate(notes[:MAX_NOTES])}
    for at, text in texts.items():
        if isinstance(text, str):
            faults += text_faults(f"{where}, {at}", text, MAX_TEXT)
        else:
            faults.append(fault(Code.SHAPE, f"{where}, {at}", "no text"))
    return shorten(faults)


def _wrong(record: Record, benchmark: Benchmark) -> Iterator[tuple[str, str]]:
    """Where something is wrong, and what."""
    yield from _wrong_submission(record.submission, benchmark)
    pairwise = record.submission.get("space") != Space.COMMON
    merges = [c.value for c in Calibration] if pairwise else [None]
    if record.merge not in merges:
        yield "merge", quote(str(record.merge))
    codes = {task.code for task in benchmark.tasks}
    if unknown := sorted(record.scores.keys() - codes):
        yield "scores", f"{quote(unknown[0])}, no task of the benchmark"
    if not isinstance(record.missing, dict) or set(record.missing) != codes - set(record.scores):
        yield "missing", "not the tasks without a score"
    if record.complete is not (codes <= set(record.scores)):
        yield "complete", quote(str(record.complete))
    for name, mean in (*record.scores.items(), *record.means.items()):
        if mean.map_paper is not None:
            yield f"{quote(name)[1:-1]}.map_paper", "a value of the paper's convention"
    labels = set(benchmark.labels.tolist())
    for code in sorted(codes & record.scores.keys()):
        for at, found in _wrong_score(record.scores[code], labels):
            yield f"scores.{code}.{at}", found


def _wrong_submission(
    submission: Mapping[str, Any], benchmark: Benchmark
) -> Iterator[tuple[str, str]]:
    if set(submission) != _KEYS:
        yield "submission", "other keys than " + ", ".join(sorted(_KEYS))
    if not DIGEST.fullmatch(submission["sha256"]):
        yield "submission.sha256", quote(submission["sha256"])
    if submission.get("space") not in list(Space):
        yield "submission.space", quote(str(submission.get("space")))
    if not isinstance(submission.get("binary"), bool):
        yield "submission.binary", quote(str(submission.get("binary")))
    media = submission.get("media")
    known = [m.value for m in benchmark.media]
    if not isinstance(media, list) or media != [m for m in known if m in media]:
        yield "submission.media", quote(str(media))
    notes = submission.get("notes")
    if not isinstance(notes, list) or len(notes) > MAX_NOTES:
        yield "submission.notes", f"no list of at most {MAX_NOTES} texts"


def _wrong_score(score: TaskScore, labels: set[int]) -> Iterator[tuple[str, str]]:
    if not _are_shares(score.secondary) or not set(score.secondary) <= set(SECONDARY):
        yield "secondary", f"not values from 0 to 1 of {', '.join(SECONDARY)}"
    first = score.first
    if not _are_shares(first) or set(first) not in ({"species"}, {*RANKS, "other"}):
        yield "first", f"not shares of {', '.join(RANKS)} and other, or of species alone"
    elif "other" in first and not math.isclose(total := sum(first.values()), 1, abs_tol=1e-6):
        yield "first", f"shares whose sum is {total:.6g}"
    if len(score.confused) > MOST_CONFUSED:
        yield "confused", f"{len(score.confused)} pairs"
    for one, other, count in score.confused:
        known_labels = all(type(label) is int and label in labels for label in (one, other))
        if not known_labels or one == other:
            yield "confused", f"{quote(str((one, other)))}, not two labels of the benchmark"
        elif not _is_number(count) or not 0 < count <= _queries(score):
            yield "confused", f"{quote(str(count))} queries"


def _queries(score: TaskScore) -> float:
    return score.queries if _is_number(score.queries) else 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_shares(values: Any) -> bool:
    """Whether it maps names to numbers from 0 to 1, but for rounding."""
    return isinstance(values, dict) and all(
        _is_number(value) and 0 <= value <= 1 + 1e-9 for value in values.values()
    )
