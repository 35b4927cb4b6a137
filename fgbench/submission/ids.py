"""The ids in an ``.npz`` file: strings, each once, that can be printed and matched."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from fgbench.submission.faults import Code
from fgbench.submission.findings import EXAMPLES, Findings, quote, several
from fgbench.submission.npz import Npz
from fgbench.submission.strings import decode

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_ID_LENGTH = 512


def read_ids(npz: Npz, name: str, findings: Findings) -> NDArray[np.str_] | None:
    """The ids in a member that ``shapes.is_list``; None where one of them cannot be read."""
    if (array := npz.array(name)) is None:
        return None
    ids, refused = decode(array.map())
    lengths = np.strings.str_len(ids)
    decoded = np.ones(len(ids), dtype=bool)
    decoded[np.concatenate([np.empty(0, np.intp), *refused.values()])] = False
    reasons = {
        **refused,
        "empty": np.flatnonzero((lengths == 0) & decoded),
        "too long": np.flatnonzero(lengths > MAX_ID_LENGTH),
    }
    for reason, rows in reasons.items():
        if len(rows):
            shown = several([f"row {row:,}" for row in rows[:EXAMPLES]], len(rows))
            findings.add(Code.BAD_ID, name, f"{reason}: {shown}")
    _check_duplicates(name, ids, findings)
    return None if any(map(len, reasons.values())) else ids


def _check_duplicates(name: str, ids: NDArray[np.str_], findings: Findings) -> None:
    counts = Counter(ids.tolist())
    twice = [text for text, count in counts.items() if count > 1 and text]
    if twice:
        shown = []
        for text in twice[:EXAMPLES]:
            rows = [f"{row:,}" for row in np.flatnonzero(ids == text)[:EXAMPLES]]
            shown.append(f"{quote(text)} (rows {several(rows, counts[text])})")
        findings.add(Code.DUPLICATE_ID, name, several(shown, len(twice)))
