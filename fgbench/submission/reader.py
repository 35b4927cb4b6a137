"""Reading a submission: all structural faults of the file are found before anything is used.

Memory stays under 512 MiB whatever the file says: the ids (``shapes.MAX_ID_BYTES`` a medium,
a few times over while they are decoded), the zip's directory, and a block of rows at a time
(``array.BLOCK_BYTES``). Deflated members are unpacked into a temporary file of at most
``archive.MAX_BYTES``; others are mapped where they lie. A file at a URL is first copied there too.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fgbench import remote
from fgbench.errors import FaultyInput
from fgbench.protocol import MEDIA, Medium
from fgbench.submission.archive import MAX_BYTES
from fgbench.submission.array import StoredArray
from fgbench.submission.card import MAX_CHARACTERS, read_card
from fgbench.submission.faults import Code
from fgbench.submission.findings import Findings, quote
from fgbench.submission.format import Key, Progress, Space, Submission
from fgbench.submission.ids import read_ids
from fgbench.submission.layout import ARRAYS, CODES, IDS, META, check_names
from fgbench.submission.npz import Npz
from fgbench.submission.shapes import check_shapes
from fgbench.submission.strings import decode
from fgbench.submission.values import Meaning, scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

Ids: TypeAlias = "dict[Medium, NDArray[np.str_]]"


def read_submission(source: str | os.PathLike[str], progress: Progress | None = None) -> Submission:
    """Read a submission, looking at every number; whether it fits a benchmark, ``check`` says.

    ``source``: a path or an fsspec URL. Raises ``FaultyInput`` with all structural faults of the
    file (codes ``FG-S…``), ``InputError`` where there is no file to read (of a URL, ``FG-D…``).
    """
    findings = Findings()
    submission, _ = examine(source, findings, progress)
    if submission is None:
        name = remote.show_url(os.fspath(source))
        raise FaultyInput(f"The submission {name} cannot be used", findings.faults)
    return submission


def examine(
    source: str | os.PathLike[str], findings: Findings, progress: Progress | None = None
) -> tuple[Submission | None, Ids]:
    """The submission, or None where ``findings`` has faults; and all ids that could be read.

    Later steps go on with what earlier ones found sound, so that one report has all faults and
    none that only follows from another.
    """
    with remote.fetched_file(os.fspath(source), MAX_BYTES) as path:
        # Once open, a copy is read without its name, and is gone when it is closed.
        npz = Npz(path, findings, progress)
    arrays: dict[Key, StoredArray] = {}
    try:
        if npz.names or not findings:
            check_names(npz.names, findings)
        binary = _read_codes(npz, findings)
        meta = _read_meta(npz, findings)
        sound = check_shapes(npz.headers, binary, findings)
        ids = _read_ids(npz, sound, findings)
        arrays = _read_arrays(npz, sound, ids, binary, findings)
        if findings:
            return None, ids
    finally:
        npz.keep(() if findings else arrays.values())
    space = ARRAYS[next(n for n in ARRAYS if n in npz.names)].space
    pairs = {key[:2] for key in arrays} if space is Space.PAIRWISE else ()
    submission = Submission(
        path=remote.show_url(os.fspath(source)),
        sha256=npz.sha256,
        space=space,
        binary=binary and space is not Space.SCORES,
        media=tuple(m for m in MEDIA if m in ids),
        ids=ids,
        meta=meta,
        notes=tuple(findings.notes),
        pairs=tuple((a, b) for a, b in combinations(MEDIA, 2) if (a, b) in pairs),
        arrays=arrays,
    )
    return submission, ids


def _read_string(npz: Npz, name: str, code: Code, findings: Findings) -> str | None:
    """The one string in the member ``name``; None without it or with a fault."""
    if (header := npz.headers.get(name)) is None:
        return None
    if header.dtype.kind not in "US" or math.prod(header.shape) != 1:
        found = f"{header.dtype} of shape {header.shape}"
        findings.add(code, name, found, expected="one string")
    elif header.data_bytes > 4 * MAX_CHARACTERS:
        findings.add(code, name, f"{header.data_bytes:,} bytes")
    elif array := npz.array(name):
        strings, refused = decode(array.map().reshape(1), control=True)
        if not refused:
            return str(strings[0])
        findings.add(code, name, f"{next(iter(refused))}")
    return None


def _read_codes(npz: Npz, findings: Findings) -> bool:
    text = _read_string(npz, CODES, Code.CODES, findings)
    if text is not None and text != "binary":
        findings.add(Code.CODES, CODES, quote(text))
    if text and any(ARRAYS[n].space is Space.SCORES for n in npz.names if n in ARRAYS):
        findings.note("codes has no meaning beside score matrices and is ignored")
    return text == "binary"


def _read_meta(npz: Npz, findings: Findings) -> Mapping[str, Any]:
    text = _read_string(npz, META, Code.META, findings)
    return {} if text is None else read_card(text, findings)


def _read_ids(npz: Npz, sound: set[str], findings: Findings) -> Ids:
    """The ids of each medium where all of them can be read."""
    lists = {m: read_ids(npz, name, findings) for name, m in IDS.items() if name in sound}
    return {medium: ids for medium, ids in lists.items() if ids is not None}


def _read_arrays(
    npz: Npz, sound: set[str], ids: Ids, binary: bool, findings: Findings
) -> dict[Key, StoredArray]:
    """The arrays, every number looked at; notes what was accepted though it is unusual."""
    arrays: dict[Key, StoredArray] = {}
    lows: dict[int, str] = {}
    unusual: dict[str, list[str]] = {}
    for name, slot in ARRAYS.items():
        if name not in sound or (array := npz.array(name)) is None:
            continue
        meaning = Meaning.CODES if binary else Meaning.VECTORS
        if slot.space is Space.SCORES:
            meaning = Meaning.SCORES
        tally = scan(array, meaning, npz.advance)
        rows = ids.get(slot.rows)
        known = rows if rows is not None and len(rows) == array.shape[0] else None
        tally.report(name, array.shape[0], known, findings)
        lows |= dict.fromkeys(tally.lows, name)
        arrays[slot.key] = array
        if not binary and array.dtype.newbyteorder("=") != np.float32:
            unusual.setdefault(f"{array.dtype.name}, read as float32", []).append(name)
        if array.shape[1] == 1 and slot.space is not Space.SCORES:
            unusual.setdefault("of width 1, so that a cosine is but a sign", []).append(name)
    for what, names in unusual.items():
        findings.note(f"{', '.join(names)}: {what}")
    if len(lows) > 1:
        found = f"0 in {lows[0]}, −1 in {lows[-1]}"
        findings.add(Code.NOT_BINARY, ", ".join(sorted(set(lows.values()))), found)
    return arrays
