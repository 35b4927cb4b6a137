"""Handing in: a submission with its card becomes one folder of the results store."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from fgbench.benchmark import Benchmark
from fgbench.dataset.io import write_bytes
from fgbench.errors import Fault, FaultyInput, FgbenchError
from fgbench.scoring.run import MAX_RECORD, PER_QUERY, RECORD
from fgbench.scoring.score import Result
from fgbench.scoring.summary import parquet
from fgbench.submission import Submission, check

from .card import FIELDS, complete, read_card, value_faults
from .faults import Code, fault
from .names import MAX_NAME, Named, clash_faults, place, printed_faults


def with_card(
    submission: str | Path,
    card: Path,
    benchmark: Benchmark,
    results: Path | None = None,
    progress: Callable[[float], None] = lambda part: None,
) -> Submission:
    """The submission with the card of a YAML file in place of its own, both sound.

    Fields that the file leaves out are taken from the submission's ``meta``; its other keys are
    not. With ``results`` the name must be free there. Raises ``FaultyInput`` with every fault of
    file, card and name together.
    """
    fields, faults = read_card(card)
    report = check(submission, benchmark, progress)
    faults += report.faults
    opened = report.submission
    if opened is None:
        raise FaultyInput("The submission cannot be handed in", faults)
    whole = complete(fields, opened.meta)
    for name, field in FIELDS.items():
        if name in whole and name not in fields:
            faults += value_faults(f"{opened.path}, meta, {name}", whole[name], field)
    if results is not None and isinstance(fields.get("method"), str):
        faults += _taken(results, Named(str(card), fields["method"], opened.sha256))
    if faults:
        opened.close()
        raise FaultyInput("The submission cannot be handed in", faults)
    return replace(opened, meta=whole)


def hand_in(result: Result, results: Path) -> Path:
    """Write an entry's folder, whole or not at all, and say where.

    The same submission's own folder is replaced. Raises ``FaultyInput`` where the name is another
    submission's or looks like it.
    """
    submission = result.record.submission
    entry = Named("the card", submission["meta"]["method"], submission["sha256"])
    if faults := _taken(results, entry):
        raise FaultyInput("The submission cannot be handed in", faults)
    target = results / place(entry.name, entry.submission)
    # A hidden name, which the check refuses, so that what a killed process left is seen.
    part = results / f".{target.parent.name}-{target.name}.part"
    try:
        if part.is_dir():
            shutil.rmtree(part)
        write_bytes(part / PER_QUERY, parquet(result.per_query))
        write_bytes(part / RECORD, result.record.to_json().encode())
        target.parent.mkdir(exist_ok=True)
        if target.is_dir():
            shutil.rmtree(target)
        part.rename(target)
    except OSError as error:
        raise FgbenchError(
            "FG-L150",
            f"{target} could not be written: {error}",
            why="Nothing was handed in.",
            fix="See to disk space and permissions, then run the same command again.",
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def _taken(results: Path, entry: Named) -> list[Fault]:
    """What speaks against an entry among those that are there; not its own, which it replaces."""
    own = results / place(entry.name, entry.submission)
    faults = printed_faults(entry)
    for folder in sorted(results.glob("*/*/")):
        if folder == own:
            continue
        if (found := _read_name(folder)) is not None:
            faults += clash_faults(entry, found)
        elif folder.parent == own.parent:
            faults.append(fault(Code.SECOND, str(folder), "a record that cannot be read"))
    return faults


def _read_name(folder: Path) -> Named | None:
    """Whose folder it is; None where its record does not say."""
    try:
        if (folder / RECORD).stat().st_size > MAX_RECORD:
            return None
        found: Any = json.loads((folder / RECORD).read_bytes())["submission"]
        name, submission = found["meta"]["method"], found["sha256"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(name, str) or len(name) > MAX_NAME or not isinstance(submission, str):
        return None
    return Named(str(folder), name, submission)
