"""Sums by species against pandas, whatever the rows' order; and values that are no run's."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from small_runs import draw_values, fill, list_queries, make_run, small_ground, sum_runs

from fgbench.benchmark import Benchmark, Items
from fgbench.errors import FaultyInput
from fgbench.protocol import Medium

GROUND = small_ground()
QUERIES = list_queries(GROUND)
VALUES = fill(QUERIES, draw_values(QUERIES, 0.5, seed=0))


def sum_one(frame, ground=GROUND):
    return sum_runs({"one": make_run(frame)}, ground)["one"]


def same(a, b):
    return (
        a.keys == b.keys
        and a.clusters.tolist() == b.clusters.tolist()
        and a.sums.tolist() == b.sums.tolist()
        and a.counts.tolist() == b.counts.tolist()
    )


def test_sums_are_those_of_pandas():
    found = sum_one(VALUES)
    assert len(found.keys) == 16 + 4
    assert found.clusters.tolist() == [1, 2, 3, 4, 5, 6]
    for at, key in enumerate(found.keys):
        task, _, mark = key.partition("+")
        column = "ap_included" if mark else "ap_excluded"
        groups = VALUES[VALUES["task"] == task].groupby("label")[column]
        assert found.sums[:, at].tolist() == pytest.approx(groups.sum().tolist())
        assert found.counts[:, at].tolist() == groups.count().tolist()


def test_the_order_of_rows_and_their_chunks_are_nothing():
    shuffled = VALUES.sample(frac=1, random_state=0)
    assert same(sum_one(VALUES), sum_one(shuffled))
    run = make_run(shuffled)
    halves = [run.per_query.slice(0, 40), run.per_query.slice(40)]
    for at, half in enumerate(halves):
        for name in ("item_id", "task"):
            number = half.schema.get_field_index(name)
            half = half.set_column(number, name, half[name].dictionary_encode())
        halves[at] = half
    object.__setattr__(run, "per_query", pa.concat_tables(halves))
    assert same(sum_one(VALUES), sum_runs({"one": run}, GROUND)["one"])


def test_an_id_may_stand_in_two_media():
    def items(labels):
        return Items(np.array(["a", "b", "c", "d"]), np.array(labels))

    media = {Medium.IMAGE: items([1, 1, 2, 2]), Medium.AUDIO: items([2, 1, 2, 1])}
    ground = Benchmark("b", "B", media, "split")
    frame = fill(list_queries(ground), np.arange(16) / 16)
    found = sum_one(frame, ground)
    assert found.keys == ("i2a", "a2i", "i2all", "a2all", "i2all+self", "a2all+self")
    assert (found.sums[:, 0] * 16).tolist() == [0 + 1, 2 + 3]
    assert (found.sums[:, 1] * 16).tolist() == [5 + 7, 4 + 6]


def test_species_without_an_answer_are_not_asked():
    ground = small_ground(left_out={Medium.AUDIO: {2}})
    queries = list_queries(ground)
    found = sum_one(fill(queries, draw_values(queries, 0.5, seed=1)), ground)
    counts = dict(zip(found.keys, found.counts.T.tolist(), strict=True))
    assert counts["i2a"] == [2, 0, 3, 2, 2, 3]
    assert counts["i2t"] == counts["i2all"] == [2, 2, 3, 2, 2, 3]
    everything = fill(QUERIES, np.full(len(QUERIES), 0.5))
    with pytest.raises(FaultyInput):
        sum_one(everything[~everything["task"].str.startswith("a")], ground)


def test_a_query_without_another_item_of_its_species_is_not_asked():
    media = {
        Medium.IMAGE: Items(np.array(["a", "b", "c"]), np.array([1, 1, 2])),
        Medium.AUDIO: Items(np.array(["d", "e"]), np.array([1, 1])),
    }
    ground = Benchmark("b", "B", media, "split", left_out={Medium.AUDIO: frozenset([2])})
    found = sum_one(fill(list_queries(ground), np.full(8, 0.5)), ground)
    assert found.clusters.tolist() == [1]
    assert found.counts.tolist() == [[2.0] * 6]


@pytest.mark.parametrize(("task", "lost"), [("i2t", ["i2t"]), ("t2all", ["t2all", "t2all+self"])])
def test_a_task_with_a_gap_has_no_column(task, lost):
    whole = sum_one(VALUES)
    gap = VALUES.drop(VALUES.index[VALUES["task"] == task][3])
    assert set(whole.keys) - set(sum_one(gap).keys) == set(lost)
    assert sum_one(VALUES[VALUES["task"] != task]).keys == sum_one(gap).keys


def test_no_rows_no_columns():
    found = sum_one(VALUES[:0])
    assert found.keys == ()
    assert found.sums.shape == (6, 0)


def spoil(column, value, task="i2t"):
    frame = VALUES.copy()
    frame.loc[frame.index[frame["task"] == task][1], column] = value
    return frame


SPOILED = {
    "no item": spoil("item_id", "image/999"),
    "no id": spoil("item_id", None),
    "no id where the first would fit": VALUES.assign(item_id=[None, *VALUES["item_id"][1:]]),
    "no task where the first would fit": VALUES.assign(task=[None, *VALUES["task"][1:]]),
    "no task": spoil("task", "i2x"),
    "of another medium": spoil("item_id", "text/001"),
    "twice": spoil("item_id", VALUES["item_id"][0]),
    "no number": spoil("ap_excluded", np.nan),
    "over one": spoil("ap_excluded", 1.01),
    "below zero": spoil("ap_excluded", -0.01),
    "infinite": spoil("ap_excluded", np.inf),
    "none with self": spoil("ap_included", np.nan, "i2all"),
    "over one with self": spoil("ap_included", 1.5, "i2all"),
}


@pytest.mark.parametrize("kind", SPOILED)
def test_values_that_are_not_the_benchmarks_are_refused(kind):
    with pytest.raises(FaultyInput) as caught:
        sum_one(SPOILED[kind])
    (fault,) = caught.value.faults
    assert (fault.code, fault.where) == ("FG-L101", "run, per_query.parquet")
    assert fault.found == "1 rows"
