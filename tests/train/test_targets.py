"""What a printed table asks, and the rule of the verdicts at its edges."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fgbench.published import Note, Value
from fgbench.train.forms import load_form, plain_config
from fgbench.train.registry import BASELINES
from fgbench.train.targets import PrintedTable, Verdict, judge, targets


def value(printed, *notes):
    return Value(Decimal(printed), "Table 3", tuple(Note(key, "") for key in notes))


@pytest.mark.parametrize(
    ("table", "keys", "cells"),
    [
        ("table3", "fgcrossnet mhtn acmr jrl gsph cmdn scan gxn", 13),
        ("table4", "fgcrossnet mhtn acmr jrl gsph cmdn", 5),
        ("table5", "fgcrossnet-cls fgcrossnet-cls-center fgcrossnet", 13),
    ],
)
def test_a_table_has_the_papers_rows_in_its_order(table, keys, cells):
    rows = targets(PrintedTable(table))
    assert [row.key for row in rows] == keys.split()
    assert max(len(row.printed) for row in rows) == cells
    assert all(row.baseline in {None, *BASELINES} for row in rows)
    assert {row.baseline for row in rows if row.key in BASELINES} == set(BASELINES) & set(
        keys.split()
    )


def test_the_numbers_are_those_of_the_paper():
    # Typed from the paper's Tables 3, 4 and 5.
    table3, table4, table5 = ({r.key: r.printed for r in targets(t)} for t in PrintedTable)
    assert table3["jrl"]["t2i"].value == Decimal("0.190")
    assert table3["scan"].keys() == {"i2t", "t2i", "mean_bimodal"}
    assert table4["acmr"]["mean_multimodal"].value == Decimal("0.151")
    means = [row["mean_bimodal"].value for row in table5.values()]
    assert means == [Decimal("0.316"), Decimal("0.359"), Decimal("0.366")]


def test_each_step_of_the_ablation_takes_one_constraint_more():
    pytest.importorskip("torch")
    steps = [
        plain_config(load_form(row.baseline, overrides=row.settings))
        for row in targets(PrintedTable.TABLE5)
    ]
    assert [step.pop("constraint") for step in steps] == ["classification", "center", "ranking"]
    assert steps[0] == steps[1] == steps[2]


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        ((0.15, 0.1596), "within"),  # .1596 is printed .160
        ((0.15, 0.1594), "below"),
        ((0.1604, 0.2), "within"),
        ((0.1606, 0.2), "above"),
        ((0.1599, 0.1601), "within"),
    ],
)
def test_rounding_is_given_back(interval, verdict):
    assert judge(value("0.160"), interval) is Verdict(verdict)


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [((0.3669, 0.4), "within"), ((0.3671, 0.4), "above"), ((0.3, 0.3659), "below")],
)
def test_a_truncated_number_lies_above_what_is_printed(interval, verdict):
    assert judge(value("0.366", "truncated"), interval) is Verdict(verdict)


def test_exchanged_columns_are_no_target_and_obstacles_come_first():
    swapped = value("0.041", "pairwise", "columns-swapped")
    assert judge(swapped, (0.5, 0.6)) is Verdict.NO_TARGET
    assert judge(swapped, (0.5, 0.6), "another data set") is Verdict.NOT_COMPARABLE
    assert judge(value("0.5", "columns-doubtful"), (0.1, 0.2)) is Verdict.BELOW
