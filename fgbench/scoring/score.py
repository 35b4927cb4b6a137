"""``score``: from a submission to its result, and the result's files."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from fgbench import remote
from fgbench.benchmark import DEFAULT, Benchmark, load_benchmark
from fgbench.dataset.io import read_bytes, write_bytes
from fgbench.errors import FaultyInput, InputError
from fgbench.protocol import Calibration, Convention
from fgbench.record import Record
from fgbench.scoring.evaluate import evaluate
from fgbench.scoring.run import PER_QUERY, RECORD
from fgbench.scoring.similarity import numpy_product, torch_product
from fgbench.scoring.summary import parquet, per_query, summarise
from fgbench.scoring.uncertainty import DRAWS
from fgbench.submission import Report, Submission, check


@dataclass(frozen=True, slots=True)
class Result:
    """A scored submission.

    ``per_query``: item_id, task, ap_excluded, ap_included (null but for X→All), float32;
    ``record``: what is published; ``run``: time, threads and machine, kept apart since they differ
    from run to run.
    """

    record: Record
    per_query: pa.Table
    run: Mapping[str, Any]

    def write(self, folder: str | Path, *, force: bool = False) -> None:
        """Write record.json, per_query.parquet and run.json, the record last; each whole or not.

        ``folder``: a path or an fsspec URL. Refuses (FG-R002) to replace another submission's
        record unless ``force``; ``FgbenchError`` (FG-D010) where it cannot be written.
        """
        if not force and _is_taken(remote.join(folder, RECORD), self.record):
            raise InputError(
                "FG-R002",
                f"{remote.show_url(str(folder))} holds the record of another submission",
                why="It would be lost.",
                fix="Choose another --out, or say --force.",
            )
        write_bytes(remote.join(folder, PER_QUERY), parquet(self.per_query))
        run = json.dumps(dict(self.run), indent=1) + "\n"
        write_bytes(remote.join(folder, "run.json"), run.encode())
        write_bytes(remote.join(folder, RECORD), self.record.to_json().encode())


def score(
    submission: str | Path | Submission,
    benchmark: str | Path | Benchmark = DEFAULT,
    *,
    calibration: Calibration = Calibration.ZROW,
    convention: Convention = Convention.SOUND,
    device: str | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    progress: Callable[[str, float], None] = lambda stage, part: None,
) -> Result:
    """Check and score a submission: every task that it covers, with intervals.

    ``calibration``: how X→All merges separately learned similarities. ``convention``: PAPER adds
    ``map_paper``, the authors' tie rule, for comparison with printed tables. ``device``: a torch
    device for the products (extra ``train``), else NumPy. ``draws``, ``seed``: of the bootstrap
    over species. ``progress`` is told a stage and its part done. Raises ``FaultyInput`` with every
    fault of the file, ``InputError`` where nothing can be scored.
    """
    started = time.perf_counter()
    bench = benchmark if isinstance(benchmark, Benchmark) else load_benchmark(benchmark)
    report = check(submission, bench, lambda part: progress("checking", part))
    opened = _sound(report)
    try:
        checked = time.perf_counter()
        values = evaluate(
            opened,
            bench,
            calibration=calibration,
            stable=convention is Convention.PAPER,
            product=torch_product(device) if device else numpy_product,
            progress=lambda part: progress("ranking", part),
        )
        ranked = time.perf_counter()
        table = per_query(bench, values)
        record = summarise(opened, report, bench, values, table, calibration, draws, seed)
    finally:
        if opened is not submission:
            opened.close()
    ended = time.perf_counter()
    run = {
        "seconds": {
            "check": round(checked - started, 3),
            "rank": round(ranked - checked, 3),
            "record": round(ended - ranked, 3),
            "total": round(ended - started, 3),
        },
        "threads": len(os.sched_getaffinity(0)),
        "device": device or "cpu (NumPy)",
        "machine": platform.machine(),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    return Result(record, table, run)


def _sound(report: Report) -> Submission:
    if report.faults:
        raise FaultyInput("The submission cannot be scored", report.faults)
    if report.submission is None or report.coverage is None or not report.coverage.scored:
        raise InputError(
            "FG-R003",
            "the submission covers no task of the benchmark",
            why="A task needs a query medium and a gallery medium.",
            fix="Submit two media of the benchmark, or a pair's space or score matrix.",
        )
    return report.submission


def _is_taken(target: str | Path, record: Record) -> bool:
    """Whether a record of another submission, or what else has its name, is there."""
    path = remote.local_path(target)
    if not (remote.exists(str(target)) if path is None else path.is_file()):
        return False
    try:
        held = json.loads(read_bytes(target))["submission"]["sha256"]
    except (ValueError, KeyError, TypeError):
        return True
    return bool(held != record.submission["sha256"])
