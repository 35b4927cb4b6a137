"""The audit of a folder of manifests: every figure that can be told of it, as one document.

The card, Croissant and the report print what stands here and count nothing themselves. Equal
tables give an equal document. null: the folder does not say.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from statistics import median
from typing import Any

from fgbench.benchmark import opened
from fgbench.dataset import paper
from fgbench.dataset.accounts import account
from fgbench.dataset.collected import Collected, recorded
from fgbench.dataset.contents import Contents, read_contents
from fgbench.dataset.leakage import leakage
from fgbench.dataset.schema import Row, Split, Stage, is_pointer
from fgbench.dataset.select import PER_CLASS
from fgbench.protocol import Medium

Document = dict[str, Any]
"""JSON: objects, lists, strings, numbers and null."""

_DATE = re.compile(r"[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T")
_TOPS: Mapping[str, Sequence[int]] = {
    "characters": range(32, 449, 32),
    "seconds": (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 2000),
}
"""The top of each bin of lengths, itself in the bin; what is longer than the last has its own."""


def audit(source: str | Path, collected: Collected | None = None) -> Document:
    """The audit of a folder of manifests, a build folder, the fsspec URL of one, or a shipped id.

    ``collected``: from a build; else what the folder's audit.json keeps of it. Raises
    ``FgbenchError`` where the sum found = kept + rejected + failed does not come out (FG-A001),
    ``InputError`` where the folder cannot be read (FG-A002, FG-B…, FG-D…).
    """
    with opened(str(source)) as folder:
        return audit_contents(read_contents(folder), collected)


def audit_contents(contents: Contents, collected: Collected | None = None) -> Document:
    """The same, of contents that were read before."""
    collected = collected or recorded(contents.folder)
    media = {m: contents.items.get(m, ()) for m in _media(contents, collected)}
    labels = sorted(contents.labels.union(collected.labels if collected else ()))
    return {
        "benchmark": {"id": contents.id, "title": contents.title, "splits": [*contents.splits]},
        "files": dict(contents.files),
        "counts": account(media, contents.rejected, collected),
        "content": {m: _content(rows) for m, rows in media.items()},
        "classes": {m: _classes(m, rows, labels, collected) for m, rows in media.items()},
        "paper": {m: _beside_paper(m, rows) for m, rows in media.items()},
        "splits": {s: {m: _sides(rows, s) for m, rows in media.items()} for s in contents.splits},
        "leakage": {
            s: {m: asdict(leakage(rows, s)) for m, rows in media.items()} for s in contents.splits
        },
        "duplicates": {m: _duplicates(m, rows, contents.rejected) for m, rows in media.items()},
        "measures": {m: _measure(rows) for m, rows in media.items()},
        "licences": {m: _licences(rows) for m, rows in media.items()},
        "rejected": _tally(contents.rejected, media, "stage", "reason"),
        "absent": _tally(contents.absent, media, "site", "reason"),
        "failed": _tally(
            [asdict(f) for f in collected.failed] if collected else None, media, "site", "reason"
        ),
        "retrieved": _period(row for rows in media.values() for row in rows),
        "names": {str(c): contents.names.get(c, f"class {c}") for c in labels},
        "notes": {str(c): contents.notes[c] for c in labels if c in contents.notes},
        "collected": collected and collected.to_json(),
    }


def to_json(document: Document) -> str:
    """The text of audit.json: what stands in it, and nothing that is not JSON."""
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _media(contents: Contents, collected: Collected | None) -> list[Medium]:
    """Those with an item, and those that were asked for or rejected and have none."""
    other = {Medium(row["medium"]) for row in contents.rejected or ()}
    asked = set(collected.read) | {f.medium for f in collected.failed} if collected else set()
    return [medium for medium in Medium if medium in {*contents.items, *other, *asked}]


def _content(rows: Sequence[Row]) -> Document | None:
    """Items whose text or file is there, and those that are pointers to it."""
    if not any("text" in row or "path" in row for row in rows):
        return None
    whole = sum(bool(row.get("text") or row.get("path")) for row in rows)
    return {"whole": whole, "pointers": len(rows) - whole}


def _classes(
    medium: Medium, rows: Sequence[Row], labels: Sequence[int], collected: Collected | None
) -> Document:
    """Items a class, pointers left out; ``short``: the classes with fewer than ``wanted``."""
    counts = Counter(row["label"] for row in rows if not is_pointer(row))
    wanted = (collected.per_class if collected else PER_CLASS).get(medium)
    per_class = {label: counts[label] for label in labels}
    return {
        "asked": len(per_class),
        "present": len(counts),
        "items": _spread(per_class.values()),
        "wanted": wanted,
        "short": wanted and {str(c): n for c, n in per_class.items() if n < wanted},
        "per_class": {str(c): n for c, n in per_class.items()},
        "per_site": _per_site(rows),
    }


def _per_site(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Per site its items a class, classes without one left out."""
    counts = Counter((row["site"], row["label"]) for row in rows if row.get("site"))
    sites: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for (site, label), number in sorted(counts.items()):
        sites[site][str(label)] = number
    return dict(sites)


def _beside_paper(medium: Medium, rows: Sequence[Row]) -> Document:
    """The paper's Table 1 and, for text and audio, how much each site of its Table 2 gave."""
    sites = Counter(row["site"] for row in rows if row.get("site"))
    listed = paper.SITES.get(medium)
    told = listed is not None and (bool(sites) or not rows)
    return {
        "items": {"paper": paper.ITEMS[medium], "here": len(rows)},
        "classes": {"paper": paper.CLASSES, "here": len({row["label"] for row in rows})},
        "per_class": PER_CLASS.get(medium),
        "sites": {s: sites[s] for s in listed} if listed and told else None,
        "other_sites": {s: n for s, n in sorted(sites.items()) if s not in (listed or ())},
    }


def _sides(rows: Sequence[Row], split: str) -> Document:
    """``one_sided``: classes with items on one side only, where both sides are listed at all."""
    sides = Counter(row.get(split) for row in rows)
    by_class: defaultdict[int, set[str]] = defaultdict(set)
    levels: dict[int, str] = {}
    for row in rows:
        if row.get(split) in set(Split):
            by_class[row["label"]].add(row[split])
        if row.get("group_level"):
            levels[row["label"]] = row["group_level"]
    listed = sides[Split.TRAIN] and sides[Split.TEST]
    return {
        "train": sides[Split.TRAIN],
        "test": sides[Split.TEST],
        "neither": len(rows) - sides[Split.TRAIN] - sides[Split.TEST],
        "one_sided": sorted(c for c, s in by_class.items() if len(s) == 1) if listed else [],
        "left_out": sorted({row["label"] for row in rows} - set(by_class)),
        "levels": _ordered(Counter(levels.values())) if split == "split_grouped" else {},
    }


def _duplicates(medium: Medium, rows: Sequence[Row], rejected: Sequence[Row] | None) -> Document:
    """Near-duplicate clusters among the kept, and what was rejected as a repeat."""
    clusters = Counter(row["cluster_id"] for row in rows if row.get("cluster_id"))
    repeats = Counter(
        row["reason"]
        for row in rejected or ()
        if row["medium"] == medium and row["stage"] == Stage.DUPLICATES
    )
    return {
        "clusters": len(clusters),
        "in_clusters": clusters.total(),
        "rejected": None if rejected is None else _ordered(repeats),
    }


def _measure(rows: Sequence[Row]) -> Document | None:
    """Lengths of texts in characters, or durations in seconds, of the items that tell."""
    for unit, values in (
        ("characters", [len(row["text"]) for row in rows if row.get("text")]),
        ("seconds", [s for row in rows if (s := row.get("duration_s")) and isfinite(s)]),
    ):
        if values:
            places = Counter(bisect_left(_TOPS[unit], value) for value in values)
            bins = [{"to": top, "items": places[i]} for i, top in enumerate((*_TOPS[unit], None))]
            return {"unit": unit, "items": len(values), **_spread(values), "bins": bins}
    return None


def _licences(rows: Sequence[Row]) -> list[Document] | None:
    """Items by licence, the commonest first."""
    if not any("redistributable" in row for row in rows):
        return None
    counts = Counter(
        (row.get("licence") or "", row.get("licence_url") or "", bool(row.get("redistributable")))
        for row in rows
    )
    return [
        {"licence": name, "url": url, "redistributable": free, "items": number}
        for (name, url, free), number in sorted(counts.items(), key=lambda c: (-c[1], c[0]))
    ]


def _tally(
    rows: Iterable[Mapping[str, Any]] | None, media: Iterable[Medium], first: str, second: str
) -> dict[str, dict[str, dict[str, int]]] | None:
    """Rows by medium, then by two columns."""
    if rows is None:
        return None
    counts = Counter((row["medium"], row[first] or "", row[second]) for row in rows)
    tally: dict[str, dict[str, dict[str, int]]] = {medium.value: {} for medium in media}
    for (medium, one, two), number in sorted(counts.items()):
        tally.setdefault(medium, {}).setdefault(one, {})[two] = number
    return tally


def _period(rows: Iterable[Row]) -> list[str] | None:
    """The first and the last day on which an item was fetched."""
    days = {row["retrieved_at"][:10] for row in rows if _DATE.match(row.get("retrieved_at") or "")}
    return [min(days), max(days)] if days else None


def _spread(values: Iterable[float]) -> dict[str, float | None]:
    found = sorted(values)
    if not found:
        return dict.fromkeys(("min", "median", "max"))
    return {"min": found[0], "median": median(found), "max": found[-1]}


def _ordered(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))
