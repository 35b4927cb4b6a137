"""Making a feature file: in shards, wherever work runs, going on where it was broken off.

A shard is a feature file of a few items in ``<medium>.part/``, kept only when every item of it has
its features, and named by a hash of the extractor, of this package's version and of the items with
their texts or the sizes and times of their files: what has changed is made again. So the bytes of
the whole do not depend on where the work was broken off. ``<medium>.json`` beside the file says
what it was made of, so that what is done is not done again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from fgbench import __version__
from fgbench.collect.crawl.lock import acquire
from fgbench.dataset.io import write_bytes
from fgbench.engine import map_unordered
from fgbench.errors import Fault, FaultyInput, InputError
from fgbench.media.extractor import Extractor
from fgbench.media.features import Features, read_features, unwritable, write_features
from fgbench.media.item import MediaItem
from fgbench.media.parts import ItemParts, Vocabulary, join_extracted, join_parts

SHARD = 32
"""Items of a shard: what is lost at most, a worker, when the work is broken off."""

Progress = Callable[[int], None]
"""Told how many items more are done."""


@dataclass(frozen=True, slots=True)
class _Shard:
    path: Path
    items: tuple[MediaItem, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """What became of a shard: the features of its items, or what is wrong with some."""

    shard: _Shard
    features: Features | None
    faults: tuple[Fault, ...]


def extract(
    items: Sequence[MediaItem],
    extractor: Extractor,
    path: Path,
    *,
    vocabulary: Vocabulary | None = None,
    engine: str = "local",
    workers: int | None = None,
    advance: Progress = lambda count: None,
) -> tuple[Fault, ...]:
    """Write the feature file of items, in their order; or return all faults, and write none.

    A file needs every item: with one row missing it could not be used. What was made is kept for
    the next run, which makes the rest. ``vocabulary``: what the numbers of words stand for, of an
    extractor that gives such. ``engine``, ``workers``: as ``map_unordered`` has them.
    Raises ``InputError`` where another process is at it (FG-F067) or a file is there that was not
    made so (FG-F069), ``FgbenchError`` (FG-F014) where nothing can be written.
    """
    if path.exists() and not _note_path(path).exists():
        raise InputError(
            "FG-F069",
            f"{path} is there already, and was not extracted",
            why="It may be the only copy of somebody's features.",
            fix="Name another folder: --out.",
        )
    folder = path.with_suffix(".part")
    with _held(folder, path):
        fingerprint = extractor.fingerprint
        shards = [
            _shard(folder, fingerprint, items[first : first + SHARD])
            for first in range(0, len(items), SHARD)
        ]
        made_of = hashlib.sha256(" ".join(shard.path.name for shard in shards).encode()).hexdigest()
        if _is_done(path, made_of):
            advance(len(items))
        elif faults := _make(shards, extractor, engine, workers, advance):
            return faults
        else:
            note = {"extractor": fingerprint, "made_of": made_of}
            _write_note(path, note)  # first: a file without one is somebody's own
            write_features(path, _join(shards, vocabulary))
            _write_note(path, note | {"sha256": _digest(path)})
        shutil.rmtree(folder)
    return ()


def _join(shards: Sequence[_Shard], vocabulary: Vocabulary | None) -> Features:
    """The features of all shards. One is open at a time: there may be thousands."""
    ids, rows = [], []

    def parts() -> Iterator[ItemParts]:
        for shard in shards:
            found = read_features(shard.path, parts=True)
            ids.append(found.ids)
            rows.append(found.rows)
            if found.parts is not None:
                yield found.parts

    joined = join_parts(parts(), vocabulary)
    return Features(np.concatenate(ids), np.concatenate(rows), joined)


@contextmanager
def _held(folder: Path, path: Path) -> Iterator[None]:
    """Holds the folder of the shards, made where missing, for this process."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = acquire(folder / ".lock", partial(_busy, folder))
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        yield
    finally:
        os.close(lock)


def _note_path(path: Path) -> Path:
    """``image.json`` says what ``image.npz`` was made of."""
    return path.with_suffix(".json")


def _write_note(path: Path, note: Mapping[str, str]) -> None:
    write_bytes(_note_path(path), (json.dumps(note, indent=2) + "\n").encode())


def _is_done(path: Path, made_of: str) -> bool:
    try:
        note = json.loads(_note_path(path).read_bytes())
        return bool(note["made_of"] == made_of and note["sha256"] == _digest(path))
    except (OSError, ValueError, KeyError, TypeError):  # none there, or not what was written
        return False


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _make(
    shards: Sequence[_Shard],
    extractor: Extractor,
    engine: str,
    workers: int | None,
    advance: Progress,
) -> tuple[Fault, ...]:
    """Write the shards that are not there; the faults of those that cannot be, in their order."""
    missing = [shard for shard in shards if not _is_made(shard)]
    advance(sum(len(shard.items) for shard in shards) - sum(len(s.items) for s in missing))
    faults: dict[Path, tuple[Fault, ...]] = {}
    compute = partial(_compute, extractor)
    if len(missing) == 1:
        workers = 1  # no process is started for it
    for made in map_unordered(compute, missing, engine=engine, workers=workers):
        if made.features is not None:
            write_features(made.shard.path, made.features)
        faults[made.shard.path] = made.faults
        advance(len(made.shard.items))
    return tuple(fault for shard in missing for fault in faults[shard.path])


def _compute(extractor: Extractor, shard: _Shard) -> _Made:
    outcomes = extractor(shard.items)
    faults = tuple(outcome for outcome in outcomes if isinstance(outcome, Fault))
    if faults:
        return _Made(shard, None, faults)
    found = [outcome for outcome in outcomes if not isinstance(outcome, Fault)]
    ids = np.array([item.item_id for item in shard.items])
    features = Features(ids, np.stack([one.vector for one in found]), join_extracted(found))
    return _Made(shard, features, ())


def _shard(folder: Path, fingerprint: str, items: Sequence[MediaItem]) -> _Shard:
    made_of = [fingerprint, __version__, *(_identity(item) for item in items)]
    name = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:32]
    return _Shard(folder / f"{name}.npz", tuple(items))


def _identity(item: MediaItem) -> list[str | int | None]:
    """What tells an item from what it was before, without reading its file."""
    size = changed = None
    if item.path is not None:
        try:
            status = item.path.stat()
            size, changed = status.st_size, status.st_mtime_ns
        except OSError:  # its fault is told when it is read
            pass
    path = None if item.path is None else str(item.path)
    return [item.item_id, item.text, path, size, changed]


def _is_made(shard: _Shard) -> bool:
    """Whether it is there, whole: a disk that was full or a hand may have spoilt it."""
    if not shard.path.exists():
        return False
    try:
        ids: list[str] = read_features(shard.path, parts=True).ids.tolist()
    except FaultyInput:
        return False
    return ids == [item.item_id for item in shard.items]


def _busy(folder: Path, holder: str) -> InputError:
    return InputError(
        "FG-F067",
        f"another process extracts into {folder} ({holder})",
        why="Each would do the work of both.",
        fix="Wait for it, stop it, or give this one another --out.",
    )
