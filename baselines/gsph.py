"""GSPH: binary codes that factor the affinities of two media, and functions that find them.

Mandal, Chaudhury, Biswas, "Generalized semantic preserving hashing for n-label cross-modal
retrieval" (CVPR 2017), and their article of 2018 (TIP), with matrix updates. Released code, MATLAB:
devraj89's repository of the paper's title at f6cb1bd, and devraj89/GPSH-algorithm at 8eda085.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2
from scipy.linalg import eigh, svd
from scipy.optimize import minimize
from scipy.spatial.distance import cdist
from scipy.special import expit

from fgbench.protocol import Medium
from fgbench.train.dataset import Dataset, Inputs, whole_rows
from fgbench.train.method import Facts, Kind, Log, Scope

Floats = NDArray[np.float64]

SETTLED = 1e-5
"""The largest slope, in whitened coordinates, at which a logistic regression is at its minimum."""


class Updates(StrEnum):
    """How a side's codes follow from the other's: each column in turn to its minimum, as of 2017,
    or all at once by a step down the gradient, as of 2018."""

    COLUMNS = "columns"
    MATRIX = "matrix"


class Anchors(StrEnum):
    """What items are compared with: some training items, or centres of them all by k-means."""

    RANDOM = "random"
    KMEANS = "kmeans"


@dataclass(frozen=True, slots=True)
class GsphConfig:
    """The length of the codes, and the two stages' choices."""

    bits: int = 128
    """The longest of the releases' 16, 32, 64 and 128."""
    standardise: bool = False
    """Whether features become z-scores; both releases only take their mean away, which on held-out
    training items did better by .005 to .015."""
    updates: Updates = Updates.COLUMNS
    """Those of 2017 also come entry by entry: rows do not depend on each other, so that this is the
    same."""
    sweeps: int = 100
    """At most, over both sides' codes; both releases'."""
    least_sweeps: int = 0
    """These are made whatever the objective does; the release of 2018 has 5."""
    tolerance: float = 1e-6
    """Stops where the objective fell by a smaller part; both releases'. That of 2018 sees to the
    signs, so that codes which none changes any more are enough."""
    by_signs: bool = False
    """Whether the objective is that of the codes' signs, not of what they are before rounding."""
    anchors: int = 500
    """How many, or all training items if fewer: of 2017. The 50 of 2018 cost .03."""
    drawn: Anchors = Anchors.RANDOM
    """Both releases try both."""
    penalty: float = 0.01
    """C, of a hash function's squared norm; both releases'. 10 ruins them."""
    steps: int = 500
    """Of L-BFGS at most; of 2018."""

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for what has no solution."""
        if min(self.bits, self.sweeps, self.anchors, self.steps) < 1 or self.least_sweeps < 0:
            raise ValueError("bits, sweeps, anchors or steps below 1, or least_sweeps below 0")
        if self.penalty <= 0 or self.tolerance < 0:
            raise ValueError("a tolerance below 0, or a penalty that is not above 0")


class Gsph:
    """The method; :meth:`fit` wants exactly two media."""

    facts: ClassVar[Facts] = Facts(
        name="gsph",
        title="Generalised semantic preserving hashing",
        year=2017,
        source="Mandal, Chaudhury, Biswas, CVPR 2017; released code at f6cb1bd and 8eda085",
        scope=Scope.PAIRWISE,
        takes=Kind.FEATURES,
        space="codes",
        learns="closed form",
        deviations={
            "gallery": "test items too are encoded by the functions of their medium; the release "
            "searches the training items, whose codes it makes of both media of a pair",
            "affinities": "of one label an item they are never written out: they come to sums "
            "over classes",
            "logistic regression": "of all bits at once, in coordinates in which it is well "
            "conditioned; the minimum is the same",
        },
    )
    Config: ClassVar[type[GsphConfig]] = GsphConfig

    def fit(
        self, data: Dataset, config: GsphConfig, rng: np.random.Generator, log: Log
    ) -> HashFunctions:
        """The training items' codes, then for each medium the functions that give them."""
        a, b = data.media
        labels = {medium: np.eye(data.classes)[data.train[medium].labels] for medium in (a, b)}
        found = factorise(labels[a], labels[b], config, rng, log)
        functions = {}
        for medium, codes in zip((a, b), found, strict=True):
            functions[medium] = _fit_functions(data.train[medium].inputs, codes, config, rng)
            log(medium=medium.value, steps=functions[medium].steps)
        return HashFunctions(functions)


def factorise(
    a: Floats, b: Floats, config: GsphConfig, rng: np.random.Generator, log: Log
) -> tuple[Floats, Floats]:
    """Codes A [m, q] and B [n, q] of ±1 that make ‖q·S − ABᵀ‖ small, S [m, n] = a bᵀ.

    ``a`` [m, K] and ``b`` [n, K]: which class an item is of. Starts at random signs, goes through
    [−1, 1], and rounds in the end.
    """
    update = _UPDATES[config.updates]
    left, right = (rng.choice([-1.0, 1.0], (len(of), config.bits)) for of in (a, b))
    value = np.inf
    for sweep in range(1, config.sweeps + 1):
        left = update(left, right.T @ right, config.bits * (a @ (b.T @ right)))
        right = update(right, left.T @ left, config.bits * (b @ (a.T @ left)))
        seen = (signs(left), signs(right)) if config.by_signs else (left, right)
        previous, value = value, misfit(a, b, *seen)
        log(sweep=sweep, misfit=value)
        if sweep > config.least_sweeps and previous - value <= config.tolerance * value:
            break
    return signs(left), signs(right)


def misfit(a: Floats, b: Floats, left: Floats, right: Floats) -> float:
    """‖q·S − ABᵀ‖, of matrices that are no larger than classes and bits are."""
    bits = left.shape[1]
    square = bits**2 * ((a.T @ a) * (b.T @ b)).sum()
    square -= 2 * bits * ((a.T @ left) * (b.T @ right)).sum()
    square += ((left.T @ left) * (right.T @ right)).sum()
    return float(np.sqrt(max(square, 0.0)))


def signs(values: Floats) -> Floats:
    """±1; of 0, too, 1."""
    return np.where(values < 0, -1.0, 1.0)


def _update_columns(codes: Floats, gram: Floats, aim: Floats) -> Floats:
    """A from BᵀB [q, q] and q·SB [m, q]: column by column the minimum in [−1, 1], others as is."""
    codes = np.asfortranarray(codes)
    for bit in range(len(gram)):
        if gram[bit, bit] > 0:
            slope = codes @ gram[:, bit] - aim[:, bit]
            codes[:, bit] = np.clip(codes[:, bit] - slope / gram[bit, bit], -1, 1)
    return codes


def _update_matrix(codes: Floats, gram: Floats, aim: Floats) -> Floats:
    """The same by one step down the gradient, as long as it surely does not go too far."""
    steepest = 2 * np.linalg.eigvalsh(gram)[-1] + np.finfo(float).eps
    stepped: Floats = np.clip(codes - (2 * codes @ gram - 2 * aim) / steepest, -1, 1)
    return stepped


_UPDATES: Mapping[Updates, Callable[[Floats, Floats, Floats], Floats]] = {
    Updates.COLUMNS: _update_columns,
    Updates.MATRIX: _update_matrix,
}


@dataclass(frozen=True, slots=True, eq=False)
class _Functions:
    """The hash functions of a medium: sign(k(x, Z) W) of scaled features x.

    ``anchors`` Z [z, d]; ``weights`` W [z, q]; k(x, z) = exp(−‖x − z‖² / ``spread``). ``steps``:
    how many found them.
    """

    mean: Floats
    deviation: Floats
    anchors: Floats
    spread: float
    weights: Floats
    steps: int

    def __call__(self, features: Floats) -> Floats:
        scaled = (features - self.mean) / self.deviation
        return signs(_kernel(scaled, self.anchors, self.spread) @ self.weights)


@dataclass(frozen=True, slots=True, eq=False)
class HashFunctions:
    """A fit: the functions of each medium."""

    functions: Mapping[Medium, _Functions]

    def embed(self, medium: Medium, inputs: Inputs) -> NDArray[np.float32]:
        """Codes [n, bits] of ±1."""
        return self.functions[medium](whole_rows(inputs)).astype(np.float32)


def _fit_functions(
    inputs: Inputs, codes: Floats, config: GsphConfig, rng: np.random.Generator
) -> _Functions:
    features = whole_rows(inputs)
    mean, deviation = features.mean(axis=0), np.ones(features.shape[1])
    if config.standardise:
        moved = features.std(axis=0)
        deviation = np.where(moved > 0, moved, 1.0)
    scaled = (features - mean) / deviation
    # The mean of all pairs' squared distances, those of an item from itself among them.
    spread = 2 * float(scaled.var(axis=0).sum()) or 1.0
    anchors = _draw_anchors(scaled, config, rng)
    among = _kernel(anchors, anchors, spread)
    weights, steps = fit_logistic(_kernel(scaled, anchors, spread), among, codes, config)
    return _Functions(mean, deviation, anchors, spread, weights, steps)


def _draw_anchors(rows: Floats, config: GsphConfig, rng: np.random.Generator) -> Floats:
    count = min(config.anchors, len(rows))
    drawn: Floats = rows[np.sort(rng.choice(len(rows), count, replace=False))]
    if config.drawn is Anchors.KMEANS:
        with warnings.catch_warnings():  # a centre that no item is nearest to stays as it is
            warnings.simplefilter("ignore", UserWarning)
            drawn, _ = kmeans2(rows, drawn, iter=100, minit="matrix")
    return drawn


def _kernel(rows: Floats, anchors: Floats, spread: float) -> Floats:
    kernel: Floats = np.exp(-cdist(rows, anchors, "sqeuclidean") / spread)
    return kernel


def fit_logistic(
    kernel: Floats, among: Floats, codes: Floats, config: GsphConfig
) -> tuple[Floats, int]:
    """W [z, q] that minimises Σ log(1 + exp(−code · k w)) + C wᵀ K w, for each bit's w, k a row.

    ``kernel`` [n, z] of items with anchors, ``among`` K [z, z] of these with each other; ``codes``
    [n, q] of ±1. Returns it with the number of steps.
    """
    values, vectors = eigh(among)
    # What K takes to 0 is 0 at every item too: anchors that agree, or nearly.
    kept = values > len(values) * np.finfo(float).eps * values[-1]
    rooted = vectors[:, kept] / np.sqrt(values[kept])  # wᵀ K w becomes a sum of squares
    left, lengths, right = svd(kernel @ rooted, full_matrices=False)
    curved = lengths**2 / 4 + 2 * config.penalty  # at most, whatever the weights
    rows, ridge = left * (lengths / np.sqrt(curved)), (config.penalty / curved)[:, None]
    shape = rows.shape[1], codes.shape[1]

    def value(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(shape)
        margins = codes * (rows @ weights)
        # log(1 + exp(−m)) without overflow
        loss = np.log1p(np.exp(-np.abs(margins))).sum() - np.minimum(margins, 0).sum()
        slope = 2 * ridge * weights - rows.T @ (codes * expit(-margins))
        return loss + float((ridge * weights**2).sum()), slope.ravel()

    found = minimize(
        value,
        np.zeros(shape[0] * shape[1]),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": config.steps, "maxfun": 2 * config.steps, "gtol": SETTLED, "ftol": 0.0},
    )
    weights = rooted @ (right.T @ (found.x.reshape(shape) / np.sqrt(curved)[:, None]))
    return weights, int(found.nit)
