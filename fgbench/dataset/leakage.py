"""Leakage of a split: test items that share something with a train item, by what they share.

A method that has seen one half of a recording finds the other half without knowing the bird.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fgbench.collect.clean.duplicates import EXCERPT, NEAR, shingle
from fgbench.dataset.schema import Row, Split, normalise_text, source
from fgbench.dataset.split import SESSION
from fgbench.protocol import Medium

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Rule(StrEnum):
    """What a test item may share with a train item."""

    GROUP = "group"
    SOURCE = "source"
    CLUSTER = "cluster"
    SESSION = "session"
    FILE = "file"
    NAME = "name"
    TEXT = "text"


MEANING: Mapping[Rule, str] = {
    Rule.GROUP: "a group of the grouped split",
    Rule.SOURCE: "the page or the recording it is from",
    Rule.CLUSTER: "a cluster of near-duplicates",
    Rule.SESSION: "recordist, date and place",
    Rule.FILE: "the bytes of its file",
    Rule.NAME: "class and leading recording number in the file name",
    Rule.TEXT: "its words (five-word shingles: Jaccard ≥ 0.8, or 0.9 of the one in the other)",
}


@dataclass(frozen=True, slots=True)
class Shared:
    """How many test items share something with a train item, of those for which it can be told."""

    items: int
    of: int


@dataclass(frozen=True, slots=True)
class Leakage:
    """``leaking``: test items that share anything at all. A rule is None where it tells nothing:
    no item has what it looks at, or nothing is in train; ``leaking``, where all are."""

    train: int
    test: int
    leaking: int | None
    rules: Mapping[Rule, Shared | None]


Key = Callable[[Row], Hashable | None]
_LEADING = re.compile(r"(\d+)(?:_\d+)*")


def _source(row: Row) -> Hashable | None:
    return source(row) if row.get("source_url") or row.get("source_id") else None


def _session(row: Row) -> Hashable | None:
    values = tuple(normalise_text(row.get(name) or "") for name in SESSION)
    return values if all(values) else None


def _leading(row: Row) -> Hashable | None:
    """The official lists cut ``22`` into ``22_23.png``, ``22_51.png``…, anew in each class."""
    if row["medium"] != Medium.AUDIO or _source(row):
        return None
    stem = row["item_id"].rpartition("/")[2].partition(".")[0]
    found = _LEADING.fullmatch(stem)
    return (row["label"], found[1]) if found else None


_KEYS: Mapping[Rule, Key] = {
    Rule.GROUP: lambda row: row.get("group_id"),
    Rule.SOURCE: _source,
    Rule.CLUSTER: lambda row: row.get("cluster_id"),
    Rule.SESSION: _session,
    Rule.FILE: lambda row: row.get("sha256"),
    Rule.NAME: _leading,
}


def leakage(rows: Sequence[Row], split: str) -> Leakage:
    """What the test items of one medium share with its train items under a split column.

    Classes do not matter but to NAME: a sentence that two classes have in common leaks too.
    """
    train = [row for row in rows if row.get(split) == Split.TRAIN]
    test = [row for row in rows if row.get(split) == Split.TEST]
    told = {rule: _share(key, train, test) for rule, key in _KEYS.items()}
    told[Rule.TEXT] = _share_text(train, test)
    rules = {
        rule: Shared(flags.count(True), len(flags) - flags.count(None))
        if train and any(flag is not None for flag in flags)
        else None
        for rule, flags in told.items()
    }
    leaking = sum(any(flags) for flags in zip(*told.values(), strict=True))
    return Leakage(len(train), len(test), leaking if any(rules.values()) else None, rules)


def _share(key: Key, train: Sequence[Row], test: Sequence[Row]) -> list[bool | None]:
    known = {key(row) for row in train}
    keys = [key(row) for row in test]
    return [None if k is None else k in known for k in keys]


def _share_text(train: Sequence[Row], test: Sequence[Row]) -> list[bool | None]:
    """For each test text whether it repeats a train text or is repeated by one: every pair."""
    ours = [k for k, row in enumerate(test) if row.get("text")]
    numbers: dict[int, int] = {}
    tested = [_columns(test[k]["text"], numbers) for k in ours]
    trained = [_columns(row["text"], numbers) for row in train if row.get("text")]
    flags: list[bool | None] = [None] * len(test)
    if not ours:
        return flags
    step = 256
    other = _matrix(trained, len(numbers))
    for start in range(0, len(ours), step):
        few = _matrix(tested[start : start + step], len(numbers))
        repeated = _repeats(few, other)
        for k, flag in zip(ours[start : start + step], repeated.tolist(), strict=True):
            flags[k] = flag
    return flags


def _columns(text: str, numbers: dict[int, int]) -> list[int]:
    return [numbers.setdefault(s, len(numbers)) for s in sorted(shingle(text))]


def _matrix(columns: Sequence[Sequence[int]], width: int) -> csr_array:
    """Texts by shingles: 1 where the text has the shingle."""
    from scipy.sparse import csr_array

    ends = np.cumsum([0, *map(len, columns)])
    indices = np.fromiter((c for row in columns for c in row), np.int64, int(ends[-1]))
    ones = np.ones(len(indices), np.int32)
    return csr_array((ones, indices, ends), shape=(len(columns), width))


def _repeats(texts: csr_array, others: csr_array) -> NDArray[np.bool_]:
    """Whether each of ``texts`` is alike to any of ``others``, by the rules of ``duplicates``."""
    shared = (texts @ others.T).tocoo()
    one = np.diff(texts.indptr)[shared.row]
    two = np.diff(others.indptr)[shared.col]
    near = shared.data * NEAR.denominator >= NEAR.numerator * (one + two - shared.data)
    inside = shared.data * EXCERPT.denominator >= EXCERPT.numerator * np.minimum(one, two)
    found = np.zeros(texts.shape[0], dtype=bool)
    found[shared.row[near | inside]] = True
    return found
