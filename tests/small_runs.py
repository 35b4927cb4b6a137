"""Small benchmarks, and runs on them whose every AP is given by hand: for tests of the board."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from fgbench.benchmark import Benchmark, Items
from fgbench.leaderboard.shares import lay_out, sum_run
from fgbench.protocol import MEDIA
from fgbench.record import Record, TaskScore
from fgbench.scoring.run import Run


def small_ground(species=6, media=MEDIA, left_out=None):
    """Of each species 2 items a medium, of every third one 3; labels from 1, in no order."""
    rng = np.random.default_rng(3)
    counts = [3 if label % 3 == 0 else 2 for label in range(1, species + 1)]
    labels = np.repeat(np.arange(1, species + 1), counts)
    items = {}
    for medium in media:
        kept = labels[~np.isin(labels, list((left_out or {}).get(medium, ())))]
        ids = np.array([f"{medium}/{number:03}" for number in range(len(kept))])
        items[medium] = Items(ids, rng.permutation(kept).astype(np.int64))
    return Benchmark("small", "Small", items, "split", {"a.parquet": "0" * 64})


def list_queries(ground):
    """All queries of a benchmark that have an answer, as a table: item_id, label, task."""
    parts = []
    everywhere = np.concatenate([items.labels for items in ground.items.values()]).tolist()
    for task in ground.tasks:
        frame = pd.DataFrame(
            {"item_id": ground.items[task.query].ids, "label": ground.items[task.query].labels}
        )
        gallery = ground.items[task.gallery].labels.tolist() if task.gallery else everywhere
        least = 1 if task.gallery else 2
        frame = frame[[gallery.count(label) >= least for label in frame["label"]]]
        parts.append(frame.assign(task=task.code))
    return pd.concat(parts, ignore_index=True)


def fill(queries, values, included=None):
    """APs for the queries; with self included, where that is not said, a quarter of the way up."""
    frame = queries.assign(ap_excluded=np.asarray(values, float))
    within = frame["ap_excluded"] * 0.75 + 0.25 if included is None else included
    return frame.assign(ap_included=np.where(frame["task"].str.endswith("all"), within, np.nan))


def draw_values(queries, level, seed, steps=64):
    """Whole parts of ``steps``, so that sums can be told exactly."""
    rng = np.random.default_rng(seed)
    drawn = rng.normal(level * steps, steps / 8, len(queries))
    return np.clip(np.rint(drawn), 0, steps) / steps


def make_run(frame, name="run"):
    columns = frame[["item_id", "task", "ap_excluded", "ap_included"]]
    table = pa.Table.from_pandas(columns, preserve_index=False)
    for column in ("ap_excluded", "ap_included"):
        at = table.schema.get_field_index(column)
        table = table.set_column(at, column, table[column].cast(pa.float32()))
    return Run(name, name, name * 4, "fgx-1", "small", "split", {"a.parquet": "0" * 64}, table)


def sum_runs(runs, ground):
    """What a check gives of runs, by name."""
    layout = lay_out(ground)
    return {name: sum_run(run, layout) for name, run in runs.items()}


def make_record(meta=None, confused=None, complete=True, paper=None):
    """A record of which only what is given matters; ``confused`` and ``paper`` by task code."""
    confused, paper = confused or {}, paper or {}
    scores = {
        code: TaskScore(0.5, None, map_paper=paper.get(code), confused=confused.get(code, ()))
        for code in sorted({*confused, *paper})
    }
    return Record(
        benchmark={},
        submission={"meta": meta},
        scores=scores,
        means={},
        complete=complete,
        missing={},
        merge=None,
        bootstrap={},
        per_query={},
        package_version="0.1.0",
    )
