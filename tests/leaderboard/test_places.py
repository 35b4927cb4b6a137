"""Places of printed numbers, counted again from the file that they come from."""

from __future__ import annotations

import csv
from dataclasses import replace
from importlib import resources

import pytest
from small_runs import make_record

from fgbench.leaderboard.places import place
from fgbench.protocol import tasks
from fgbench.published import find, published
from fgbench.record import Mean

OWN = {
    "fgcrossnet", "mhtn", "acmr", "jrl", "gsph", "cmdn",
    "dbfc-net", "dbfc-net-cosine-plus", "safgcmhn", "gasa",
}  # fmt: skip
"""Methods of their own with sixteen values; the others are SCAN, GXN and variants of FGCrossNet."""


def file_rows():
    text = (resources.files("fgbench.manifests") / "published.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_places_are_those_of_the_file():
    columns = place(published())
    rows = file_rows()
    for measure, column in columns.items():
        name = {"bimodal": "mean_bimodal", "multimodal": "mean_multimodal"}.get(measure, measure)
        values = {row["method"]: float(row["value"]) for row in rows if row["task"] == name}
        assert {p.entry: p.value for p in column} == values
        ordered = sorted((values[m] for m in OWN), reverse=True)
        for found in column:
            wanted = ordered.index(found.value) + 1 if found.entry in OWN else None
            assert found.place == wanted
    assert list(columns) == [t.code for t in tasks()] + ["bimodal", "multimodal"]


def test_highest_first_whether_placed_or_not():
    column = place(published())["i2t"]
    assert column[0].entry == "fgcrossnet-rerun"
    assert column[0].place is None
    assert [p.value for p in column] == sorted((p.value for p in column), reverse=True)


def test_a_variant_has_no_place_though_all_its_values_are_printed():
    variant = replace(find("gasa"), key="gasa-2", variant_of="gasa")
    for column in place([find("gasa"), variant]).values():
        assert {p.entry: p.place for p in column} == {"gasa": 1, "gasa-2": None}


def rescored(value, **changes):
    mean = Mean(value, None, map_paper=value)
    record = make_record(paper={task.code: value for task in tasks()}, **changes)
    return replace(record, means={"bimodal": mean, "multimodal": mean})


def test_a_record_under_the_papers_convention_stands_beside_them():
    (task, printed) = "i2t", 0.339  # GASA's, the highest of its column
    beside = place(published(), {"ours": rescored(printed + 0.0004)})[task]
    found = {p.entry: p for p in beside}
    assert not found["ours"].printed
    assert found["gasa"].printed
    assert found["ours"].place == found["gasa"].place == 1  # equal, as tables print it
    above = {p.entry: p for p in place(published(), {"ours": rescored(printed + 0.001)})[task]}
    assert (above["ours"].place, above["gasa"].place) == (1, 2)


@pytest.mark.parametrize(
    "record",
    [
        rescored(0.5, complete=False),
        make_record(confused={"i2t": ()}),
        replace(rescored(0.5), means={"bimodal": Mean(0.5, None), "multimodal": Mean(0.5, None)}),
    ],
    ids=["incomplete", "sound alone", "means without"],
)
def test_a_record_of_the_sound_convention_never_does(record):
    assert place(published(), {"ours": record}) == place(published())


def test_the_order_of_methods_is_nothing():
    assert place(reversed(published())) == place(published())
