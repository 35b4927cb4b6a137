"""Strings of an untrusted array: decoded, or refused with the reason, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LAST_POINT, FIRST_SURROGATE, LAST_SURROGATE = 0x10FFFF, 0xD800, 0xDFFF


def decode(
    stored: NDArray[Any], *, control: bool = False
) -> tuple[NDArray[np.str_], Mapping[str, NDArray[np.intp]]]:
    """The strings of a ``U`` or ``S`` (UTF-8) array [n], and the rows refused for each reason.

    A refused row comes as ''. ``control`` lets control characters pass, as JSON has line ends.
    NumPy itself fails on code points beyond Unicode, so they are looked at as numbers.
    """
    refused: dict[str, NDArray[np.intp]] = {}
    if stored.dtype.kind == "S":
        stored, refused["not UTF-8"] = _from_utf8(stored)
    points = np.zeros((len(stored), 1), np.uint32)
    if length := stored.dtype.itemsize // 4:
        numbers = np.array(stored, order="C").view(f"{stored.dtype.str[0]}u4")
        points = numbers.astype(np.uint32).reshape(-1, length)
    ended = points == 0
    tests = {
        "code points that are not Unicode": points > LAST_POINT,
        "half of a surrogate pair": (points >= FIRST_SURROGATE) & (points <= LAST_SURROGATE),
        "a NUL inside": np.pad(ended[:, :-1] & ~ended[:, 1:], ((0, 0), (0, 1))),
    }
    if not control:
        tests["a control character"] = ((points < 0x20) & ~ended) | (
            (points >= 0x7F) & (points < 0xA0)
        )
    for reason, test in tests.items():
        refused[reason] = np.flatnonzero(test.any(axis=1))
    points[np.concatenate(list(refused.values()))] = 0
    strings = points.view(f"U{points.shape[1]}").reshape(-1)
    return strings, {reason: rows for reason, rows in refused.items() if len(rows)}


def _from_utf8(stored: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    texts, refused = [], []
    for row, value in enumerate(stored.tolist()):
        try:
            texts.append(value.decode("utf-8"))
        except UnicodeDecodeError:
            texts.append("")
            refused.append(row)
    return np.array(texts, dtype=np.str_), np.asarray(refused, dtype=np.intp)
