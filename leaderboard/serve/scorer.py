"""The scorer: one submission checked and scored in a process of its own, within hard limits.

``python -m fgbench.leaderboard.serve.scorer JOB`` in the submission's folder; ``JOB`` is a ``Job``
as JSON. It prints a line of JSON for each step and one for how it ended; its results lie in
``scratch/result``. It calls the functions of ``fgbench score --card --to``.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.benchmark import Benchmark, load_benchmark
from fgbench.errors import Fault, FaultyInput, InputError

from .layout import REPORT, RESULT, SCRATCH, Part

if TYPE_CHECKING:
    from fgbench.record import Mean, Record

MAX_FAULTS = 200
MAX_TEXT = 1000
_GRACE = 5
"""CPU seconds between the signal that says what ran out and the one that only ends."""


class Said(StrEnum):
    """What a line says: a step that begins, or how it ended."""

    CHECKING = "checking"
    SCORING = "scoring"
    DONE = "done"
    FAULTY = "faulty"
    MEMORY = "memory"
    FILE = "file"
    OURS = "ours"


@dataclass(frozen=True, slots=True)
class Job:
    """What to score against, within which limits (bytes, CPU seconds, open files)."""

    benchmark: str
    split_column: str | None
    memory: int
    cpu: int
    file: int
    files: int


def confine(job: Job) -> None:
    """Set the limits of this process."""
    # Where the machine itself runs out of memory, rather this process than the server.
    with suppress(OSError):  # a container may not let us
        Path("/proc/self/oom_score_adj").write_text("1000")
    for kind, limit, grace in (
        (resource.RLIMIT_AS, job.memory, 0),
        (resource.RLIMIT_CPU, job.cpu, _GRACE),
        (resource.RLIMIT_FSIZE, job.file, 0),
        (resource.RLIMIT_NOFILE, job.files, 0),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        most = resource.getrlimit(kind)[1]
        hard = limit + grace if most == resource.RLIM_INFINITY else min(limit + grace, most)
        resource.setrlimit(kind, (min(limit, hard), hard))


def main() -> None:
    """Score what lies here; say how it ended, also where memory or room ran out."""
    job = Job(**json.loads(sys.argv[1]))
    confine(job)
    say = _open_speech()
    try:
        benchmark = load_benchmark(job.benchmark, job.split_column)
        try:
            _score(benchmark, say)
            say(Said.DONE, {})
        except InputError as error:
            if _limit(error) is not None:
                raise
            say(Said.FAULTY, {"faults": [asdict(fault) for fault in _faults(error)]})
    except Exception as error:
        if (limit := _limit(error)) is None:
            say(Said.OURS, {"error": _where(error)})
        else:
            say(limit, {})


def _score(benchmark: Benchmark, say: Callable[[Said, Mapping[str, Any]], None]) -> None:
    # Not before the limits hold: these read and compile.
    from fgbench.scoring.score import score

    from ..card import FIELDS, read_card, value_faults
    from ..handin import hand_in, with_card

    card, results = Path(Part.CARD), Path(SCRATCH) / RESULT
    name = read_card(card)[0].get("method", "")
    say(Said.CHECKING, {"name": "" if value_faults("", name, FIELDS["method"]) else name})
    given = with_card(Part.SUBMISSION, card, benchmark, results)
    say(Said.SCORING, {})
    results.mkdir()
    result = score(given, benchmark)
    place = hand_in(result, results)
    summary = summarise(result.record, str(place.relative_to(results)))
    with (results / REPORT).open("x", encoding="utf-8") as file:
        json.dump(summary, file, ensure_ascii=False, allow_nan=False)
        file.flush()
        os.fsync(file.fileno())


def summarise(record: Record, place: str) -> dict[str, Any]:
    """What the ledger keeps of a record: its numbers, and the place of its entry in a store."""

    def short(scores: Mapping[str, Mean]) -> dict[str, Any]:
        return {code: {"map": mean.map, "ci95": mean.ci95} for code, mean in scores.items()}

    return {
        "method": record.submission["meta"]["method"],
        "submission": record.submission["sha256"],
        "place": place,
        "complete": record.complete,
        "missing": dict(record.missing),
        "scores": short(record.scores),
        "means": short(record.means),
        "protocol": record.protocol,
    }


def _open_speech() -> Callable[[Said, Mapping[str, Any]], None]:
    """Says lines on what was stdout; what others print goes where errors go."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(said: Said, values: Mapping[str, Any]) -> None:
        out.write(json.dumps({"said": said, **values}) + "\n")
        out.flush()

    return say


def _faults(error: InputError) -> Iterator[Fault]:
    found = error.faults if isinstance(error, FaultyInput) else (_as_fault(error),)
    for fault in found[:MAX_FAULTS]:
        yield Fault(*(_cut(text) for text in asdict(fault).values()))


def _as_fault(error: InputError) -> Fault:
    return Fault(error.code, "the submission", error.what, error.why, error.fix)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _limit(error: BaseException | None) -> Said | None:
    """Which limit an error comes from, also where another was raised from it."""
    while error is not None:
        number = error.errno if isinstance(error, OSError) else None
        if isinstance(error, MemoryError) or number == errno.ENOMEM:
            return Said.MEMORY
        if number in (errno.EFBIG, errno.ENOSPC):
            return Said.FILE
        error = error.__cause__ or error.__context__
    return None


def _where(error: BaseException) -> str:
    """The kind of an error and its places in the code: no value, which could be a team's."""
    frames = traceback.extract_tb(error.__traceback__)
    places = (f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
    return " ".join((type(error).__name__, getattr(error, "code", "") or "", *places))[:MAX_TEXT]


if __name__ == "__main__":
    main()
