"""A copy of a build to keep or to give away: whole, or with pointers for what may not be passed on.

A pointer is a row without content. It says where the item is and how to know it again: a text by
its ``item_id``, which is the hash of its words, a file by its ``sha256``. A build that fetches the
same page finds the same id. Everything beside the tables is made anew, in accord with them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from fgbench import remote
from fgbench.dataset.collected import recorded
from fgbench.dataset.contents import ABSENT_FILE, REJECTED_FILE, Contents, read_contents
from fgbench.dataset.description import describe
from fgbench.dataset.io import SUMS, read_bytes, read_table, write_benchmark, write_table
from fgbench.dataset.schema import ABSENT, MANIFESTS, REJECTED, Column, Row
from fgbench.errors import Fault, FaultyInput, FgbenchError, InputError
from fgbench.manifest import show
from fgbench.protocol import Medium

_TABLES: Mapping[str, Sequence[Column]] = {
    **{f"{medium}.parquet": columns for medium, columns in MANIFESTS.items()},
    REJECTED_FILE: REJECTED,
    ABSENT_FILE: ABSENT,
}
_CONTENT = ("text", "path", "detail")
"""The columns that hold content, or quote it: null in a pointer."""
_MANIFESTS, _BENCHMARK = "manifests", "benchmark.json"


class What(StrEnum):
    """Which items an export holds whole; the others are pointers."""

    WHOLE = "whole"
    """All that the folder holds: for whoever may have it."""
    REDISTRIBUTABLE = "redistributable"
    """Those whose licence allows passing them on."""
    POINTERS = "pointers"
    """None."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: items of each medium that are whole, that are pointers, and media files.

    ``restricted``: whole items that may not be passed on.
    """

    whole: Mapping[Medium, int]
    pointers: Mapping[Medium, int]
    restricted: int
    media_files: int


def export(source: str | Path, target: str, what: What = What.WHOLE) -> Exported:
    """Copy a build folder to a new folder or an fsspec URL.

    A folder appears whole or not at all; at a URL benchmark.json and SHA256SUMS come last, so that
    a copy that was broken off does not look whole, and exporting again completes it. Raises
    ``InputError`` where the target is in use (FG-T001) or the source is no build (FG-T002),
    ``FaultyInput`` where media are not as their rows say (FG-T003) or a table is at fault (FG-D…).
    """
    folder = remote.local_path(target)
    _check_free(target, folder)
    contents = read_contents(source)
    tables = {
        name: [_keep(row, what) for row in rows] for name, rows in _read_tables(contents).items()
    }
    root = contents.folder.parent if contents.folder.name == _MANIFESTS else contents.folder
    media = _check_media(root, [row for rows in tables.values() for row in rows])
    with _staging(folder) as part:
        _write_manifests(part / _MANIFESTS, contents, tables)
        if folder is None:
            _upload(part / _MANIFESTS, root, media, target)
        else:
            for path in media:
                (part / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(root / path, part / path)
            part.replace(folder)
    return _summarise(tables, len(media))


def _check_free(target: str, folder: Path | None) -> None:
    if folder is None:
        used = remote.exists(f"{target.rstrip('/')}/{_MANIFESTS}/{SUMS}")
    else:
        used = folder.is_symlink() or (folder.exists() and not _is_empty(folder))
    if used:
        raise _in_use(target)


def _in_use(target: str) -> InputError:
    return InputError(
        "FG-T001",
        f"{remote.show_url(target)} is there already",
        why="An export replaces nothing: what is there might be the only copy.",
        fix="Name a new folder, or remove that one.",
    )


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _read_tables(contents: Contents) -> dict[str, list[Row]]:
    """The rows of every table; strictly, as only a build has all the columns."""
    strange = sorted(set(contents.files) - set(_TABLES))
    if strange or not (contents.folder / _BENCHMARK).is_file():
        found = f"it holds {show(strange[0])}" if strange else f"it has no {_BENCHMARK}"
        raise InputError(
            "FG-T002",
            f"{contents.folder} is not what a build leaves: {found}",
            why="What may be passed on stands in the columns that a build writes.",
            fix="Name the folder that was given to `fgbench build-data --out`.",
        )
    tables: dict[str, list[Row]] = {}
    faults: list[Fault] = []
    for name in contents.files:
        try:
            tables[name] = read_table(contents.folder / name, _TABLES[name]).to_pylist()
        except FaultyInput as error:
            faults += error.faults
    if faults:
        raise FaultyInput(f"{contents.folder} cannot be exported", faults)
    return tables


def _keep(row: Row, what: What) -> Row:
    """The row, or the pointer that stands for it."""
    if what is What.WHOLE or (what is What.REDISTRIBUTABLE and row.get("redistributable", True)):
        return row
    return {**row, **{name: None for name in _CONTENT if name in row}}


def _check_media(root: Path, rows: Sequence[Row]) -> list[str]:
    """The paths of the files that rows name, each found to be what its row says."""
    faults: list[Fault] = []
    paths: dict[str, str | None] = {}
    for row in rows:
        if row.get("path"):
            paths[row["path"]] = row.get("sha256")
    for path, expected in sorted(paths.items()):
        if (found := _state(root, path)) != expected:
            fix = "build again, or take the row out"
            faults.append(Fault("FG-T003", path, found, expected or "a hash in its row", fix))
    if faults:
        raise FaultyInput("Media files are not as their rows say", faults)
    return sorted(paths)


def _state(root: Path, path: str) -> str:
    """The SHA-256 of a file, or why it has none."""
    try:
        whole = (root / path).resolve()
        if not whole.is_relative_to(root.resolve()):
            return "a file outside the build"
        with whole.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, RuntimeError) as error:  # none there, or links in a loop
        return show(str(error))


@contextmanager
def _staging(folder: Path | None) -> Iterator[Path]:
    """A folder to write into, beside the one that it will become; gone afterwards in any case."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="fgbench-export-") as part:
            yield Path(part)
        return
    whole = Path(os.path.abspath(folder))  # noqa: PTH100  # no link is followed
    staging = whole.with_name(f".{whole.name}.{os.getpid()}.part")
    try:
        staging.mkdir(parents=True)
        yield staging
    except OSError as error:
        raise FgbenchError(
            "FG-T004",
            f"{folder} could not be written: {error}",
            why="Nothing of it was left behind.",
            fix="See to disk space and permissions, then run the same command again.",
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _write_manifests(folder: Path, contents: Contents, tables: Mapping[str, list[Row]]) -> None:
    for name, rows in tables.items():
        write_table(folder / name, rows, _TABLES[name])
    write_benchmark(folder, contents.id, contents.title, contents.splits[0])
    describe(folder, recorded(contents.folder))


def _upload(folder: Path, root: Path, media: Sequence[str], target: str) -> None:
    """Media, then manifests, those that say it is whole last."""
    base = target.rstrip("/")
    benchmark = f"{base}/{_MANIFESTS}/{_BENCHMARK}"
    if remote.exists(benchmark) and read_bytes(benchmark) != read_bytes(folder / _BENCHMARK):
        raise _in_use(target)  # no copy of this build that was broken off
    for path in media:
        remote.upload(root / path, f"{base}/{path}")
    last = (_BENCHMARK, SUMS)
    others = sorted(path.name for path in folder.iterdir() if path.name not in last)
    for name in (*others, *last):
        remote.upload(folder / name, f"{base}/{_MANIFESTS}/{name}")


def _summarise(tables: Mapping[str, list[Row]], media_files: int) -> Exported:
    whole: dict[Medium, int] = {}
    pointers: dict[Medium, int] = {}
    restricted = 0
    for medium in Medium:
        rows = tables.get(f"{medium}.parquet")
        if rows is not None:
            held = [row for row in rows if row.get("text") or row.get("path")]
            whole[medium], pointers[medium] = len(held), len(rows) - len(held)
            restricted += sum(not row["redistributable"] for row in held)
    return Exported(whole, pointers, restricted, media_files)
