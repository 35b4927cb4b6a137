"""The same recording in two collections: re-encoded, resampled, louder, with another beginning.

A recording's print is made of landmarks: pairs of peaks of its spectrum, close in time, with the
time of the first (A. Wang, An industrial-strength audio search algorithm, ISMIR 2003). Copies share
landmarks that are all shifted by the same time; two birds of one species may sing the same notes,
but not minutes of them at the same distances.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from fgbench.collect.clean.spectrum import HOP, HOP_S, Spectrum

_OUT = 10.0
"""A peak is that many times over its bin's noise."""
_AREA = 9, 13
"""Frames and bins in which it is the greatest: 0.14 s, 400 Hz."""
_A_SECOND = 12
"""The most peaks a second, the loudest."""
_PARTNERS = 5
"""The following peaks that each is paired with."""
_REACH = 64
"""Frames within which they follow: 1 s."""
_REPEATED = 32
"""Equal landmarks that are kept of a recording: an insect has thousands."""
_BLUR = 1
"""Frames by which the shift of a copy's landmarks may differ: the frames begin elsewhere."""

RAREST = 400
"""So many of a recording's triples of peaks, those in the fewest others, are looked up."""
COMMON = 24
"""What more recordings have is not looked up: time stays linear in their number."""
PROPOSED = 3
"""Triples that two have in common for being compared."""
SHARED, SHARE = 8, 0.03
"""Two are one recording with so many landmarks at one shift, and that share of the smaller's…"""
OVERLAP, SPREAD = 0.5, 0.55
"""…that lets that share of the shorter overlap with the other, and is found in that share of the
seconds of the overlap in which there is something to find."""
_BUSY = 5
"""Landmarks that such a second has."""

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Landmarks:
    """A recording's landmarks, in order of ``codes`` [n]: what they are; ``frames`` [n]: when."""

    codes: NDArray[np.uint32]
    frames: NDArray[np.int32]

    @property
    def begin(self) -> int:
        """The frame of the first; there must be one."""
        return int(self.frames.min())

    @property
    def end(self) -> int:
        """The frame of the last."""
        return int(self.frames.max())

    @classmethod
    def of(cls, parts: Sequence[Landmarks]) -> Landmarks:
        """Those of a recording from those of its parts; of equal ones the first 32."""
        codes = np.concatenate([part.codes for part in parts] or [np.zeros(0, np.uint32)])
        frames = np.concatenate([part.frames for part in parts] or [np.zeros(0, np.int32)])
        order = np.lexsort((frames, codes))
        codes, frames = codes[order], frames[order]
        few = np.arange(len(codes)) - np.searchsorted(codes, codes) < _REPEATED
        return cls(codes[few], frames[few])


def landmarks(sound: Spectrum, start: int) -> Landmarks:
    """The landmarks of a part of a recording that begins at sample ``start`` of it."""
    frames, bins = _peaks(sound)
    codes, times = [], []
    for step in range(1, _PARTNERS + 1):
        apart, rise = frames[step:] - frames[:-step], bins[step:] - bins[:-step]
        near = (apart > 0) & (apart < _REACH) & (np.abs(rise) < 128)
        code = (bins[:-step] >> 1 << 12) | ((rise + 128) >> 1 << 5) | (apart >> 1)
        codes.append(code[near].astype(np.uint32))
        times.append((frames[:-step][near] + start // HOP).astype(np.int32))
    return Landmarks.of([Landmarks(c, t) for c, t in zip(codes, times, strict=True)])


def _peaks(sound: Spectrum) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Frames and bins of the peaks, in order of time."""
    over = sound.smooth / sound.noise
    top = (maximum_filter(over, _AREA, mode="nearest") == over) & (over >= _OUT)
    frames, bins = np.nonzero(top)
    loudest = np.lexsort((bins, -over[frames, bins], _second(frames)))
    first = np.searchsorted(_second(frames)[loudest], _second(frames)[loudest])
    chosen = np.sort(loudest[np.arange(len(loudest)) - first < _A_SECOND])
    return frames[chosen], bins[chosen]


def _second(frames: NDArray[Any]) -> NDArray[np.int64]:
    return (frames * HOP_S).astype(np.int64)


def same_recordings(prints: Sequence[Landmarks]) -> list[Pair]:
    """Which are of one recording: pairs of positions, the smaller first, in order.

    Rare triples propose pairs, all their landmarks decide.
    """
    return sorted((i, j) for i, j in _proposed(prints) if is_copy(prints[i], prints[j]))


def is_copy(a: Landmarks, b: Landmarks) -> bool:
    """Whether two recordings have enough landmarks in common at one shift, all along the overlap.

    A bird that sings one song again and again makes many of them the same, but of one song only.
    """
    a, b = sorted((a, b), key=lambda print_: len(print_.codes))
    mine, theirs = _same_codes(a, b)
    if len(mine) < SHARED:
        return False
    shift = b.frames[theirs] - a.frames[mine]
    first = shift.min()
    near = np.convolve(np.bincount(shift - first), np.ones(2 * _BLUR + 1, np.int64), "same")
    best = int(near.argmax())
    if near[best] < max(SHARED, SHARE * len(a.codes)):
        return False
    best += first
    matched = np.unique(a.frames[mine[np.abs(shift - best) <= _BLUR]])
    begin, end = (max(a.begin, b.begin - best), min(a.end, b.end - best))
    if end - begin < OVERLAP * min(a.end - a.begin, b.end - b.begin):
        return False
    both = (a.frames >= begin) & (a.frames <= end)
    sung, count = np.unique(_second(a.frames[both]), return_counts=True)
    sung = sung[count >= min(_BUSY, count.max())]
    return bool(np.isin(sung, _second(matched)).mean() >= SPREAD)


def _same_codes(a: Landmarks, b: Landmarks) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The positions in ``a`` and in ``b`` of every pair of landmarks that are the same."""
    first = np.searchsorted(b.codes, a.codes, "left")
    count = np.searchsorted(b.codes, a.codes, "right") - first
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(np.arange(len(a.codes)), count), np.repeat(first, count) + within


def _proposed(prints: Sequence[Landmarks]) -> Iterator[Pair]:
    """Pairs of recordings that have rare triples in common, in order of the second."""
    distinct = [_triples(print_) for print_ in prints]
    every = np.concatenate([np.zeros(0, np.uint64), *distinct])
    codes, spread = np.unique(every, return_counts=True)
    holders: defaultdict[int, list[int]] = defaultdict(list)
    for i, own in enumerate(distinct):
        held = spread[np.searchsorted(codes, own)]
        shared = np.flatnonzero((held > 1) & (held <= COMMON))
        rare = own[shared[np.argsort(held[shared], kind="stable")[:RAREST]]].tolist()
        votes = Counter(j for code in rare for j in holders[code])
        yield from ((j, i) for j, count in sorted(votes.items()) if count >= PROPOSED)
        for code in rare:
            holders[code].append(i)


def _triples(print_: Landmarks) -> NDArray[np.uint64]:
    """Two landmarks with one first peak, as one code: a million landmarks are not enough to tell
    tens of thousands of recordings apart."""
    order = np.lexsort((print_.codes, print_.frames))
    codes, frames = print_.codes[order].astype(np.uint64), print_.frames[order]
    found = [np.zeros(0, np.uint64)]
    for step in range(1, _PARTNERS):
        one, other = codes[:-step], codes[step:]
        same = (one >> 12 == other >> 12) & (frames[:-step] == frames[step:])
        found.append(one[same] << 12 | other[same] & 4095)
    return np.unique(np.concatenate(found))
