"""One recording from two sources: the better copy stays, and what is alike shares a cluster."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fgbench.collect.clean.duplicates import Distinct, Repeat
from fgbench.collect.clean.fingerprints import Landmarks, same_recordings
from fgbench.dataset.components import components
from fgbench.dataset.schema import Row, Stage, rejection, source

SAME_RECORDING = "same_recording"
"""Reason: another source has the same recording, and its copy was kept."""

Key = tuple[int, str, str]
"""A recording of a class at a site: label, site, source."""


def recording(row: Row) -> Key:
    """The recording that an audio row is from."""
    return row["label"], row["site"], source(row)


def drop_copies(
    rows: Sequence[Row],
    prints: Mapping[Key, Landmarks],
    related: Mapping[Key, Sequence[str]],
    sites: Sequence[str] = (),
) -> Distinct:
    """Audio rows of which no two of a class are of copies of one recording.

    Copies are recordings with the same landmarks, the same file or the same address. Of those in a
    class the best stays (has a file; may be passed on; longer; site early in ``sites``), and all
    rows of its direct copies are rejected. Files that stand under two classes tell neither, and
    are rejected. Between classes other copies stay, and so do recordings that their source says
    belong together (``related``: source ids): they share a ``cluster_id``, for the split.

    Neither the choice nor the cluster ids depend on the order of ``rows``.
    """
    single, rejected = _one_class(rows)
    groups: defaultdict[Key, list[int]] = defaultdict(list)
    for i in single:
        groups[recording(rows[i])].append(i)
    found = [_Recording(key, [rows[i] for i in groups[key]], groups[key]) for key in groups]
    found.sort(key=lambda r: r.merit(sites))
    copies = _links(found, prints)
    kept: dict[int, _Recording] = {}
    for place, one in enumerate(found):
        same = [k for k in copies[place] if k in kept and kept[k].key[0] == one.key[0]]
        if same:
            rejected |= {i: _rejected(rows[i], kept[min(same)].rows) for i in one.places}
        else:
            kept[place] = one
    clusters = _clusters(kept, copies, related)
    result = {i: {**rows[i], "cluster_id": name} for i, name in clusters.items()}
    return Distinct([result[i] for i in sorted(result)], [rejected[i] for i in sorted(rejected)])


@dataclass(slots=True)
class _Recording:
    """A recording's rows that are still in, and their ``places`` among all."""

    key: Key
    rows: list[Row]
    places: list[int]
    first_id: str = field(init=False)

    def __post_init__(self) -> None:
        self.first_id = min(row["item_id"] for row in self.rows)

    def merit(self, sites: Sequence[str]) -> tuple[object, ...]:
        """Best first; the rest only makes the order the same for any order of rows."""
        label, site, address = self.key
        return (
            not any(row.get("path") for row in self.rows),
            not self.rows[0]["redistributable"],
            -sum(row.get("duration_s") or 0 for row in self.rows),
            sites.index(site) if site in sites else len(sites),
            site,
            address,
            label,
        )


def _one_class(rows: Sequence[Row]) -> tuple[list[int], dict[int, Row]]:
    """Places of the rows whose file stands under one class, and the rejected others."""
    labels: defaultdict[str, set[int]] = defaultdict(set)
    for row in rows:
        labels[row["item_id"]].add(row["label"])
    single, rejected = [], {}
    for i, row in enumerate(rows):
        under = sorted(labels[row["item_id"]])
        if len(under) == 1:
            single.append(i)
            continue
        detail = f"the same sound stands under the labels {', '.join(map(str, under))}"
        reason = Repeat.EXACT_ACROSS_CLASSES
        rejected[i] = rejection(row, Stage.DUPLICATES, reason, detail)
    return single, rejected


def _links(found: Sequence[_Recording], prints: Mapping[Key, Landmarks]) -> list[set[int]]:
    """For each recording the places of its copies."""
    copies: list[set[int]] = [set() for _ in found]
    printed = [i for i, one in enumerate(found) if one.key in prints]
    by_sound = same_recordings([prints[found[i].key] for i in printed])
    pairs = [(printed[a], printed[b]) for a, b in by_sound]
    pairs += _sharing([(one.key[2],), (one.key[2], one.key[0])] for one in found)
    pairs += _sharing([row["item_id"] for row in one.rows] for one in found)
    for a, b in pairs:
        copies[a].add(b)
        copies[b].add(a)
    return copies


def _sharing(names: Iterable[Iterable[Hashable]]) -> Iterator[tuple[int, int]]:
    """Pairs of places, the first that has a name with each other that has it."""
    first: dict[Hashable, int] = {}
    for place, own in enumerate(names):
        for name in own:
            if first.setdefault(name, place) != place:
                yield first[name], place


def _clusters(
    kept: Mapping[int, _Recording],
    copies: Sequence[set[int]],
    related: Mapping[Key, Sequence[str]],
) -> dict[int, str | None]:
    """The cluster of each row that is kept; None where nothing is like its recording."""
    number = {place: n for n, place in enumerate(kept)}
    links = [(n, number[j]) for place, n in number.items() for j in copies[place] if j in number]
    named = defaultdict(list)
    for n, one in enumerate(kept.values()):
        named[one.key[1], one.rows[0].get("source_id")].append(n)
    for n, one in enumerate(kept.values()):
        for other in related.get(one.key, ()):
            links += [(n, m) for m in named[one.key[1], other] if m != n]
    alike = {n for link in links for n in link}
    names = components([one.first_id for one in kept.values()], links)
    return {
        i: names[n] if n in alike else None
        for n, one in enumerate(kept.values())
        for i in one.places
    }


def _rejected(row: Row, original: Sequence[Row]) -> Row:
    best = min(original, key=lambda other: str(other["item_id"]))
    detail = f"the recording is that of {best.get('source_url') or best['site']}"
    return rejection(row, Stage.DUPLICATES, SAME_RECORDING, detail, duplicate_of=best["item_id"])
