"""Texts that repeat another: exactly, nearly (Jaccard), or as an excerpt of it (containment).

Exact: equal after ``normalise_text``. Near: the sets of five-word shingles of the two texts have a
Jaccard index of 0.8 or more. Excerpt: 0.9 or more of a text's shingles are in a longer one.
MinHash (near) and an index of rare shingles (excerpts) propose pairs, their true figures decide.
A text is compared with texts already kept only, so the time grows with the number of texts even
where thousands are copies of each other.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any

from fgbench.dataset.components import components
from fgbench.dataset.schema import Row, Stage, normalise_text, rejection

if TYPE_CHECKING:
    from datasketch import MinHash

SHINGLE_WORDS = 5
NEAR = Fraction(8, 10)
EXCERPT = Fraction(9, 10)
_BANDS, _BAND_ROWS = 32, 4
"""A pair at Jaccard 0.8 goes unnoticed with probability (1 - 0.8^4)^32 = 5e-8."""
_WORD = re.compile(r"\w+(?:['’]\w+)*")

Shingles = frozenset[int]


class Repeat(StrEnum):
    """How a text repeats another; all but CONTAINS are reasons for rejecting it."""

    EXACT = "exact"
    EXACT_ACROSS_CLASSES = "exact_across_classes"
    NEAR = "near"
    EXCERPT = "excerpt"
    CONTAINS = "contains"
    """The other is an excerpt of it."""


@dataclass(frozen=True, slots=True)
class Distinct:
    """What remains, in the order given, and what was rejected as a repeat."""

    kept: list[Row]
    rejected: list[Row]


def drop_repeats(rows: Sequence[Row], sites: Sequence[str] = ()) -> Distinct:
    """Texts of which none repeats another of its class; a ``cluster_id`` ties what is still alike.

    Within a class, copies would fill the quota and be easy hits for each other: the text of best
    provenance stays (may be passed on; read by the site's own rule; site early in ``sites``;
    longer) and every text that repeats it directly is rejected and names it. A longer text that
    only contains a kept one says more, so both stay. Between classes near-duplicates stay too,
    since both may have that sentence, but a text that stands word for word under two classes tells
    neither: all its copies are rejected. What stays and is alike shares a cluster, for the split.

    ``rows`` are text rows with at least item_id, label, text, site and redistributable. Neither
    the choice nor the cluster ids depend on their order.
    """
    places = {site: place for place, site in enumerate(sites)}
    order = sorted(range(len(rows)), key=lambda i: _provenance(rows[i], places))
    copies, rejected = _distinct(rows, order)
    shingles = {i: shingle(rows[i]["text"]) for i in copies}
    index = _Index(Counter(s for found in shingles.values() for s in found))
    links: list[tuple[int, int]] = []
    kept: list[int] = []
    for i in copies:
        sketch = index.sketch(shingles[i])
        alike = [
            (j, how)
            for j in sorted(index.candidates(sketch))
            if (how := compare(shingles[i], shingles[kept[j]]))
        ]
        for j, how in alike:
            original = rows[kept[j]]
            if how is not Repeat.CONTAINS and original["label"] == rows[i]["label"]:
                rejected |= {k: _rejected(rows[k], how, original) for k in (i, *copies[i])}
                break
        else:
            rejected |= {k: _rejected(rows[k], Repeat.EXACT, rows[i]) for k in copies[i]}
            links += [(len(kept), j) for j, _ in alike]
            index.add(sketch)
            kept.append(i)
    clusters = dict(zip(kept, components([rows[i]["item_id"] for i in kept], links), strict=True))
    members = Counter(clusters.values())
    return Distinct(
        [
            {**rows[i], "cluster_id": name if members[name] > 1 else None}
            for i, name in sorted(clusters.items())
        ],
        [rejected[i] for i in sorted(rejected)],
    )


def shingle(text: str) -> Shingles:
    """The hashed five-word shingles of a text; a shorter text is one shingle, itself."""
    normal = normalise_text(text)
    words = _WORD.findall(normal) or [normal]
    starts = range(max(1, len(words) - SHINGLE_WORDS + 1))
    return frozenset(_hash(" ".join(words[k : k + SHINGLE_WORDS])) for k in starts)


def compare(text: Shingles, other: Shingles) -> Repeat | None:
    """How ``text`` repeats ``other``: NEAR, EXCERPT, CONTAINS, or None where they differ."""
    shared = len(text & other)
    if shared >= NEAR * (len(text) + len(other) - shared):
        return Repeat.NEAR
    if shared >= EXCERPT * len(text):
        return Repeat.EXCERPT
    return Repeat.CONTAINS if shared >= EXCERPT * len(other) else None


@dataclass(frozen=True, slots=True)
class _Sketch:
    """A text as the index sees it: all its shingles, the rarest of them, its MinHash."""

    shingles: Shingles
    rarest: list[int]
    minhash: MinHash


class _Index:
    """Proposes, among the texts added, those that may repeat a given one or be repeated by it.

    An excerpt with k shingles has at most floor(k / 10) that its source lacks, so of any one more
    of them the source has at least one. Taking the rarest, few texts answer: this one's are looked
    up among all shingles of the others (is it an excerpt?), the others' among all of this one's
    (does it contain one?). No excerpt is missed.
    """

    def __init__(self, frequency: Counter[int]) -> None:
        """``frequency``: in how many texts each shingle is; what is rare there is rare here."""
        from datasketch import MinHash, MinHashLSH

        self._frequency = frequency
        self._blank: Any = MinHash(_BANDS * _BAND_ROWS, hashfunc=int, scheme="affine64")
        self._near: Any = MinHashLSH(num_perm=_BANDS * _BAND_ROWS, params=(_BANDS, _BAND_ROWS))
        self._by_shingle: defaultdict[int, list[int]] = defaultdict(list)
        self._by_rarest: defaultdict[int, list[int]] = defaultdict(list)
        self._size = 0

    def sketch(self, shingles: Shingles) -> _Sketch:
        """What ``candidates`` and ``add`` need to know of a text."""
        minhash = self._blank.copy()
        minhash.update_batch(shingles)
        by_rarity = sorted(shingles, key=lambda s: (self._frequency[s], s))
        return _Sketch(shingles, by_rarity[: floor((1 - EXCERPT) * len(shingles)) + 1], minhash)

    def candidates(self, text: _Sketch) -> set[int]:
        """The numbers of the texts that it may repeat or contain."""
        found = set(self._near.query(text.minhash))
        for s in text.rarest:
            found.update(self._by_shingle.get(s, ()))
        for s in text.shingles:
            found.update(self._by_rarest.get(s, ()))
        return found

    def add(self, text: _Sketch) -> None:
        """Let it be found, under the next number from 0."""
        self._near.insert(self._size, text.minhash, check_duplication=False)
        for found, shingles in (
            (self._by_shingle, text.shingles),
            (self._by_rarest, text.rarest),
        ):
            for s in shingles:
                if self._frequency[s] > 1:  # the others are in no text but this one
                    found[s].append(self._size)
        self._size += 1


def _distinct(
    rows: Sequence[Row], order: Iterable[int]
) -> tuple[dict[int, list[int]], dict[int, Row]]:
    """Positions of distinct texts, best first, each with those of its copies; and the rejected.

    What is rejected here already stands under several classes.
    """
    same_text: defaultdict[str, list[int]] = defaultdict(list)
    for i in order:
        same_text[rows[i]["item_id"]].append(i)
    copies: dict[int, list[int]] = {}
    rejected: dict[int, Row] = {}
    for same in same_text.values():
        labels = sorted({rows[i]["label"] for i in same})
        if len(labels) == 1:
            copies[same[0]] = same[1:]
            continue
        detail = f"the same text stands under the labels {', '.join(map(str, labels))}"
        for i in same:
            reason = Repeat.EXACT_ACROSS_CLASSES
            rejected[i] = rejection(rows[i], Stage.DUPLICATES, reason, detail)
    return copies, rejected


def _rejected(row: Row, how: Repeat, original: Row) -> Row:
    detail = f"repeats {original['item_id']} of {original.get('source_url') or original['site']}"
    return rejection(row, Stage.DUPLICATES, how, detail, duplicate_of=original["item_id"])


def _provenance(row: Row, places: dict[str, int]) -> tuple[object, ...]:
    """Best first; the rest of the key only makes the order the same for any order of rows."""
    return (
        not row["redistributable"],
        row.get("extractor") not in (None, "rule"),
        places.get(row["site"], len(places)),
        -len(row["text"]),
        row["site"],
        row.get("source_url") or "",
        row.get("source_id") or "",
        row["item_id"],
        row["label"],
    )


def _hash(shingle: str) -> int:
    digest = hashlib.blake2b(shingle.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
