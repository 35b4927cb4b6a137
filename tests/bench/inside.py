"""The bare product and ``fgbench.score`` by turns, in one process.

``inside.py SUBMISSION PLAIN BENCHMARK TURNS`` prints the seconds of each turn, one untimed before.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from numpy.typing import NDArray
from workload import Workload

import fgbench

BLOCK = 512


def product(items: NDArray[np.float32]) -> None:
    """Every item with every item, a block of query rows at a time: the least that scoring costs."""
    out = np.empty((BLOCK, len(items)), dtype=np.float32)
    for a in range(0, len(items), BLOCK):
        rows = items[a : a + BLOCK]
        np.matmul(rows, items.T, out=out[: len(rows)])


def main(path: str, plain: str, source: str, turns: int) -> None:
    items, _ = Workload.read(plain).gallery(None)
    benchmark = fgbench.load_benchmark(source)
    found: dict[str, list[float]] = {"product": [], "read": [], "score": []}
    for _ in range(turns + 1):
        clock = [time.perf_counter()]
        product(items)
        clock.append(time.perf_counter())
        with fgbench.read_submission(path) as submission:
            clock.append(time.perf_counter())
            fgbench.score(submission, benchmark)
            clock.append(time.perf_counter())
        for name, seconds in zip(found, np.diff(clock), strict=True):
            found[name].append(float(seconds))
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    timed = {name: seconds[1:] for name, seconds in found.items()}
    print(json.dumps({**timed, "blas": f"{blas['name']} {blas['version']}"}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
