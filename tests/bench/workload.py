"""Full-size synthetic submissions to time with, and fgbench's own values on a sample of them.

``workload.py make FOLDER BENCHMARK`` writes, for each kind of features, ``KIND.npz`` (a submission)
and ``KIND-plain.npz`` (the same features with labels, for peers that know no submission).
``workload.py expect PER_QUERY PLAIN QUERIES`` prints the MAPs that fgbench gives the sample.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WIDTH = 200
MEDIA = ("image", "text", "video", "audio")
SIGNAL = {"image": 0.9, "text": 0.5, "video": 0.8, "audio": 0.7}
"""How far a medium's features lean towards their class, against noise of deviation 1."""
SIGNED = 0.5
"""That much of it for the signed features, which no softmax blurs."""


@dataclass(frozen=True)
class Workload:
    """Unit features [n, d] float32, labels [n] and ids [n] of each medium's test items."""

    features: dict[str, NDArray[np.float32]]
    labels: dict[str, NDArray[np.int64]]
    ids: dict[str, NDArray[np.str_]]

    @classmethod
    def read(cls, path: str | Path) -> Workload:
        with np.load(path) as z:
            media = [m for m in MEDIA if m in z.files]
            return cls(
                {m: unit(z[m]) for m in media},
                {m: z[f"{m}_labels"] for m in media},
                {m: z[f"{m}_ids"] for m in media},
            )

    @property
    def size(self) -> int:
        return sum(map(len, self.labels.values()))

    def gallery(self, medium: str | None) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Features and labels of one medium, or of all media stacked where ``medium`` is None."""
        if medium:
            return self.features[medium], self.labels[medium]
        return np.concatenate([*self.features.values()]), np.concatenate([*self.labels.values()])

    def sample(self, queries: int) -> dict[str, NDArray[np.int64]]:
        """About that many queries, each medium by its share: time on them scales to all of them."""
        rng = np.random.default_rng(7)
        shares = {
            m: min(len(y), round(queries * len(y) / self.size)) for m, y in self.labels.items()
        }
        return {
            m: np.sort(rng.choice(len(self.labels[m]), n, replace=False)) for m, n in shares.items()
        }

    def tasks(self) -> list[tuple[str, str, str | None]]:
        """Code, query medium and gallery medium (None: all) of each task."""
        return [
            (f"{q[0]}2{g[0] if g else 'all'}", q, g)
            for q in self.labels
            for g in (*self.labels, None)
            if q != g
        ]


def unit(x: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(x.astype(np.float64), axis=1, keepdims=True)
    return np.asarray(x / norms, dtype=np.float32)


def make(folder: Path, source: str) -> None:
    """Write both kinds: signed features, and a softmax, which is positive everywhere."""
    import fgbench

    items = {m.value: i for m, i in fgbench.load_benchmark(source).items.items()}
    classes = np.unique(np.concatenate([i.labels for i in items.values()]))
    rng = np.random.default_rng(2019)
    prototypes = rng.standard_normal((len(classes), WIDTH))
    signed, positive = {}, {}
    for m, i in items.items():
        centre = SIGNAL[m] * prototypes[np.searchsorted(classes, i.labels)]
        noise = rng.standard_normal(centre.shape)
        signed[m] = SIGNED * centre + noise
        e = np.exp(centre + noise)
        positive[m] = e / e.sum(axis=1, keepdims=True)
    ids = {f"{m}_ids": i.ids for m, i in items.items()}
    labels = {f"{m}_labels": i.labels for m, i in items.items()}
    for kind, features in (("signed", signed), ("positive", positive)):
        arrays = {m: x.astype(np.float32) for m, x in features.items()} | ids
        meta = np.array(json.dumps({"method": f"synthetic {kind} features"}))
        np.savez(folder / f"{kind}.npz", meta=meta, **arrays)
        np.savez(folder / f"{kind}-plain.npz", **arrays, **labels)


def expect(per_query: str, plain: str, queries: int) -> dict[str, float]:
    """The MAP of each task over the sample, from stored values; X→All with the query included."""
    import pyarrow.parquet as pq

    workload = Workload.read(plain)
    sample = workload.sample(queries)
    table = pq.read_table(per_query).to_pandas().set_index(["task", "item_id"]).sort_index()
    return {
        code: float(
            table.loc[code]
            .loc[workload.ids[query][sample[query]], "ap_excluded" if gallery else "ap_included"]
            .astype(np.float64)
            .mean()
        )
        for code, query, gallery in workload.tasks()
    }


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]), sys.argv[3])
    else:
        print(json.dumps(expect(sys.argv[2], sys.argv[3], int(sys.argv[4]))))
