"""What each species adds to a run's MAPs: all that the board's statistics need of its queries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fgbench.benchmark import Benchmark
from fgbench.errors import Fault, FaultyInput
from fgbench.protocol import Task
from fgbench.scoring.run import PER_QUERY, SCORE_AGAIN, Run
from fgbench.scoring.summary import INCLUDED
from fgbench.scoring.uncertainty import ClusterSums


def sum_run(run: Run, layout: Layout) -> ClusterSums:
    """Sum a run's AP by species: one column a task, X→All once more self-included.

    The latter's keys end in ``INCLUDED``. A task of which a run lacks a query has no column, for
    its mean would be over other queries than the others' means. All runs of one layout have the
    same species and, where they have a column, the same counts. Rows may come in any order. Raises
    ``FaultyInput`` (FG-L101) where the values are not the benchmark's.
    """
    slot, excluded, included = _read(run, layout)
    if wrong := _wrong(slot, excluded, included, layout):
        where = f"{run.source}, {PER_QUERY}"
        wanted = "every query of the benchmark once, with an AP from 0 to 1"
        fault = Fault("FG-L101", where, f"{wrong:,} rows", wanted, SCORE_AGAIN)
        raise FaultyInput("This run cannot stand on the board", [fault])
    return _sum(slot, excluded, included, layout)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The benchmark's queries of all tasks in one row of slots, task by task.

    ``first`` [T]: the first slot of each task; ``task``, ``species`` [S]: numbers of each slot's;
    ``asked`` [S]: whether the query has an answer in the task's gallery.
    """

    tasks: tuple[Task, ...]
    codes: pa.StringArray
    ids: tuple[pa.StringArray, ...]
    medium: NDArray[np.int64]
    first: NDArray[np.int64]
    task: NDArray[np.int64]
    species: NDArray[np.int64]
    asked: NDArray[np.bool_]
    clusters: NDArray[np.int64]


def lay_out(ground: Benchmark) -> Layout:
    """The slots of a benchmark, for ``sum_run``."""
    sizes = np.array([len(ground.items[task.query]) for task in ground.tasks])
    labels = np.concatenate([ground.items[task.query].labels for task in ground.tasks])
    asked = np.concatenate([_asked(ground, task) for task in ground.tasks])
    clusters = np.unique(labels[asked])
    return Layout(
        tasks=ground.tasks,
        codes=pa.array([task.code for task in ground.tasks]),
        ids=tuple(pa.array(ground.items[m].ids.tolist(), pa.string()) for m in ground.media),
        medium=np.array([ground.media.index(task.query) for task in ground.tasks]),
        first=np.cumsum(sizes) - sizes,
        task=np.repeat(np.arange(len(sizes)), sizes),
        species=np.searchsorted(clusters, labels),
        asked=asked,
        clusters=clusters,
    )


def _asked(ground: Benchmark, task: Task) -> NDArray[np.bool_]:
    """Whether another item of the query's label stands in the task's gallery, [n]."""
    labels = ground.items[task.query].labels
    if task.gallery is not None:
        return np.isin(labels, ground.items[task.gallery].labels)
    everywhere = np.concatenate([ground.items[m].labels for m in ground.media])
    known, counts = np.unique(everywhere, return_counts=True)
    return np.isin(labels, known[counts > 1])


def _read(
    run: Run, layout: Layout
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Each row's slot, −1 where it has none, and both its APs, NaN where it has none."""
    tasks = _places(run.per_query["task"], (layout.codes,))[0]
    places = _places(run.per_query["item_id"], layout.ids)
    place = places[layout.medium[tasks], np.arange(len(tasks))]
    slot = np.where((tasks >= 0) & (place >= 0), layout.first[tasks] + place, -1)
    excluded, included = (
        pc.fill_null(pc.cast(run.per_query[name], pa.float64()), float("nan")).to_numpy()
        for name in ("ap_excluded", "ap_included")
    )
    return slot, excluded, included


def _places(column: pa.ChunkedArray, lists: tuple[pa.Array, ...]) -> NDArray[np.int64]:
    """Where each row's text stands in each list, [lists, rows]; −1 where it does not.

    Looks up each different text once: a small hostile file could hold one long text under millions
    of rows.
    """
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    coded = pa.chunked_array(column.chunks, column.type).unify_dictionaries().combine_chunks()
    texts = coded.dictionary.cast(pa.string())
    known = [pc.fill_null(pc.index_in(texts, value_set=words), -1).to_numpy() for words in lists]
    index = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    # The last column answers for null rows, whose index is −1.
    return np.pad(np.stack(known), ((0, 0), (0, 1)), constant_values=-1)[:, index].astype(np.int64)


def _wrong(
    slot: NDArray[np.int64],
    excluded: NDArray[np.float64],
    included: NDArray[np.float64],
    layout: Layout,
) -> int:
    """How many rows are of no query, of one that had a row before, or without a fit AP."""
    placed = slot >= 0
    placed[placed] = layout.asked[slot[placed]]
    union = np.array([not task.bimodal for task in layout.tasks])[layout.task[slot]]
    # No comparison holds for NaN.
    fit = (excluded >= 0) & (excluded <= 1)
    fit &= ~union | ((included >= 0) & (included <= 1))
    return len(slot) - int(np.count_nonzero(np.bincount(slot[placed & fit])))


def _sum(
    slot: NDArray[np.int64],
    excluded: NDArray[np.float64],
    included: NDArray[np.float64],
    layout: Layout,
) -> ClusterSums:
    shape = len(layout.tasks), len(layout.clusters)
    cells = layout.task * shape[1] + layout.species

    def by_species(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        size = shape[0] * shape[1]
        summed = np.bincount(cells[layout.asked], weights[layout.asked], minlength=size)
        return summed.reshape(shape).astype(np.float64, copy=False)

    # Put into the benchmark's order before they are summed, so that the order of rows is nothing.
    values = np.zeros((3, len(layout.task)))
    values[:, slot] = np.stack([np.ones(len(slot)), excluded, included])
    answered, without, within = map(by_species, values)
    counts = by_species(np.ones(len(layout.task)))
    whole = (answered == counts).all(axis=1) & (counts.sum(axis=1) > 0)
    columns = {
        task.code + mark: (sums[number], counts[number])
        for mark, sums in (("", without), (INCLUDED, within))
        for number, task in enumerate(layout.tasks)
        if whole[number] and not (mark and task.bimodal)
    }
    stacked = np.array(list(columns.values())).reshape(-1, 2, shape[1])
    return ClusterSums(tuple(columns), layout.clusters, stacked[:, 0].T, stacked[:, 1].T)
