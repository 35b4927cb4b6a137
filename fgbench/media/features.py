"""Feature files: a folder with ``<medium>.npz``, a vector for each item of training and test.

Members ``ids`` [n], strings, and ``features`` [n, d], float32; those of :mod:`part_members` where
items have parts, which are read where they are asked for. Whatever else is in the file is not read.
What is wrong with the file itself has the number that docs/submission.md gives it: FG-F040 for
FG-S040.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fgbench import remote
from fgbench.errors import Fault, FaultyInput, FgbenchError, InputError
from fgbench.manifest import show
from fgbench.media.part_members import PartReader, has_parts, write_parts
from fgbench.media.parts import ItemParts
from fgbench.protocol import Medium
from fgbench.submission.archive import MAX_BYTES
from fgbench.submission.array import StoredArray
from fgbench.submission.faults import Code
from fgbench.submission.findings import EXAMPLES, Findings, several
from fgbench.submission.ids import read_ids
from fgbench.submission.npz import Npz, write_npz
from fgbench.submission.shapes import is_list, is_matrix
from fgbench.submission.values import Meaning, scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

_IDS, _ROWS = "ids", "features"
_WRITE = "write it with fgbench features, or with numpy.savez(path, ids=…, features=…)"
_FIXES: Mapping[str, str] = {
    Code.NO_ARCHIVE: _WRITE,
    Code.TOO_LARGE: "store float32 or float16",
    Code.NAN: "find the items that the extractor fails on",
}
"""Where a feature file is mended otherwise than a submission."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """The features of a medium: ``ids`` [n], ``rows`` [n, d] float32, the parts of items if any."""

    ids: NDArray[np.str_]
    rows: NDArray[np.float32]
    parts: ItemParts | None = None

    @property
    def width(self) -> int:
        return int(self.rows.shape[1])

    def select(self, ids: NDArray[np.str_]) -> Features:
        """Those of some ids, in that order, in memory; ``KeyError`` for an unknown one."""
        places = {item: place for place, item in enumerate(self.ids.tolist())}
        wanted = np.array([places[item] for item in ids.tolist()], np.int64)
        parts = None if self.parts is None else self.parts.select(wanted)
        return Features(ids, self.rows[wanted], parts)


@dataclass(frozen=True, slots=True)
class FeatureFolder:
    """What a folder holds for the items that were asked for; ``notes``: what else is to be said."""

    features: Mapping[Medium, Features]
    notes: tuple[str, ...]


def feature_path(folder: Path, medium: Medium) -> Path:
    """The feature file of a medium."""
    return folder / f"{medium}.npz"


def read_features(path: Path, *, parts: bool = False) -> Features:
    """The features in a file; with ``parts`` those of the items that it has, else none.

    Raises ``FaultyInput`` with all its faults (FG-F…).
    """
    features, faults = _examine(path, parts)
    if features is None:
        raise FaultyInput(f"The features {path} cannot be used", faults)
    return features


def read_folder(
    source: str | Path, wanted: Mapping[Medium, NDArray[np.str_]], *, parts: bool = False
) -> FeatureFolder:
    """The features of all ``wanted`` items, media in their order, rows in the order of the ids.

    ``source``: a folder, by its path or fsspec URL; of a URL, the files are copied for the while,
    ``MAX_BYTES`` together at most. ``parts``: with the items' parts, where a file has them. A
    medium without a file is left out, other items than those wanted are too: notes say so.
    Raises ``FaultyInput`` with the faults of all files: FG-F001 no file at all, FG-F052 items
    without features, and those of the files themselves; ``InputError`` (FG-D…) for a URL that
    cannot be fetched.
    """
    if (path := remote.local_path(source)) is not None:
        return _read_folder(path, path, wanted, parts)
    names = [feature_path(Path(), medium).name for medium in wanted]
    with remote.fetched(str(source), names, MAX_BYTES) as copy:
        return _read_folder(copy, remote.show_url(str(source)), wanted, parts)


def _read_folder(
    folder: Path, name: str | Path, wanted: Mapping[Medium, NDArray[np.str_]], parts: bool
) -> FeatureFolder:
    """``name``: what the folder is called in messages."""
    refusal = f"The features {name} cannot be used"
    there = [medium for medium in wanted if feature_path(folder, medium).exists()]
    if not there:
        raise FaultyInput(refusal, [_nothing(folder, name, wanted)])
    notes = [f"no {medium}.npz: {medium} is left out" for medium in wanted if medium not in there]
    found: dict[Medium, Features] = {}
    faults: list[Fault] = []
    for medium in there:
        features, wrong = _examine(feature_path(folder, medium), parts)
        faults += wrong
        if features is None:
            continue
        ids = wanted[medium]
        held = set(features.ids.tolist())
        if missing := [item for item in ids.tolist() if item not in held]:
            faults.append(_missing(medium, missing, len(ids)))
            continue
        if others := len(held) - len(ids):
            rows = f"{others:,} of {len(held):,} rows"
            notes.append(f"{medium}.npz: {rows} are of no item of the benchmark, and not used")
        found[medium] = features.select(ids)
    if faults:
        raise FaultyInput(refusal, faults)
    return FeatureFolder(found, tuple(notes))


def write_features(path: Path, features: Features) -> None:
    """Write a feature file, whole or not at all; equal features give equal bytes.

    Raises ``FaultyInput`` as ``read_features`` does, ``FgbenchError`` (FG-F014) where it cannot be
    written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            rows = np.ascontiguousarray(features.rows, np.float32)
            parts = () if features.parts is None else write_parts(features.parts)
            write_npz(part, ((_IDS, features.ids), (_ROWS, rows), *parts))
            read_features(part, parts=True)
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> FgbenchError:
    """The error of a file that could not be written (FG-F014)."""
    return FgbenchError(
        "FG-F014",
        f"{path} could not be written: {error}",
        why="The file that was there before, if any, is unchanged.",
        fix="See to disk space and permissions, then run the same command again.",
    )


def _nothing(folder: Path, name: str | Path, wanted: Mapping[Medium, NDArray[np.str_]]) -> Fault:
    found = "no feature file" if folder.is_dir() else "no such folder"
    expected = " or ".join(f"{medium}.npz" for medium in wanted)
    return Fault("FG-F001", str(name), found, expected, "fgbench features writes such a folder")


def _missing(medium: Medium, missing: list[str], total: int) -> Fault:
    return Fault(
        "FG-F052",
        f"{medium}.npz, {_IDS}",
        f"{len(missing):,} of {total:,} items have no row: "
        + several([show(item) for item in missing[:EXAMPLES]], len(missing)),
        "every training and test item of the benchmark, by its item_id",
        "extract the features of this benchmark, or name the one that they are of",
    )


def _examine(path: Path, parts: bool) -> tuple[Features | None, list[Fault]]:
    """The features in a file, or its faults."""
    findings = Findings()
    try:
        features, of_parts = _read(Npz(path, findings, None), findings, parts)
    except InputError as error:  # no file that could be opened
        code = error.code.replace("FG-S", "FG-F")
        return None, [Fault(code, path.name, error.what, "a feature file", error.fix)]
    return features, [_own(fault, path) for fault in (*findings.faults, *of_parts)]


def _read(npz: Npz, findings: Findings, parts: bool) -> tuple[Features | None, list[Fault]]:
    """The features, or None where ``findings`` or parts have faults; and those of parts alone."""
    try:
        features = _read_vectors(npz, findings)
        if not (parts and has_parts(npz)):
            return features, []
        ids = npz.headers.get(_IDS)
        items = ids.shape[0] if ids and len(ids.shape) == 1 else None
        reader = PartReader(npz, items, findings)
        of_items = reader.read()
        if features is None or of_items is None:
            return None, reader.faults
        return replace(features, parts=of_items), []
    finally:
        npz.keep(())


def _read_vectors(npz: Npz, findings: Findings) -> Features | None:
    """Ids and vectors, copied out of the file."""
    for name in (_IDS, _ROWS):
        if name not in npz.names and not (findings and not npz.names):
            there = ", ".join(map(show, sorted(npz.names)[:EXAMPLES])) or "nothing"
            found = f"no {name!r}, but {there}"
            expected = f"the members {_IDS!r} and {_ROWS!r}"
            findings.add(Code.MISSING_MEMBER, "the file", found, expected=expected, fix=_WRITE)
    lists = npz.headers.get(_IDS)
    matrix = npz.headers.get(_ROWS)
    ids = read_ids(npz, _IDS, findings) if lists and is_list(_IDS, lists, findings) else None
    if matrix is None or not is_matrix(_ROWS, matrix, findings):
        return None
    if lists and len(lists.shape) == 1 and lists.shape[0] != matrix.shape[0]:
        found = f"{matrix.shape[0]:,} rows for {lists.shape[0]:,} ids"
        findings.add(Code.ROWS, _ROWS, found)
    rows = _read_rows(npz.array(_ROWS), ids, findings)
    return None if findings or ids is None or rows is None else Features(ids, rows)


def _read_rows(
    array: StoredArray | None, ids: NDArray[np.str_] | None, findings: Findings
) -> NDArray[np.float32] | None:
    """A matrix in float32, all of it finite. A row of zeros is a text without a known word."""
    if array is None:
        return None
    known = ids if ids is not None and len(ids) == array.shape[0] else None
    tally = scan(array, Meaning.SCORES, lambda count: None)
    tally.report(_ROWS, array.shape[0], known, findings)
    return None if tally.counts else np.array(array.map(), np.float32, order="C")


def _own(fault: Fault, path: Path) -> Fault:
    """A fault of an ``.npz`` file as one of a feature file."""
    where = path.name if fault.where == "the file" else f"{path.name}, {fault.where}"
    code = fault.code.replace("FG-S", "FG-F")
    return replace(fault, code=code, where=where, fix=_FIXES.get(fault.code, fault.fix))
