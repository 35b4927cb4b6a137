"""What a species page rests on: means by pandas, confusions by hand, and hostile records."""

from __future__ import annotations

import json
from dataclasses import asdict

import pandas as pd
import pytest
from small_runs import (
    draw_values,
    fill,
    list_queries,
    make_record,
    make_run,
    small_ground,
    sum_runs,
)

from fgbench.errors import FaultyInput
from fgbench.leaderboard.species import Neighbour, view_species
from fgbench.protocol import Medium

GROUND = small_ground(left_out={Medium.AUDIO: {2}})
QUERIES = list_queries(GROUND)
FRAMES = {
    name: fill(QUERIES, draw_values(QUERIES, level, seed=seed))
    for seed, (name, level) in enumerate({"a": 0.3, "b": 0.5, "c": 0.8}.items())
}
SUMS = sum_runs({name: make_run(frame, name) for name, frame in FRAMES.items()}, GROUND)


def test_difficulty_is_the_mean_over_entries_of_each_species_map():
    stacked = pd.concat([frame.assign(entry=name) for name, frame in FRAMES.items()])
    maps = stacked.groupby(["label", "task", "entry"])["ap_excluded"].mean()
    known = maps.groupby(["label", "task"]).mean()
    views = view_species(SUMS, {}, GROUND)
    assert [view.label for view in views] == [1, 2, 3, 4, 5, 6]
    found = {(v.label, task): value for v in views for task, value in v.maps.items()}
    assert found == pytest.approx(known.to_dict())
    assert not {"i2a", "a2i", "a2all"} & views[1].maps.keys()


def test_neighbours_are_counted_both_ways_over_entries_and_tasks():
    records = {
        "a": make_record(confused={"i2t": ((1, 3, 4.5), (3, 1, 2)), "t2i": ((1, 3, 1.0),)}),
        "b": make_record(confused={"i2t": ((1, 4, 3.0), (5, 1, 3.0))}),
    }
    views = {view.label: view for view in view_species(SUMS, records, GROUND)}
    assert views[1].neighbours == (Neighbour(3, 5.5, 2), Neighbour(4, 3, 0), Neighbour(5, 0, 3))
    assert views[3].neighbours == (Neighbour(1, 2, 5.5),)
    assert views[6].neighbours == ()


def test_the_order_of_entries_is_nothing():
    records = {
        name: make_record(confused={"i2t": ((1, 3, queries),)})
        for name, queries in {"a": 0.1, "b": 0.2, "c": 0.7}.items()
    }
    turned = dict(reversed(SUMS.items())), dict(reversed(records.items()))
    assert view_species(*turned, GROUND) == view_species(SUMS, records, GROUND)


def test_views_are_plain_json():
    records = {"a": make_record(confused={"i2t": ((1, 3, 4.5),)})}
    assert json.dumps([asdict(v) for v in view_species(SUMS, records, GROUND)], allow_nan=False)


def test_no_entries_no_numbers():
    assert all(not v.maps and not v.neighbours for v in view_species({}, {}, GROUND))


HOSTILE = [
    ("<script>", 3, 1.0),
    (1, None, 1.0),
    (1, [2], 1.0),
    (1, 99, 1.0),
    (1.0, 3, 1.0),
    (True, 3, 1.0),
    (1, 1, 1.0),
    (1, 3, -1.0),
    (1, 3, float("inf")),
    (1, 3, float("nan")),
    (1, 3, 10**400),
    (1, 3, "7"),
]


@pytest.mark.parametrize("triple", HOSTILE, ids=repr)
def test_confusions_of_no_benchmark_are_refused(triple):
    record = make_record(confused={"i2t": ((1, 3, 1.0), triple)})
    with pytest.raises(FaultyInput) as caught:
        view_species(SUMS, {"a\x1b": record, "b": record}, GROUND)
    assert [f.code for f in caught.value.faults] == ["FG-L102"] * 2
    assert caught.value.faults[0].where == "a\ufffd, record.json, scores.i2t.confused"
    assert len(caught.value.faults[0].found) <= 60
