"""The authors' feature files, ``<medium>/features_te.txt``: text without ids, in list order."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from fgbench.errors import FaultyInput
from fgbench.protocol import Medium
from fgbench.submission.archive import refusal
from fgbench.submission.faults import Code
from fgbench.submission.findings import EXAMPLES, Findings, quote, several
from fgbench.submission.format import Progress
from fgbench.submission.shapes import MAX_ITEMS, MAX_WIDTH
from fgbench.submission.writer import write_submission

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fgbench.benchmark import Benchmark

LAYOUTS = ("{medium}/features_te.txt", "{medium}_features_te.txt", "{medium}.txt")
"""Where a medium's file may be in the folder; the first is what the authors' script writes."""

MAX_TEXT = 4 << 30
MAX_LINE = 32 * MAX_WIDTH
"""Bytes of a line; numpy.savetxt writes 25 a number."""

PAPER_VIDEOS, LISTED_VIDEOS = 5_684, 5_682


@dataclass(slots=True)
class Features:
    """The features of one medium's file, as far as they could be read.

    ``rows`` [expected, width] float32 lies in a temporary file; ``lines`` counts those with
    numbers; ``faults`` says what was found in which line.
    """

    path: Path
    expected: int
    rows: NDArray[np.float32] | None = None
    lines: int = 0
    faults: dict[Code, list[str]] = field(default_factory=dict)

    def add(self, code: Code, found: str) -> None:
        self.faults.setdefault(code, []).append(found)


def import_legacy(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    benchmark: Benchmark,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> Mapping[Medium, Path]:
    """Write feature files as a submission in the common space; returns the file of each medium.

    Line k of a file is taken to be test item k of the benchmark. Raises ``FaultyInput`` with all
    faults of all files, ``InputError`` where ``out`` is there already (unless ``force``).
    """
    folder, out = Path(folder), Path(out)
    if out.exists() and not force:
        raise refusal(Code.OUTPUT, f"{out} is there already")
    findings = Findings()
    files = _find(folder, benchmark, findings)
    size = sum(path.stat().st_size for path in files.values())
    done = 0
    features: dict[Medium, Features] = {}
    for medium, path in files.items():
        features[medium] = Features(path, len(benchmark.items[medium]))
        for count in _read(features[medium]):
            done += count
            if progress:
                progress(min(1.0, done / max(1, size)))
        _report(medium, features[medium], folder, findings)
    _check_widths(features, findings)
    if findings:
        raise FaultyInput(f"The features in {folder} cannot be used", findings.faults)
    write_submission(
        out,
        ids={medium: benchmark.items[medium].ids for medium in files},
        embeddings={m: f.rows for m, f in features.items() if f.rows is not None},
    )
    return files


def _find(folder: Path, benchmark: Benchmark, findings: Findings) -> dict[Medium, Path]:
    if not folder.is_dir():
        raise refusal(Code.LEGACY_FILE, f"{folder} is not a folder")
    files: dict[Medium, Path] = {}
    for medium in benchmark.media:
        found = [p for name in LAYOUTS if (p := folder / name.format(medium=medium)).is_file()]
        if len(found) > 1:
            names = " and ".join(str(p.relative_to(folder)) for p in found)
            findings.add(Code.LEGACY_FILE, medium, names, fix="keep one of them")
        if found:
            files[medium] = found[0]
    if len(files) < 2:
        names = ", ".join(str(p.relative_to(folder)) for p in files.values())
        findings.add(Code.LEGACY_FILE, str(folder), names or "none of the files looked for")
    return files


def _read(features: Features) -> Iterator[int]:
    """Read one file line by line; yields the bytes that went by."""
    if (size := features.path.stat().st_size) > MAX_TEXT:
        features.add(Code.LEGACY_SIZE, f"{size:,} bytes")
        return
    try:
        opened = features.path.open("rb")
    except OSError as error:
        features.add(Code.LEGACY_FILE, f"cannot be opened: {error.strerror}")
        return
    blank: list[int] = []
    with opened as file:
        for number, line in enumerate(_lines(file, features), start=1):
            yield len(line)
            if not line.strip():
                blank.append(number)
                continue
            for inside in blank:
                features.add(Code.LEGACY_RAGGED, f"line {inside:,}: blank")
            blank.clear()
            features.lines += 1
            if features.lines > MAX_ITEMS:
                features.add(Code.LEGACY_SIZE, f"more than {MAX_ITEMS:,} lines")
                return
            _take(features, number, line)


def _lines(file: BinaryIO, features: Features) -> Iterator[bytes]:
    while line := file.readline(MAX_LINE):
        if len(line) == MAX_LINE and not line.endswith(b"\n"):
            features.add(Code.LEGACY_SIZE, f"a line of more than {MAX_LINE:,} bytes")
            return
        yield line


def _take(features: Features, number: int, line: bytes) -> None:
    """Put a line's numbers into their row, or note what is wrong with them."""
    try:
        if b"_" in line:  # Python's float takes 1_000; no other reader does
            raise ValueError
        values = np.array([float(word) for word in line.split()])
    except ValueError:
        word = next(w for w in line.split() if b"_" in w or not _is_number(w))
        text = quote(word[:40].decode("utf-8", "replace"))
        features.add(Code.LEGACY_NUMBER, f"line {number:,}: {text}")
        return
    if features.rows is None:
        if len(values) > MAX_WIDTH:
            features.add(Code.LEGACY_SIZE, f"line {number:,}: {len(values):,} numbers")
            return
        with tempfile.TemporaryFile(prefix="fgbench-") as spool:
            shape = (features.expected, len(values))
            features.rows = np.memmap(spool, np.float32, "w+", shape=shape)
    width = features.rows.shape[1]
    if len(values) != width:
        found = f"line {number:,}: {len(values):,} numbers, before it {width:,}"
        features.add(Code.LEGACY_RAGGED, found)
        return
    with np.errstate(over="ignore"):  # what overflows is among what is looked for
        row = values.astype(np.float32)
    if np.isnan(row).any():
        features.add(Code.NAN, f"line {number:,}")
    elif np.isinf(row).any():
        features.add(Code.INFINITE, f"line {number:,}")
    elif not row.any():
        features.add(Code.ZERO_ROW, f"line {number:,}")
    elif features.lines <= features.expected:
        features.rows[features.lines - 1] = row


def _is_number(word: bytes) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _report(medium: Medium, features: Features, folder: Path, findings: Findings) -> None:
    where = str(features.path.relative_to(folder))
    for code, lines in features.faults.items():
        findings.add(code, where, several(lines[:EXAMPLES], len(lines)))
    unread = not {Code.LEGACY_FILE, Code.LEGACY_SIZE}.isdisjoint(features.faults)
    if unread or features.lines == features.expected:
        return
    fix = ""
    counts = (features.lines, features.expected)
    if medium is Medium.VIDEO and counts == (PAPER_VIDEOS, LISTED_VIDEOS):
        fix = (
            "the paper counts 5,684 test videos, the label file that its authors released 5,682: "
            "which two lines have no label is not known, so extract the features of those listed"
        )
    found = f"{features.lines:,} lines for {features.expected:,} test items"
    findings.add(Code.LEGACY_ROWS, where, found, fix=fix)


def _check_widths(features: Mapping[Medium, Features], findings: Findings) -> None:
    widths = {m: f.rows.shape[1] for m, f in features.items() if f.rows is not None}
    if len(set(widths.values())) > 1:
        text = ", ".join(f"{medium} {width:,}" for medium, width in widths.items())
        findings.add(Code.WIDTHS, ", ".join(widths), text)
