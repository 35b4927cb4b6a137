"""The table of baselines: what is in the folder, and no figure that was not measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fgbench.errors import InputError
from fgbench.media.preset import Form
from fgbench.train.method import Budget
from fgbench.train.registry import BASELINES
from fgbench.train.table import (
    README,
    RESULTS,
    Result,
    read_results,
    record_results,
    render_table,
)

BASELINES_FOLDER = Path(__file__).resolve().parents[2] / "baselines"
JRL = Result(
    method="jrl",
    form=Form.PAPER,
    budget=Budget.FULL,
    benchmark="wikipedia",
    figure="i2t",
    seeds=5,
    mean=0.31549,
    spread=0.0041,
    command="python tests/bench/floors.py jrl",
    date="2026-01-31",
)


def rows(text):
    """The cells of each row of the table, by method and form."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| [")]
    cells = [[cell.strip() for cell in line] for line in lines]
    return {(c[0].partition("]")[0][1:], c[6].partition("]")[0][1:]): c for c in cells}


def test_the_file_is_what_the_script_writes():
    written = (BASELINES_FOLDER / README).read_text("utf-8")
    assert written == render_table(read_results(BASELINES_FOLDER / RESULTS)), (
        "python -m fgbench.train.table"
    )


def test_every_method_and_form_has_a_row_whose_links_lead_somewhere():
    text = render_table(())
    found = rows(text)
    forms = {tuple(p.name.split(".")[:2]) for p in BASELINES_FOLDER.glob("*.*.yaml")}
    assert found.keys() == forms
    assert {name for name, _ in found} == set(BASELINES)
    for (name, form), cells in found.items():
        assert f"({name}.py)" in cells[0]
        assert f"({name}.{form}.yaml)" in cells[6]


def test_a_figure_that_was_not_measured_is_not_run():
    empty = rows(render_table(()))
    assert {cells[-2] for cells in empty.values()} == {"not run"}
    jrl = rows(render_table([JRL]))["jrl", "paper"]
    assert jrl[-4:] == ["wikipedia", ".315 ± .004 (5)", "not run", ".160"]
    assert jrl[7] == "not run"
    both = render_table([JRL, replace(JRL, figure="t2i", mean=0.229)])
    assert rows(both)["jrl", "paper"][7] == "measured"
    assert rows(both)["jrl", "released"][7] == "not run"
    assert f"- `{JRL.command}`" in both


def test_what_another_budget_or_set_gave_is_not_shown():
    cpu = replace(JRL, budget=Budget.CPU, mean=0.2)
    assert rows(render_table([cpu]))["jrl", "paper"][-3] == ".200 ± .004 (5), cpu"
    assert rows(render_table([cpu, JRL]))["jrl", "paper"][-3] == ".315 ± .004 (5)"
    others = [replace(JRL, budget=Budget.TINY), replace(JRL, benchmark="digits")]
    assert rows(render_table(others))["jrl", "paper"][-3] == "not run"


def test_results_are_kept_one_a_key_in_one_order(tmp_path):
    path = tmp_path / RESULTS
    assert read_results(path) == ()
    text = replace(JRL, figure="t2i", mean=0.2291, command='say "a", b')
    record_results(path, [text, JRL])
    first = path.read_bytes()
    record_results(path, [JRL])
    assert path.read_bytes() == first
    assert read_results(path) == (JRL, text)
    record_results(path, [replace(JRL, mean=0.4)])
    assert [found.mean for found in read_results(path)] == [0.4, 0.2291]


@pytest.mark.parametrize(
    "content", ["a,b\n1,2\n", "method,form\njrl,paper\n", "\n", "method,form,budget\njrl,novel,x\n"]
)
def test_a_file_that_is_no_table_is_named(tmp_path, content):
    path = tmp_path / RESULTS
    path.write_text(content)
    if content.strip():
        with pytest.raises(InputError, match=r"(?s)FG-G070.*method, form, budget"):
            read_results(path)
    else:
        assert read_results(path) == ()
