"""The compiled kernel: from a query's row of similarities to its measures, in every gallery.

The gallery is not sorted. A row is cut into bins by value. Histograms, one a medium, say how many
items lie in higher bins; only the bins that hold a relevant item (about 107 items in fgxmedia-2019)
or the first places are looked into. That is two passes over the row whatever the number of relevant
items, against one for each of them when counting directly.

All compiled functions are in this file, because numba's cache notices a change only in the file of
the function that is called, not in those that it calls.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

CUT = 50
TOP = 100
"""nDCG looks at this many first places."""
BINS = 2048
"""1,024 to 4,096 measure alike: fewer make longer bins, more make longer histograms."""
_DIRECT = 4096
"""A bin whose (items × relevant items) exceeds this is sorted; below it, comparing is faster."""
_INSERT = 800
"""Above this many items a general sort beats insertion, even where bins are in order."""


class Scratch(NamedTuple):
    """Everything that one thread reuses from row to row. n columns, M media, R relevant at most.

    ``row`` [n] the expanded row; ``bins`` [n] the bin of each column; ``held``, ``higher``
    [M, BINS] items in a bin, and in those above; ``wanted``, ``flag`` [BINS] how many relevant
    items a bin holds, and whether any; ``looked`` the bins that hold any, last how many these are;
    ``begin`` [M, BINS] where their items begin in ``columns`` and ``values``; ``ordered`` the
    values again, ascending in large bins; ``free``, ``found`` work space; ``best``, ``score`` the
    first places, sorted; ``counts`` [3, M, R] for each relevant item and medium the items that
    score higher, the same, the same at a lower column; ``listed`` [3, R] the same for the one list
    that is being measured.
    """

    row: NDArray[np.float32]
    bins: NDArray[np.uint16]
    held: NDArray[np.int32]
    higher: NDArray[np.int32]
    wanted: NDArray[np.int32]
    flag: NDArray[np.uint8]
    begin: NDArray[np.int32]
    free: NDArray[np.int32]
    looked: NDArray[np.int32]
    found: NDArray[np.int32]
    columns: NDArray[np.int32]
    values: NDArray[np.float32]
    ordered: NDArray[np.float32]
    best: NDArray[np.int32]
    score: NDArray[np.float32]
    counts: NDArray[np.int64]
    listed: NDArray[np.int64]


@njit(cache=True, nogil=True)
def rank_rows(similarity, expand, gallery, queries, media, union, out):  # type: ignore[no-untyped-def]
    s = _scratch(gallery)
    for q in range(len(queries)):
        row = similarity[q]
        if len(expand):
            row = s.row
            for j in range(len(expand)):
                row[j] = similarity[q, expand[j]]
        _rank_row(row, gallery, queries[q], media, union, q, out, s)


@njit(cache=True)
def _rank_row(row, gallery, query, media, union, q, out, s):  # type: ignore[no-untyped-def]
    label = gallery.labels[query]
    members = gallery.members[gallery.offsets[label] : gallery.offsets[label + 1]]
    ranked = members[np.argsort(-row[members])]
    top = TOP + 1 if len(gallery.gains) else 2  # one more than needed, since the query is skipped
    _fill_bins(row, gallery, members, media, union, s)
    _count_ranks(row, gallery, ranked, media, union, out.stable.shape[1] > 0, s)
    for m in range(len(media)):
        if media[m]:
            _measure_medium(gallery, ranked, m, q, out, s)
    if union:
        _measure_union(row, gallery, ranked, query, q, out, s)
    _measure_top(row, gallery, label, query, media, union, top, q, out, s)


@njit(cache=True)
def _measure_medium(gallery, ranked, m, q, out, s):  # type: ignore[no-untyped-def]
    before, tied, earlier = s.listed[0], s.listed[1], s.listed[2]
    r = 0
    for i in range(len(ranked)):
        if gallery.bounds[m, 0] <= ranked[i] < gallery.bounds[m, 1]:
            before[r], tied[r] = s.counts[0, m, i], s.counts[1, m, i]
            earlier[r] = s.counts[2, m, i]
            r += 1
    walk(before, tied, r, gallery.harmonic, out.measures[q, m, :-1])
    if out.stable.shape[1]:
        out.stable[q, m] = _stable_ap(before, earlier, r)


@njit(cache=True)
def _measure_union(row, gallery, ranked, query, q, out, s):  # type: ignore[no-untyped-def]
    """All media together: with the query in the gallery, then without."""
    before, tied, earlier = s.listed[0], s.listed[1], s.listed[2]
    union = len(gallery.bounds)
    for i in range(len(ranked)):
        before[i] = s.counts[0, :, i].sum()
        tied[i] = s.counts[1, :, i].sum()
        earlier[i] = s.counts[2, :, i].sum()
    everything = np.empty(out.measures.shape[2] - 1)
    walk(before, tied, len(ranked), gallery.harmonic, everything)
    out.included[q] = everything[0]
    if out.stable.shape[1]:
        out.stable[q, union] = _stable_ap(before, earlier, len(ranked))
    r = 0
    for i in range(len(ranked)):
        if ranked[i] != query:
            before[r] = before[i] - (row[query] > row[ranked[i]])
            tied[r] = tied[i] - (row[query] == row[ranked[i]])
            r += 1
    walk(before, tied, r, gallery.harmonic, out.measures[q, union, :-1])


@njit(cache=True)
def _stable_ap(before, earlier, relevant):  # type: ignore[no-untyped-def]
    """AP when ties are broken by column, as a stable sort of the stacked gallery does."""
    if relevant == 0:
        return np.nan
    places = np.sort(before[:relevant] + earlier[:relevant])
    total = 0.0
    for i in range(relevant):
        total += (i + 1) / (places[i] + 1)
    return total / relevant


@njit(cache=True)
def _measure_top(row, gallery, label, query, media, union, top, q, out, s):  # type: ignore[no-untyped-def]
    """nDCG, and which labels stand first, from the first places of each medium."""
    count = len(media)
    starts, ends = np.zeros(count, np.int64), np.zeros(count, np.int64)
    best, score = s.best, s.score
    place = 0
    for m in range(count):
        starts[m] = place
        if media[m] or union:
            place += _first_places(row, gallery, m, top, best[place:], score[place:], s)
        ends[m] = place
    for m in range(count):
        if media[m]:
            found = _walk_top(gallery, label, -1, starts[m : m + 1], ends[m : m + 1], m, out, s)
            out.measures[q, m, -1] = found
    if union:
        found = _walk_top(gallery, label, query, starts, ends, count, out, s)
        out.measures[q, count, -1] = found


@njit(cache=True)
def _walk_top(gallery, label, skip, starts, ends, slot, out, s):  # type: ignore[no-untyped-def]
    """Merge sorted lists tie group by tie group; each group's mean gain stands at all its places.

    Returns nDCG@TOP, NaN without gains; ``skip`` is a column that is not in the gallery, or -1.
    """
    graded = len(gallery.gains) > 0
    heads = starts.copy()
    dcg, n = 0.0, 0
    while n < TOP:
        value, some = np.float32(-np.inf), False
        for m in range(len(heads)):
            if heads[m] < ends[m] and s.best[heads[m]] == skip:
                heads[m] += 1
            if heads[m] < ends[m]:
                value, some = max(value, s.score[heads[m]]), True
        if not some:
            break
        size, gain = 0, 0.0
        for m in range(len(heads)):
            while heads[m] < ends[m] and s.score[heads[m]] == value:
                j = s.best[heads[m]]
                heads[m] += 1
                if j != skip:
                    size += 1
                    if graded:
                        gain += gallery.gains[label, gallery.labels[j]]
        if n == 0:
            for m in range(len(heads)):
                for k in range(starts[m], heads[m]):
                    if s.best[k] != skip:
                        out.firsts[slot, label, gallery.labels[s.best[k]]] += 1.0 / size
            if not graded:
                return np.nan
        dcg += gain / size * (gallery.discounts[min(TOP, n + size)] - gallery.discounts[n])
        n += size
    return dcg / gallery.ideal[label, slot] if gallery.ideal[label, slot] > 0 else np.nan


@njit(cache=True)
def _scratch(gallery):  # type: ignore[no-untyped-def]
    n, m = len(gallery.labels), len(gallery.bounds)
    most = 0
    for label in range(len(gallery.offsets) - 1):
        most = max(most, gallery.offsets[label + 1] - gallery.offsets[label])
    return Scratch(
        np.empty(n, np.float32),
        np.empty(n, np.uint16),
        np.empty((m, BINS), np.int32),
        np.empty((m, BINS), np.int32),
        np.empty(BINS, np.int32),
        np.empty(BINS, np.uint8),
        np.empty((m, BINS), np.int32),
        np.empty(BINS, np.int32),
        np.empty(BINS + 1, np.int32),
        np.empty(n + 1, np.int32),
        np.empty(n, np.int32),
        np.empty(n, np.float32),
        np.empty(n, np.float32),
        np.empty(n, np.int32),
        np.empty(n, np.float32),
        np.empty((3, m, most), np.int64),
        np.empty((3, most), np.int64),
    )


@njit(cache=True)
def _fill_bins(row, gallery, members, media, union, s):  # type: ignore[no-untyped-def]
    """Histograms by medium, and the items of every bin that must be looked into."""
    asked = media | union
    least, most = np.int32(0x7FFFFFFF), np.int32(-0x80000000)
    for m in range(len(asked)):
        if asked[m]:
            least, most = _extent(row[gallery.bounds[m, 0] : gallery.bounds[m, 1]], least, most)
    low, high = _float(least), _float(most)
    scale = np.float32(0.0)
    if high - low > np.float32(1e-30):
        scale = np.float32(BINS - 1) / (high - low)
    for m in range(len(asked)):
        if asked[m]:
            first, last = gallery.bounds[m]
            _cut(row[first:last], low, scale, s.bins[first:last])
    s.wanted[:] = 0
    s.flag[:] = 0
    s.looked[BINS] = 0
    for j in members:
        if asked[_medium_of(gallery, j)]:
            b = s.bins[j]
            if s.wanted[b] == 0:
                s.looked[s.looked[BINS]] = b
                s.looked[BINS] += 1
                s.flag[b] = 1
            s.wanted[b] += 1
    place = 0
    for m in range(len(asked)):
        if asked[m]:
            place = _gather(row, gallery, m, place, s)


@njit(cache=True)
def _extent(part, low, high):  # type: ignore[no-untyped-def]
    """Least and greatest value so far, as integers in the floats' order: those vectorise."""
    for bits in part.view(np.int32):
        x = np.int32(bits ^ ((bits >> np.int32(31)) & np.int32(0x7FFFFFFF)))
        low = min(low, x)
        high = max(high, x)
    return low, high


@njit(cache=True)
def _float(x):  # type: ignore[no-untyped-def]
    """The float of an integer of ``_extent``; the map is its own inverse."""
    bits = np.empty(1, np.int32)
    bits[0] = x ^ ((x >> np.int32(31)) & np.int32(0x7FFFFFFF))
    return bits.view(np.float32)[0]


@njit(cache=True, fastmath=True)
def _cut(part, low, scale, bins):  # type: ignore[no-untyped-def]
    """The bin of each value. Subtraction, product and truncation are monotone: order is kept."""
    for j in range(len(part)):
        bins[j] = np.int32((part[j] - low) * scale)


@njit(cache=True)
def _gather(row, gallery, m, place, s):  # type: ignore[no-untyped-def]
    """One medium's histogram, and the items of its wanted bins from ``place`` on."""
    first, last = gallery.bounds[m]
    held, higher = s.held[m], s.higher[m]
    held[:] = 0
    n = np.int64(0)
    for j in range(first, last):  # no branch: a mispredicted one costs more than the store
        b = s.bins[j]
        held[b] += 1
        s.found[n] = j
        n += np.int64(s.flag[b])
    above = np.int32(0)
    for b in range(BINS - 1, -1, -1):
        higher[b] = above
        above += held[b]
    for k in range(s.looked[BINS]):
        b = s.looked[k]
        s.begin[m, b] = place
        s.free[b] = place
        place += held[b]
    for k in range(n):
        j = s.found[k]
        b = s.bins[j]
        at = s.free[b]
        s.columns[at] = j
        s.values[at] = row[j]
        s.free[b] = at + 1
    for k in range(s.looked[BINS]):
        b = s.looked[k]
        if held[b] * s.wanted[b] > _DIRECT:
            part = s.values[s.begin[m, b] : s.free[b]]
            if part.min() < part.max():  # else one tie, as of binary codes
                part = np.sort(part)
            for i in range(len(part)):
                s.ordered[s.begin[m, b] + i] = part[i]
    return place


@njit(cache=True)
def _count_ranks(row, gallery, ranked, media, union, stable, s):  # type: ignore[no-untyped-def]
    """Fill ``s.counts`` for the relevant items ``ranked``; ties by column only if ``stable``."""
    for i in range(len(ranked)):
        j = ranked[i]
        own = _medium_of(gallery, j)
        if not (union or media[own]):
            continue
        b, score = s.bins[j], row[j]
        for m in range(len(gallery.bounds)):
            if not (union or m == own):
                continue
            before, tied, earlier = s.higher[m, b], 0, 0
            at, size = s.begin[m, b], s.held[m, b]
            if size * s.wanted[b] > _DIRECT:
                part = s.ordered[at : at + size]
                low = np.searchsorted(part, score)
                high = np.searchsorted(part, score, side="right")
                before += size - high
                tied = high - low
            else:
                for k in range(at, at + size):
                    before += s.values[k] > score
                    tied += s.values[k] == score
            if stable and tied:
                for k in range(at, at + size):
                    earlier += s.values[k] == score and s.columns[k] < j
            s.counts[0, m, i] = before
            s.counts[1, m, i] = tied
            s.counts[2, m, i] = earlier


@njit(cache=True)
def _first_places(row, gallery, m, top, best, score, s):  # type: ignore[no-untyped-def]
    """The first ``top`` places of a medium and all that tie with the last, best first.

    Returns how many; columns go to ``best``, similarities to ``score``.
    """
    held, higher = s.held[m], s.higher[m]
    lowest = BINS
    while lowest > 0 and higher[lowest - 1] < top:
        lowest -= 1
        s.free[lowest] = higher[lowest]  # in descending bins, a bin begins where higher ones end
    size = higher[lowest] + held[lowest]
    for j in range(gallery.bounds[m, 0], gallery.bounds[m, 1]):
        b = s.bins[j]
        if b >= lowest:
            at = s.free[b]
            best[at], score[at] = j, row[j]
            s.free[b] = at + 1
    _sort_nearly(best[:size], score[:size])
    return size


@njit(cache=True)
def _sort_nearly(best, score):  # type: ignore[no-untyped-def]
    """Sort descending what lies in descending bins already: by insertion, unless a bin is huge."""
    if len(best) > _INSERT:
        falls = True
        for k in range(1, len(best)):
            falls &= score[k] <= score[k - 1]
        if falls:  # one huge tie, as of one-hot predictions
            return
        order = np.argsort(-score)
        best[:], score[:] = best[order], score[order]
        return
    for k in range(1, len(best)):
        x, j, at = score[k], best[k], k
        while at > 0 and score[at - 1] < x:
            score[at], best[at] = score[at - 1], best[at - 1]
            at -= 1
        score[at], best[at] = x, j


@njit(cache=True)
def _medium_of(gallery, column):  # type: ignore[no-untyped-def]
    """The place of a column's medium in the stack."""
    m = 0
    while column >= gallery.bounds[m, 1]:
        m += 1
    return m


@njit(cache=True)
def precision_sum(n, g, p, r, cut, harmonic):  # type: ignore[no-untyped-def]
    """Expected sum of precision at the relevant items of a tie group, in its first ``cut`` places.

    Place k of the group holds a relevant item with probability r/g, and then (k-1)(r-1)/(g-1)
    relevant items of the group are expected before it.
    """
    if g == 1:
        return (p + 1) / (n + 1)
    if cut <= 32:  # directly: the closed form below loses digits where few terms are far down
        reciprocals = 0.0
        weighted = 0.0
        for k in range(1, cut + 1):
            reciprocals += 1.0 / (n + k)
            weighted += (k - 1) / (n + k)
    else:
        reciprocals = harmonic[n + cut] - harmonic[n]
        weighted = cut - (n + 1) * reciprocals
    return r / g * ((p + 1) * reciprocals + (r - 1) / (g - 1) * weighted)


@njit(cache=True)
def hit_probability(n, g, r, k):  # type: ignore[no-untyped-def]
    """Probability that the first group with relevant items puts one into the first k places."""
    slots = min(k - n, g)
    if slots <= 0:
        return 0.0
    miss = 1.0
    for t in range(slots):
        if g - r - t <= 0:
            return 1.0
        miss *= (g - r - t) / (g - t)
    return 1.0 - miss


@njit(cache=True)
def walk(before, tied, relevant, harmonic, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` with MEASURES for one list; NaN where nothing is relevant.

    ``before``, ``tied``: [R] for each relevant item, best first, how many gallery items score
    higher and how many score the same, itself included. ``relevant``: R.
    """
    if relevant == 0:
        out[:] = np.nan
        return
    out[:] = 0.0
    p = 0
    while p < relevant:
        n, g = before[p], tied[p]
        r = 1
        while p + r < relevant and before[p + r] == n:
            r += 1
        out[0] += precision_sum(n, g, p, r, g, harmonic)
        if n < CUT:
            out[1] += precision_sum(n, g, p, r, min(g, CUT - n), harmonic)
        if n < relevant:
            out[2] += precision_sum(n, g, p, r, min(g, relevant - n), harmonic)
        if p == 0:
            out[3] = hit_probability(n, g, r, 1)
            out[4] = hit_probability(n, g, r, 5)
            out[5] = hit_probability(n, g, r, 10)
        p += r
    out[0] /= relevant
    out[1] /= min(relevant, CUT)
    out[2] /= relevant
