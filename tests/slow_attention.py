"""Cross attention by loops over single parts, in float64: an oracle for what is done at once."""

import math

import numpy as np


def attended(query, context, temperature, *, leak=0.1, selective=False):
    """What each row of ``query`` [n, d] finds in the rows of ``context`` [m, d]: vectors [n, d]."""
    products = [[float(q @ c) for c in context] for q in query]
    bent = [[p if p > 0 else leak * p for p in row] for row in products]
    for j in range(len(context)):
        length = math.sqrt(sum(row[j] ** 2 for row in bent)) + 1e-8
        for row in bent:
            row[j] /= length
    found = []
    for row in bent:
        steep = [math.exp(temperature * value) for value in row]
        weights = [value / sum(steep) for value in steep]
        if selective:
            weights = [w if w * len(context) >= 1 - 1e-4 else 0.0 for w in weights]
        found.append(sum(w * c for w, c in zip(weights, context, strict=True)))
    return np.array(found)


def cosines(query, context, temperature, **options):
    """The cosine [n] of each row of ``query`` with what it finds."""
    found = attended(query, context, temperature, **options)
    return [
        float(q @ a) / max(math.dist(q, 0 * q) * math.dist(a, 0 * a), 1e-16)
        for q, a in zip(query, found, strict=True)
    ]


def hinges(scores, labels, margin, *, mask):
    """The sum of the hardest hinges of each row and of each column of scores [n, n]."""
    total, rows = 0.0, range(len(labels))
    for i in rows:
        others = [j for j in rows if (labels[j] != labels[i] if mask else j != i)]
        for found in ([scores[i][j] for j in others], [scores[j][i] for j in others]):
            total += max((max(0.0, margin + s - scores[i][i]) for s in found), default=0.0)
    return total


def own_parts(states, counts):
    """The states [counts[i], d] of each item alone, in float64."""
    return [
        row[:count].detach().double().numpy() for row, count in zip(states, counts, strict=True)
    ]
