"""A table done again: what is run, what is not, what is compared, and the report's bytes."""

from __future__ import annotations

import json
import re

import pytest
from small_features import write_small_features
from train.toys import toy_data

from fgbench.benchmark import load_benchmark
from fgbench.errors import FaultyInput, InputError
from fgbench.media.preset import Form
from fgbench.protocol import Medium
from fgbench.train import plan as planning
from fgbench.train import reproduction
from fgbench.train.hardware import Device, Hardware
from fgbench.train.method import Budget
from fgbench.train.plan import choices, obstacles, plan
from fgbench.train.reproduction import reproduce
from fgbench.train.reproduction_report import write_report
from fgbench.train.source import dataset
from fgbench.train.targets import PrintedTable, Verdict

CPU = Hardware(device=Device.CPU)
TABLE3, TABLE4, TABLE5 = PrintedTable


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write_small_features(tmp_path_factory.mktemp("small"))


@pytest.fixture
def printed_on(small, monkeypatch):
    """Makes the small benchmark that which the paper's numbers were taken on."""
    monkeypatch.setattr(planning, "DEFAULT", small.benchmark)


def run(small, out, table=TABLE4, seeds=1, methods=("jrl",)):
    planned = plan(table, seeds=seeds, methods=methods)
    data, benchmark = dataset(small.benchmark, small.features), load_benchmark(small.benchmark)
    return list(reproduce(table, planned, data, benchmark, out, CPU))


def row(found, key="jrl"):
    return next(row for row in found.rows if row.target.key == key)


def verdicts(found):
    return {cell: row(found).verdict(cell) for cell in found.cells}


def test_on_another_data_set_nothing_is_judged(small, tmp_path):
    found = run(small, tmp_path)[-1]
    assert row(found).obstacles == ("another data set",)
    assert set(verdicts(found).values()) == {Verdict.NOT_COMPARABLE}
    assert found.complete


def test_on_the_papers_data_set_each_cell_is_judged(small, tmp_path, printed_on):
    found = run(small, tmp_path)[-1]
    expected = {"v2all": Verdict.NO_TARGET, "a2all": Verdict.NO_TARGET}
    for cell, printed in {"i2all": 0.344, "t2all": 0.080, "mean_multimodal": 0.192}.items():
        low, high = row(found).measures[cell].ci95
        inside = low <= printed + 0.0005 and high >= printed - 0.0005
        outside = Verdict.ABOVE if low > printed else Verdict.BELOW
        expected[cell] = Verdict.WITHIN if inside else outside
    assert verdicts(found) == expected
    assert Verdict.ABOVE in expected.values()


def test_other_labels_are_another_data_set(small, tmp_path, printed_on):
    other = write_small_features(tmp_path)
    assert planning.official(load_benchmark(other.benchmark))
    three = write_small_features(tmp_path / "three", tuple(Medium)[:3])
    assert not planning.official(load_benchmark(three.benchmark))


def test_what_is_not_run_says_why(small, tmp_path):
    states = {row.target.key: row.state for row in run(small, tmp_path)[-1].rows}
    assert states == {
        "fgcrossnet": "not asked for",
        "mhtn": "not asked for",
        "acmr": "not asked for",
        "jrl": "run",
        "gsph": "not asked for",
        "cmdn": "not asked for",
    }


def test_a_method_that_does_not_take_such_data_is_left_out_and_says_why(small, tmp_path):
    found = run(small, tmp_path, TABLE3, methods=["scan", "jrl"])[-1]
    states = {row.target.key: row.state for row in found.rows}
    assert states["jrl"] == "run"
    assert states["scan"] == "scan takes parts of items, and there are none of image, text"
    assert found.complete


def test_rows_come_as_they_are_done(small, tmp_path):
    found = run(small, tmp_path, seeds=2)
    assert [row(step).state for step in found] == ["not run yet", "run", "run"]
    assert [len(row(step).submissions) for step in found] == [0, 1, 2]


def test_done_runs_are_not_run_again_and_tables_share_them(small, tmp_path, monkeypatch):
    first = write_report(run(small, tmp_path, seeds=2)[-1], tmp_path)
    contents = [path.read_bytes() for path in first]

    def train(self, progress):
        raise AssertionError("it was trained before")

    monkeypatch.setattr(reproduction.Run, "train", train)
    again = write_report(run(small, tmp_path, seeds=2)[-1], tmp_path)
    assert [path.read_bytes() for path in again] == contents
    assert row(run(small, tmp_path, TABLE3)[-1]).state == "run"


def test_equal_runs_give_equal_bytes(small, tmp_path):
    reports = [
        [path.read_bytes() for path in write_report(run(small, out)[-1], out)]
        for out in (tmp_path / "a", tmp_path / "b")
    ]
    assert reports[0] == reports[1]


def test_a_mean_is_over_the_papers_tasks_or_not_at_all(tmp_path):
    two = write_small_features(tmp_path, (Medium.IMAGE, Medium.TEXT))
    found = run(two, tmp_path, TABLE3)[-1]
    measured = {cell for cell, said in verdicts(found).items() if said is not Verdict.NOT_MEASURED}
    assert measured == {"i2t", "t2i"}
    assert found.order.tasks == ("i2t", "t2i")
    assert found.order.printed == (("jrl", pytest.approx((0.160 + 0.190) / 2)),)


def test_a_run_that_fails_is_noted_and_the_others_go_on(small, tmp_path, monkeypatch):
    honest = reproduction.score

    def score(submission, benchmark):
        if "seed-0" in str(submission):
            raise InputError("FG-X001", "it broke")
        return honest(submission, benchmark)

    monkeypatch.setattr(reproduction, "score", score)
    found = run(small, tmp_path, seeds=2)[-1]
    assert not found.complete
    assert row(found).failed == {0: "FG-X001  it broke"}
    assert [*row(found).submissions] == [1]
    html, markdown, _ = (path.read_text() for path in write_report(found, tmp_path))
    assert "FG-X001" in html
    assert "FG-X001" in markdown


def test_a_joint_method_that_lacks_a_medium_is_not_compared(tmp_path):
    pytest.importorskip("torch")
    two = write_small_features(tmp_path, (Medium.IMAGE, Medium.TEXT))
    data = dataset(two.benchmark, two.features)
    rows = plan(TABLE3, methods=["fgcrossnet", "mhtn", "jrl"])
    said = {row.target.key: obstacles(row, data, True) for row in rows if row.recipes}
    assert said == {
        "fgcrossnet": ("learnt without video, audio", "features stand in for image, text"),
        "mhtn": ("learnt without video, audio",),
        "jrl": (),
    }


def test_a_shorter_training_is_not_compared():
    pytest.importorskip("torch")
    data = toy_data(widths=dict.fromkeys(Medium, 4))
    budgets = {"mhtn": Budget.TINY, "jrl": Budget.TINY}
    rows = plan(TABLE3, budget=budgets.__getitem__, methods=["mhtn", "jrl"])
    said = {row.target.key: obstacles(row, data, True) for row in rows if row.recipes}
    assert said == {"mhtn": ("a shorter training: budget tiny",), "jrl": ()}


def test_runs_of_other_data_stop_it(small, tmp_path):
    run(small, tmp_path / "out")
    other = write_small_features(tmp_path, (Medium.IMAGE, Medium.TEXT))
    with pytest.raises(FaultyInput, match="FG-G031"):
        run(other, tmp_path / "out", TABLE3)


def test_it_is_of_one_process(small, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="FG-G061"):
        run(small, tmp_path)


def test_only_rows_that_are_here_can_be_asked_for():
    with pytest.raises(InputError, match=r"FG-G060.*'scan', 'crow'"):
        plan(TABLE4, methods=["jrl", "scan", "crow"])


def test_the_released_forms_other_choices_are_said():
    (jrl,) = (r for r in plan(TABLE4, Form.RELEASED, methods=["jrl"]) if r.recipes)
    assert choices(jrl)["laplacian"] == ("knn", "released")


def test_the_report_says_it_in_three_ways(small, tmp_path, printed_on):
    found = run(small, tmp_path, seeds=2)[-1]
    html, markdown, text = (path.read_text() for path in write_report(found, tmp_path))
    document = json.loads(text)
    (jrl,) = (row for row in document["rows"] if row["key"] == "jrl")
    cell = jrl["cells"]["i2all"]
    assert cell["paper"] == 0.344
    assert cell["verdict"] == row(found).verdict("i2all") != "not comparable"
    assert cell["notes"] == ["pairwise"]
    assert cell["ours"] == pytest.approx(sum(cell["seeds"]) / 2)
    ours, low, high = (f"{x:.3f}".removeprefix("0") for x in (cell["ours"], *cell["ci95"]))
    line = next(line for line in markdown.splitlines() if line.startswith("| I→All | .344"))
    assert line.split(" | ")[2:4] == [ours, f"{low} – {high}"]
    assert line.endswith(f"| {cell['verdict']} |")
    assert ours in html
    assert f"{low} – {high}" in html
    for note in document["notes"].values():
        assert note[:40] in html
    assert "columns-swapped" in document["notes"]
    assert not re.search(r"<script|<img|<link|https?://", html)
    for name, why in jrl["deviations"].items():
        assert name in html
        assert why[:20] in markdown
