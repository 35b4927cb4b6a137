"""The names of a submission's members, each with what it holds: fifty, all written out at import.

``image``, ``image_ids``, ``image_text/image``, ``scores/image_text``, …, ``codes``, ``meta``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fgbench.protocol import MEDIA, Medium
from fgbench.submission.faults import Code
from fgbench.submission.findings import Findings
from fgbench.submission.format import Key, Space, pair

CODES = "codes"
META = "meta"


@dataclass(frozen=True, slots=True)
class Slot:
    """Where an array belongs: its space and key, and the media of its rows and of its columns."""

    space: Space
    key: Key
    rows: Medium
    columns: Medium | None = None

    @property
    def media(self) -> frozenset[Medium]:
        return frozenset(self.key)

    @property
    def room(self) -> Key:
        """Names the space that the array lies in: arrays of one room have one width."""
        return self.key[:-1]


IDS: Mapping[str, Medium] = {f"{m}_ids": m for m in MEDIA}

ARRAYS: Mapping[str, Slot] = {
    **{f"{m}": Slot(Space.COMMON, (m,), m) for m in MEDIA},
    **{
        f"{a}_{b}/{m}": Slot(Space.PAIRWISE, (*pair(a, b), m), m)
        for a in MEDIA
        for b in MEDIA
        if a is not b
        for m in pair(a, b)
    },
    **{f"scores/{q}_{g}": Slot(Space.SCORES, (q, g), q, g) for q in MEDIA for g in MEDIA},
}

NAMES = (*ARRAYS, *IDS, CODES, META)


def check_names(names: Iterable[str], findings: Findings) -> None:
    """Fault unknown names, mixed spaces, and members whose counterpart is missing."""
    present = sorted(names)
    for name in present:
        if name not in NAMES:
            near = difflib.get_close_matches(name[:100].lower(), NAMES, n=1)
            fix = f"did you mean {near[0]!r}? if not, leave it out" if near else ""
            findings.add(Code.UNKNOWN_MEMBER, "the file", f"{name[:100]!a}", fix=fix)
    slots = {name: ARRAYS[name] for name in present if name in ARRAYS}
    spaces = {slot.space: name for name, slot in reversed(slots.items())}
    if len(spaces) > 1:
        found = ", ".join(f"{spaces[s]!r} ({s})" for s in Space if s in spaces)
        findings.add(Code.MIXED_SPACES, "the file", found)
    _check_counterparts(slots, {IDS[n] for n in present if n in IDS}, findings)
    media = frozenset[Medium]().union(*(slot.media for slot in slots.values()))
    if len(media) < 2:
        found = f"arrays of {next(iter(media))} alone" if media else "no array to score"
        findings.add(Code.ONE_MEDIUM, "the file", found)


def _check_counterparts(
    slots: Mapping[str, Slot], identified: set[Medium], findings: Findings
) -> None:
    names = {slot.key: name for name, slot in slots.items()}
    for name, slot in slots.items():
        if names[slot.key] != name:
            findings.add(Code.PAIR_TWICE, "the file", f"{name!r} and {names[slot.key]!r}")
        if slot.space is Space.PAIRWISE:
            (partner,) = slot.media - {slot.rows}
            if (*slot.room, partner) not in names:
                missing = name.replace(f"/{slot.rows}", f"/{partner}")
                findings.add(Code.MISSING_MEMBER, "the file", f"{name!r}, but no {missing!r}")
    used = frozenset[Medium]().union(*(slot.media for slot in slots.values()))
    for medium in MEDIA:
        if medium in used and medium not in identified:
            first = next(n for n, s in slots.items() if medium in s.media)
            found = f"{first!r}, but no '{medium}_ids'"
            fix = f"add {medium}_ids: one id a row, in the order of the rows"
            findings.add(Code.MISSING_MEMBER, "the file", found, fix=fix)
        if medium in identified and medium not in used:
            found = f"'{medium}_ids', but no array of {medium}"
            findings.add(Code.MISSING_MEMBER, "the file", found)
