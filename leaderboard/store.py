"""The results store: ``<method>/<first 12 signs of the submission's SHA-256>/``, read from disk.

Each such folder holds ``record.json`` and ``per_query.parquet``, as ``fgbench score --to`` wrote
them, and nothing else. Beside the methods' folders lies ``verified.yaml``.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fgbench.errors import Fault
from fgbench.protocol import tasks
from fgbench.published import PublishedMethod, published
from fgbench.record import Record, Status
from fgbench.scoring.run import MAX_RECORD, PER_QUERY, RECORD, Run, read_run
from fgbench.submission.findings import quote

from .faults import Code, fault
from .names import MAX_NAME
from .text import escape
from .verification import VERIFIED, Verification, read_verified

README = "README.md"
MAX_DEPTH = 8
"""Levels of a record; the scorer writes five."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A submission on the board.

    ``slug`` and ``name`` are the method's; ``name`` is empty where the record has none that fits.
    ``status`` is what the maintainers say of the entry, seen by ``command``, and not what its
    record says.
    """

    slug: str
    name: str
    folder: Path
    record: Record
    status: Status
    command: str

    @property
    def submission(self) -> str:
        """SHA-256 of what was scored."""
        digest: str = self.record.submission["sha256"]
        return digest


@dataclass(frozen=True, slots=True)
class Printed:
    """A method as its paper prints it: values without intervals or per-query values, unranked.

    ``variants`` are steps of its ablation and reruns by others, no methods of their own.
    """

    slug: str
    method: PublishedMethod
    variants: tuple[PublishedMethod, ...]

    @property
    def status(self) -> Status:
        return Status.FROM_PAPER

    @property
    def complete(self) -> bool:
        """Whether all sixteen values are printed."""
        return {task.code for task in tasks()} <= set(self.method.values)


def from_paper() -> tuple[Printed, ...]:
    """The published methods, in the order of their file; each note is a footnote of its values."""
    known = published()
    return tuple(
        Printed(method.key, method, tuple(v for v in known if v.variant_of == method.key))
        for method in known
        if not method.variant_of
    )


def read_results(
    folder: Path,
    look: Callable[[Entry, Run], None] = lambda entry, run: None,
    progress: Callable[[float], None] = lambda part: None,
) -> tuple[tuple[Entry, ...], list[Fault]]:
    """The entries that can be read, by name of folder; and all that is wrong with the others.

    Read here means: the files are whole and their digests agree. ``check_results`` says whether
    what they say is right. ``look`` is shown each entry with its run, whose per-query values are
    let go after that: of many entries they are much. It is called from several threads at once.
    """
    if not folder.is_dir():
        return (), [fault(Code.NO_RESULTS, str(folder), "no such folder")]
    verified, faults = read_verified(folder / VERIFIED)

    def read(path: Path) -> tuple[Entry | None, list[Fault]]:
        found, wrong = _read_entry(path, verified)
        if found is None:
            return None, wrong
        look(*found)
        return found[0], wrong

    paths, entries = list(_submissions(folder, faults)), []
    with ThreadPoolExecutor(
        len(os.sched_getaffinity(0))
    ) as pool:  # Parquet and NumPy work beside Python
        for number, (entry, wrong) in enumerate(pool.map(read, paths), 1):
            entries += [entry] if entry else []
            faults += wrong
            progress(number / len(paths))
    digests = {_digest(entry.folder / RECORD) for entry in entries}
    if not faults:  # a record that cannot be read is not yet one that is gone
        faults += [
            fault(Code.VERIFIED, f"{folder / VERIFIED}, {quote(digest)}", "of no record here")
            for digest in sorted(verified.keys() - digests)
        ]
    return tuple(entries), faults


def _submissions(folder: Path, faults: list[Fault]) -> Iterator[Path]:
    """The folders that may hold an entry; whatever else lies there is a fault."""
    for method in _sorted(folder):
        if method.name in (README, VERIFIED) and method.is_file() and not method.is_symlink():
            continue
        if not _is_folder(method):
            faults.append(_stray(folder, method))
            continue
        inside = _sorted(method)
        faults += [_stray(folder, path) for path in inside if not _is_folder(path)]
        if not inside:
            faults.append(_stray(folder, method, "an empty folder"))
        yield from filter(_is_folder, inside)


def _sorted(folder: Path) -> list[Path]:
    return sorted(folder.iterdir(), key=lambda path: path.name)


def _is_folder(path: Path) -> bool:
    """Whether it is one that can be entered and spoken of: no link, no name that moves a cursor."""
    return path.is_dir() and not path.is_symlink() and path.name.isprintable()


def _stray(folder: Path, path: Path, found: str = "") -> Fault:
    kind = "a link" if path.is_symlink() else "a folder" if path.is_dir() else "a file"
    where = f"{folder}, {quote(str(path.relative_to(folder)))}"
    return fault(Code.STRAY, where, found or kind)


def _read_entry(
    path: Path, verified: Mapping[str, Verification]
) -> tuple[tuple[Entry, Run] | None, list[Fault]]:
    """The entry of a folder, with its run; or all that is wrong with it."""
    strays = [
        _stray(path, file)
        for file in _sorted(path)
        if file.name not in (RECORD, PER_QUERY) or file.is_symlink() or not file.is_file()
    ]
    if strays:
        return None, strays
    record = path / RECORD
    if record.is_file() and (found := _ambiguous(record)):
        return None, [fault(Code.AMBIGUOUS, str(record), found)]
    run, wrong = read_run(path, "entry")
    if run is None or wrong:
        return None, [replace(f, where=escape(f.where), found=escape(f.found)) for f in wrong]
    given = verified.get(_digest(record), Verification())
    read = Record.from_json(record.read_text("utf-8"))
    name = read.submission["meta"].get("method") if _has_card(read) else None
    entry = Entry(
        slug=path.parent.name,
        name=name if isinstance(name, str) and len(name) <= MAX_NAME else "",
        folder=path,
        record=read,
        status=given.status,
        command=given.command,
    )
    return (entry, run), []


def _has_card(record: Record) -> bool:
    return isinstance(record.submission.get("meta"), dict)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _ambiguous(path: Path) -> str:
    """What makes a JSON file unfit to be read; '' also where it is none, which ``read_run`` says.

    A key that stands twice has two values, of which readers take either. What goes through values
    one by one takes stack by depth, and a small file can be deeper than the stack.
    """
    if path.stat().st_size > MAX_RECORD:
        return ""
    twice: list[str] = []

    def pair(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            twice.extend(key for key, count in Counter(k for k, _ in pairs).items() if count > 1)
        return made

    try:
        level = [json.loads(path.read_bytes(), object_pairs_hook=pair)]
    except RecursionError:
        return f"nested deeper than {MAX_DEPTH} levels"
    except ValueError:
        return ""
    if twice:
        return f"{quote(twice[0])} twice"
    for _ in range(MAX_DEPTH):
        level = [
            child
            for value in level
            if isinstance(value, list | dict)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
    return f"nested deeper than {MAX_DEPTH} levels" if level else ""
