"""The queries that two runs share, task by task, with the species of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fgbench.benchmark import Benchmark, Items
from fgbench.errors import Fault, FaultyInput, InputError
from fgbench.protocol import SelfMatch, Task
from fgbench.scoring.run import PER_QUERY, SCORE_AGAIN, Run, brief

REFUSAL = "These runs cannot be compared"
_OTHER_BENCHMARK = "give the benchmark that the runs were scored against"


@dataclass(frozen=True, slots=True)
class Pairs:
    """The queries of one task that both runs have: species labels and both APs, [n] each."""

    labels: NDArray[np.int64]
    a: NDArray[np.float64]
    b: NDArray[np.float64]


def pair(
    run_a: Run, run_b: Run, ground: Benchmark, self_match: SelfMatch
) -> tuple[dict[str, Pairs], list[str]]:
    """The shared queries by task code, and notes on what only one run has.

    Pairs by item and task, whatever the order of rows. X→All takes ``self_match`` in both runs; the
    other tasks know no self-match. Raises ``FaultyInput`` where a run's values are not those of the
    benchmark's queries, ``InputError`` where nothing is shared.
    """
    in_a, faults_a = _align(run_a, ground, self_match, "A")
    in_b, faults_b = _align(run_b, ground, self_match, "B")
    if faults_a or faults_b:
        raise FaultyInput(REFUSAL, faults_a + faults_b)
    pairs, notes = {}, []
    for task in ground.tasks:
        if task not in in_a and task not in in_b:
            continue
        if task not in in_a or task not in in_b:
            notes.append(f"{task.title}: only {'A' if task in in_a else 'B'} has it; left out")
            continue
        has_a, has_b = np.isfinite(in_a[task]), np.isfinite(in_b[task])
        shared = has_a & has_b
        if (lost := int((has_a ^ has_b).sum())) > 0:
            notes.append(f"{task.title}: {shared.sum():,} shared queries; {lost:,} others left out")
        if shared.any():
            labels = ground.items[task.query].labels[shared]
            pairs[task.code] = Pairs(labels, in_a[task][shared], in_b[task][shared])
    if not pairs:
        raise InputError(
            "FG-C012",
            f"{run_a.name!r} and {run_b.name!r} share no query of any task",
            why="A paired comparison needs queries that both runs answer.",
            fix="Compare runs that have a task in common.",
        )
    return pairs, notes


def _align(
    run: Run, ground: Benchmark, self_match: SelfMatch, label: str
) -> tuple[dict[Task, NDArray[np.float64]], list[Fault]]:
    """A run's AP by task, in the order of the benchmark's items: [n], NaN where it has no value.

    Tasks without a row are left out.
    """
    where = f"{label}, {PER_QUERY}"
    kind, example = _positions(run.per_query["task"], [task.code for task in ground.tasks])
    faults = []
    if (strange := int((kind < 0).sum())) > 0:
        found = f"{strange:,} rows of no task of {ground.id}, as {example}"
        faults.append(Fault("FG-C006", where, found, "tasks of the benchmark", _OTHER_BENCHMARK))
    values = {}
    for number, task in enumerate(ground.tasks):
        rows = run.per_query.filter(pa.array(kind == number))
        if rows.num_rows:
            included = self_match is SelfMatch.INCLUDED and not task.bimodal
            ap = rows["ap_included" if included else "ap_excluded"]
            values[task], more = _place(
                rows["item_id"], ap, ground.items[task.query], f"{where}, {task.code}"
            )
            faults += more
    return values, faults


def _place(
    ids: pa.ChunkedArray, ap: pa.ChunkedArray, items: Items, where: str
) -> tuple[NDArray[np.float64], list[Fault]]:
    position, example = _positions(ids, items.ids.tolist())
    values = pc.fill_null(pc.cast(ap, pa.float64()), float("nan")).to_numpy()
    faults = []
    if (strange := position < 0).any():
        found = f"{strange.sum():,} items of no test list, as {example}"
        faults.append(Fault("FG-C006", where, found, "items of the benchmark", _OTHER_BENCHMARK))
    position, values = position[~strange], values[~strange]
    if (repeated := np.bincount(position, minlength=1) > 1).any():
        found = f"{repeated.sum():,} repeated items, as {brief(str(items.ids[repeated.argmax()]))}"
        faults.append(Fault("FG-C006", where, found, "every query once", SCORE_AGAIN))
    # No comparison holds for NaN, so that "not within" catches it where "outside" would not.
    if (wrong := ~((values >= 0) & (values <= 1))).any():
        found = f"{wrong.sum():,} values not within 0 to 1, as {values[wrong.argmax()]}"
        faults.append(Fault("FG-C007", where, found, "an AP for every query", SCORE_AGAIN))
    placed = np.full(len(items), np.nan)
    placed[position] = values
    return placed, faults


def _positions(column: pa.ChunkedArray, words: list[str]) -> tuple[NDArray[np.int64], str]:
    """Where each row's text stands in ``words``, −1 where it does not; and one that does not.

    Looks up each different text once, and never writes texts out row by row: a small hostile file
    could hold one long text under millions of rows.
    """
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    coded = pa.chunked_array(column.chunks, column.type).unify_dictionaries().combine_chunks()
    known = pc.index_in(coded.dictionary.cast(pa.string()), value_set=pa.array(words, pa.string()))
    index = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    # The last entry answers for null rows, whose index is −1.
    position = np.append(pc.fill_null(known, -1).to_numpy(zero_copy_only=False), -1)[index]
    strange = index[position < 0]
    example = (
        coded.dictionary[int(strange[0])].as_py() if len(strange) and strange[0] >= 0 else None
    )
    return position.astype(np.int64), brief(example)
