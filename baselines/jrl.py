"""JRL: a projection of each of two media, in closed form, and posteriors of neighbours' classes.

Zhai, Peng, Xiao, "Learning cross-media joint representation with sparse and semisupervised
regularization" (IEEE TCSVT 2014). Released code: PKU-ICST-MIPL/JRL_TCSVT2014 at f6bfcee, MATLAB,
which all defaults are from that say nothing else. Everything is float64: the projections come out
so small that neighbours would tie in float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve
from scipy.special import log_expit

from fgbench.protocol import Medium
from fgbench.train.dataset import Dataset, Inputs, whole_rows
from fgbench.train.method import Facts, Kind, Log, Scope, Similarity
from fgbench.train.neighbours import Laplacian, graph_product, nearest, sparse_rows
from fgbench.train.pairing import pair_classes

Floats = NDArray[np.float64]

NO_ROW = 1e-8
"""Rows of a projection shorter than this weigh as if they were this long."""


class Score(StrEnum):
    """What compares two items: POSTERIORS, of their neighbours' classes, as published, which makes
    score matrices; COSINE, of the items projected, which makes a space of each pair of media."""

    POSTERIORS = "posteriors"
    COSINE = "cosine"


@dataclass(frozen=True, slots=True)
class JrlConfig:
    """The objective's weights, the sizes of the two neighbourhoods, and what compares items."""

    sparsity: float = 1000.0
    """γ, of the lengths of the projections' rows."""
    smoothness: float = 1000.0
    """σ, of the graph."""
    closeness: float = 1.0
    """λ, of the distance of paired items. Above 1 the iteration needs far more than 5 steps."""
    fidelity: float = 1.0
    """μ, of the distance of items to their labels."""
    laplacian: Laplacian = Laplacian.KNN
    neighbours: int = 100
    """Nearest items of each item of the graph, itself not counted."""
    transductive: bool = True
    """Whether the graph holds the test items too, without labels: as published."""
    iterations: int = 5
    tolerance: float = 0.02
    """Stops where the objective fell by a smaller part. At the default weights this is part of the
    method: the minimum is a projection of all zeros, and what is useful lies on the way there."""
    last_update: bool = True
    """Whether the projections are those after the last update; the release returns those before."""
    references: int = 100
    """Nearest training items whose classes make an item's posterior."""
    score: Score = Score.POSTERIORS

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for what has no solution."""
        if min(self.neighbours, self.references, self.iterations) < 1:
            raise ValueError("neighbours, references or iterations below 1")
        weights = self.smoothness, self.closeness, self.fidelity, self.tolerance
        if min(weights) < 0 or self.sparsity <= 0:
            raise ValueError("a weight or the tolerance below 0, or a sparsity that is not above 0")


class Jrl:
    """The method; :meth:`fit` wants exactly two media."""

    facts: ClassVar[Facts] = Facts(
        name="jrl",
        title="Joint representation learning",
        year=2014,
        source="Zhai, Peng, Xiao, IEEE TCSVT 2014; released code at f6bfcee",
        scope=Scope.PAIRWISE,
        takes=Kind.FEATURES,
        space="scores",
        learns="closed form",
        deviations={
            "pairs": "the release pairs row with row; items here have no partner, so pairs are "
            "drawn within each class",
            "projections": "those after the last update in both forms; the release returns "
            "those before it (last_update: false)",
            "within a medium": "the three models of a medium give three similarities, of which "
            "the mean is submitted; the sources do not say",
            "graph": "transductive, as published: it holds the test items, without their "
            "labels (transductive: false leaves them out)",
        },
    )
    Config: ClassVar[type[JrlConfig]] = JrlConfig

    def fit(
        self, data: Dataset, config: JrlConfig, rng: np.random.Generator, log: Log
    ) -> Projections:
        """Alternates closed-form updates of both projections."""
        scales = {medium: _Scale.of(whole_rows(data.train[medium].inputs)) for medium in data.media}
        problem = _problem(data, scales, config, rng)
        seed = rng.integers(2**63)
        start = {  # each from a generator of the same seed, as released
            medium: np.random.default_rng(seed).random((len(term.fixed), data.classes))
            for medium, term in problem.terms.items()
        }
        projections = _minimise(problem, start, config, log)
        if config.score is Score.COSINE:
            return Projections(scales, projections)
        return Posteriors(
            scales,
            projections,
            {m: problem.terms[m].rows @ projections[m] for m in data.media},
            {m: data.train[m].labels for m in data.media},
            data.classes,
            config.references,
        )

    def similarity(self, config: JrlConfig, model: object) -> Similarity | None:
        """The inner product of posteriors: how likely two items are of one class."""
        return None if config.score is Score.COSINE else _inner_product


@dataclass(frozen=True, slots=True, eq=False)
class _Scale:
    """Z-scores by the training items' moments."""

    mean: Floats
    deviation: Floats

    @classmethod
    def of(cls, features: Floats) -> _Scale:
        """Of rows [n, d]. Where a column does not vary, 0.001 goes to every deviation: released."""
        deviation = features.std(axis=0)
        return cls(features.mean(axis=0), deviation + 0.001 * (deviation == 0).any())

    def __call__(self, features: Floats) -> Floats:
        return (features - self.mean) / self.deviation


@dataclass(frozen=True, slots=True, eq=False)
class _Term:
    """What the objective knows of a medium.

    ``rows`` [n, d] and ``targets`` [n, K] of the training items, ``paired`` [p, d] of the pairs,
    ``graph`` [d, d] = XᵀLX, and ``fixed`` [d, d], the part of the update that stays.
    """

    rows: Floats
    targets: Floats
    paired: Floats
    graph: Floats
    fixed: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """The objective over the projections [d, K] of two media."""

    terms: Mapping[Medium, _Term]
    config: JrlConfig

    def value(self, projections: Mapping[Medium, Floats]) -> float:
        """J, as the release prints it."""
        c = self.config
        a, b = (term.paired @ projections[medium] for medium, term in self.terms.items())
        total = c.closeness * ((a - b) ** 2).sum()
        for medium, term in self.terms.items():
            p = projections[medium]
            total += c.fidelity * ((term.rows @ p - term.targets) ** 2).sum()
            total += c.smoothness * (p * (term.graph @ p)).sum()
            total += c.sparsity * np.linalg.norm(p, axis=1).sum()
        return float(total)

    def updated(self, projections: Mapping[Medium, Floats]) -> dict[Medium, Floats]:
        """Both projections anew, each from the other as it was."""
        a, b = self.terms
        return {a: self._solved(a, b, projections), b: self._solved(b, a, projections)}

    def _solved(
        self, medium: Medium, other: Medium, projections: Mapping[Medium, Floats]
    ) -> Floats:
        c, term, partner = self.config, self.terms[medium], self.terms[other]
        lengths = np.linalg.norm(projections[medium], axis=1)
        left = term.fixed + np.diag(c.sparsity / (2 * np.maximum(lengths, NO_ROW)))
        right = c.fidelity * (term.rows.T @ term.targets)
        right += c.closeness * (term.paired.T @ (partner.paired @ projections[other]))
        solved: Floats = solve(left, right, assume_a="sym")
        return solved


def _problem(
    data: Dataset, scales: Mapping[Medium, _Scale], config: JrlConfig, rng: np.random.Generator
) -> _Problem:
    pairs = pair_classes({m: data.train[m].labels for m in data.media}, rng)
    terms = {}
    for medium in data.media:
        rows = scales[medium](whole_rows(data.train[medium].inputs))
        known = rows
        if config.transductive:
            known = np.concatenate([rows, scales[medium](whole_rows(data.test[medium].inputs))])
        graph = graph_product(known, config.neighbours, config.laplacian)
        paired = rows[pairs[medium]]
        fixed = config.smoothness * graph + config.fidelity * (rows.T @ rows)
        fixed += config.closeness * (paired.T @ paired)
        targets = np.eye(data.classes)[data.train[medium].labels]
        terms[medium] = _Term(rows, targets, paired, graph, fixed)
    return _Problem(terms, config)


def _minimise(
    problem: _Problem, projections: dict[Medium, Floats], config: JrlConfig, log: Log
) -> dict[Medium, Floats]:
    before, value = projections, problem.value(projections)
    for iteration in range(config.iterations):
        before, projections = projections, problem.updated(projections)
        previous, value = value, problem.value(projections)
        log(iteration=iteration + 1, objective=value)
        if previous - value < config.tolerance * previous:
            break
    return projections if config.last_update else before


@dataclass(frozen=True, slots=True, eq=False)
class Projections:
    """A fit: the projection [d, K] of each medium, of z-scores."""

    scales: Mapping[Medium, _Scale]
    projections: Mapping[Medium, Floats]

    def project(self, medium: Medium, inputs: Inputs) -> Floats:
        """Items in the space of the pair [n, K]."""
        projected: Floats = self.scales[medium](whole_rows(inputs)) @ self.projections[medium]
        return projected

    def embed(self, medium: Medium, inputs: Inputs) -> NDArray[np.float32]:
        """The items projected, each of length 1: they are too short for float32 as they are."""
        points = self.project(medium, inputs)
        lengths = np.linalg.norm(points, axis=1, keepdims=True)
        return (points / np.where(lengths > 0, lengths, 1)).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Posteriors(Projections):
    """A fit: the posterior of an item's class by its nearest training items, ``references`` many.

    ``train`` [n, K] are the training items projected, ``labels`` [n] their classes.
    """

    train: Mapping[Medium, Floats]
    labels: Mapping[Medium, NDArray[np.int64]]
    classes: int
    references: int

    def embed(self, medium: Medium, inputs: Inputs) -> NDArray[np.float32]:
        """Two posteriors side by side [n, 2K]: by training items of both media, and of its own.

        Within a medium the release hands its items in twice, so that each counts double: half as
        many are nearest.
        """
        points = self.project(medium, inputs)
        both = self._posterior(points, tuple(self.train), self.references)
        own = self._posterior(points, (medium,), max(1, self.references // 2))
        return np.concatenate([both, own], axis=1).astype(np.float32)

    def _posterior(self, points: Floats, media: tuple[Medium, ...], count: int) -> Floats:
        train = np.concatenate([self.train[medium] for medium in media])
        labels = np.eye(self.classes)[np.concatenate([self.labels[medium] for medium in media])]
        found, distances = nearest(points, train, count)
        # Weights 1 / (1 + e^d), up to a factor a row: far from everything they would all be 0.
        weights = log_expit(-distances)
        weights = np.exp(weights - weights.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        posterior: Floats = sparse_rows(found, weights, len(train)) @ labels
        return posterior


def _inner_product(
    query: tuple[Medium, NDArray[np.float32]], gallery: tuple[Medium, NDArray[np.float32]]
) -> NDArray[np.float32]:
    classes = query[1].shape[1] // 2
    used = slice(classes, None) if query[0] == gallery[0] else slice(classes)
    wide = query[1][:, used].astype(np.float64) @ gallery[1][:, used].T.astype(np.float64)
    return wide.astype(np.float32)
