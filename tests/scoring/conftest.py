"""A benchmark of four media with a taxonomy, and ways to submit to it."""

from __future__ import annotations

import numpy as np
import pytest

from fgbench.benchmark import Benchmark, Items, Taxonomy
from fgbench.protocol import MEDIA

COUNTS = {"image": 41, "text": 23, "video": 31, "audio": 37}
LABELS = 7


@pytest.fixture(scope="session")
def small() -> Benchmark:
    rng = np.random.default_rng(1)
    items = {}
    for medium in MEDIA:
        n = COUNTS[medium]
        labels = np.concatenate((np.arange(LABELS), rng.integers(LABELS, size=n - LABELS)))
        ids = np.array([f"{medium}/{i:03d}" for i in range(n)])
        items[medium] = Items(ids, rng.permutation(labels).astype(np.int64))
    names = [f"Bird {i}" for i in range(LABELS)]
    taxonomy = Taxonomy(
        np.arange(LABELS),
        tuple(names),
        tuple(f"Genus{i // 2}" for i in range(LABELS)),
        tuple(f"Family{i // 4}" for i in range(LABELS)),
        ("Order",) * LABELS,
    )
    return Benchmark("small", "Small", items, "split", {"a.parquet": "0" * 64}, taxonomy)
