"""``python tests/dask_cluster.py``: the engine on a cluster of two worker processes, as JSON.

Run by tests/test_engine.py in a process of its own, so that nothing that other tests left behind
in theirs reaches the cluster.
"""

from __future__ import annotations

import json

from distributed import LocalCluster

from fgbench.engine import map_unordered
from fgbench.errors import InputError


def double(n: int) -> int:
    return 2 * n


def fails_at_70(n: int) -> int:
    if n == 70:
        raise InputError("FG-X001", "seventy", why="it is the number", fix="take another")
    return n


def main() -> None:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        engine = cluster.scheduler_address.replace("tcp://", "dask://")
        found = {
            "doubled": sorted(map_unordered(double, iter(range(300)), engine=engine)),
            "nothing": list(map_unordered(double, [], engine=engine)),
        }
        try:
            list(map_unordered(fails_at_70, range(200), engine=engine))
        except InputError as error:
            found["error"] = [error.code, error.what, error.why, error.fix]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
