"""Writing a submission: equal inputs give equal bytes, and what is written reads back."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fgbench.errors import FaultyInput
from fgbench.protocol import Medium
from fgbench.submission.archive import refusal
from fgbench.submission.faults import Code
from fgbench.submission.findings import Findings
from fgbench.submission.layout import CODES, META
from fgbench.submission.npz import write_npz
from fgbench.submission.reader import examine

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Name: TypeAlias = Medium | str


def write_submission(
    path: str | os.PathLike[str],
    *,
    ids: Mapping[Name, Sequence[str] | NDArray[np.str_]],
    embeddings: Mapping[Name, ArrayLike] | None = None,
    pairs: Mapping[tuple[Name, Name], tuple[ArrayLike, ArrayLike]] | None = None,
    scores: Mapping[tuple[Name, Name], ArrayLike] | None = None,
    binary: bool = False,
    meta: Mapping[str, Any] | None = None,
) -> None:
    """Write ``submission.npz``: one of ``embeddings``, ``pairs`` and ``scores``, and the ids.

    ``embeddings``: medium to [n, d]. ``pairs``: two media to their two arrays, in that order.
    ``scores``: query and gallery medium to [n_q, n_g]. Rows are in the order of ``ids``. float64 is
    stored as float32. The file appears whole or not at all, and replaces an older one; raises
    ``FaultyInput`` as ``read_submission`` does.
    """
    path = Path(path)
    findings = Findings()
    try:
        with tempfile.TemporaryDirectory(prefix=".fgbench-", dir=path.absolute().parent) as folder:
            draft = Path(folder) / "submission.npz"
            write_npz(draft, _arrays(ids, embeddings, pairs, scores, binary, meta))
            submission, _ = examine(draft, findings)
            if submission is None:
                raise FaultyInput(f"The submission {path} was not written", findings.faults)
            submission.close()
            draft.replace(path)
    except OSError as error:
        reason = error.strerror or error
        raise refusal(Code.OUTPUT, f"{path} cannot be written: {reason}") from error


def _arrays(
    ids: Mapping[Name, Sequence[str] | NDArray[np.str_]],
    embeddings: Mapping[Name, ArrayLike] | None,
    pairs: Mapping[tuple[Name, Name], tuple[ArrayLike, ArrayLike]] | None,
    scores: Mapping[tuple[Name, Name], ArrayLike] | None,
    binary: bool,
    meta: Mapping[str, Any] | None,
) -> Iterator[tuple[str, NDArray[Any]]]:
    """Every member with its name, as ``layout`` has them; what is wrong is left to the reader."""
    for medium, strings in ids.items():
        yield f"{medium}_ids", np.asarray(strings, dtype=np.str_)
    for medium, rows in (embeddings or {}).items():
        yield f"{medium}", _numbers(rows)
    for (a, b), (rows_a, rows_b) in (pairs or {}).items():
        yield f"{a}_{b}/{a}", _numbers(rows_a)
        yield f"{a}_{b}/{b}", _numbers(rows_b)
    for (query, gallery), matrix in (scores or {}).items():
        yield f"scores/{query}_{gallery}", _numbers(matrix)
    if binary:
        yield CODES, np.array("binary")
    if meta is not None:
        yield META, np.array(json.dumps(meta, sort_keys=True, ensure_ascii=False))


def _numbers(values: ArrayLike) -> NDArray[Any]:
    array = np.asarray(values)
    if array.dtype.kind != "f" or array.dtype.itemsize <= 4:
        return array
    with np.errstate(over="ignore"):  # the reader says which rows are infinite in float32
        return array.astype(np.float32)
