"""The obvious, slow forms of every measure: independent of the package, from the definitions."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, permutations

import numpy as np


def rankings(scores):
    """Every ranking of the items that the scores allow: all orders within ties, equally likely."""
    items = range(len(scores))
    return [p for p in permutations(items) if all(scores[a] >= scores[b] for a, b in pairwise(p))]


def ap_of(ranking, relevant):
    hits, total = 0, Fraction(0)
    for place, item in enumerate(ranking, 1):
        if relevant[item]:
            hits += 1
            total += Fraction(hits, place)
    return total / sum(relevant)


def measures_of(ranking, relevant):
    """AP, AP@50 / min(R, 50), MAP@R, hit@1, hit@5, hit@10 of one ranking."""
    r = sum(relevant)

    def cut(k):
        hits, total = 0, Fraction(0)
        for place, item in enumerate(ranking[:k], 1):
            if relevant[item]:
                hits += 1
                total += Fraction(hits, place)
        return total

    return (
        ap_of(ranking, relevant),
        cut(50) / min(r, 50),
        cut(r) / r,
        *(Fraction(any(relevant[i] for i in ranking[:k])) for k in (1, 5, 10)),
    )


def expected_measures(scores, relevant):
    """The mean of ``measures_of`` over all rankings; exact."""
    all_of = [measures_of(p, relevant) for p in rankings(scores)]
    return [float(sum(column) / len(all_of)) for column in zip(*all_of, strict=True)]


def expected_ap(scores, relevant):
    """Expected AP by its definition, place by place, for lists too long to permute.

    The chance that a relevant item of a tie group stands at each of the group's places, and the
    expected number of relevant items before it there.
    """
    scores, relevant = np.asarray(scores), np.asarray(relevant)
    total = 0.0
    for item in np.flatnonzero(relevant):
        n = int((scores > scores[item]).sum())
        p = int((relevant & (scores > scores[item])).sum())
        g = int((scores == scores[item]).sum())
        r = int((relevant & (scores == scores[item])).sum())
        for k in range(1, g + 1):
            others = (k - 1) * (r - 1) / (g - 1) if g > 1 else 0.0
            total += (1 + p + others) / (n + k) / g
    return total / int(relevant.sum())


def expected_ndcg(scores, gains, cut=100):
    """Expected nDCG@cut with linear gains: within a tie every place has the group's mean gain."""
    scores, gains = np.asarray(scores), np.asarray(gains, dtype=float)
    order = np.argsort(-scores, kind="stable")
    mean = {value: gains[scores == value].mean() for value in np.unique(scores)}
    discount = 1 / np.log2(np.arange(2, cut + 2))
    placed = np.array([mean[scores[i]] for i in order])[:cut]
    ideal = np.sort(gains)[::-1][:cut]
    return float(placed @ discount[: len(placed)] / (ideal @ discount[: len(ideal)]))


def stable_ap(scores, relevant):
    """AP when ties are broken by position, as a stable descending sort does."""
    order = np.argsort(-np.asarray(scores), kind="stable")
    hits = np.asarray(relevant)[order]
    places = np.flatnonzero(hits) + 1
    return float(np.mean(np.arange(1, len(places) + 1) / places))
