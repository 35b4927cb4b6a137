"""Forms: what a file, a budget and the user say, in that order, and every fault at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from train.toys import LinearConfig

from fgbench.errors import FaultyInput
from fgbench.media.preset import Form
from fgbench.train.forms import BUDGETS, load_form, plain_config, restore_config
from fgbench.train.method import Budget
from fgbench.train.registry import BASELINES, load
from fgbench.train.values import field_kinds

OURS = Path(__file__).resolve().parents[2] / "baselines"


def codes(caught: pytest.ExceptionInfo[FaultyInput]) -> list[str]:
    return [fault.code for fault in caught.value.faults]


def test_the_users_value_stands_over_the_budgets_and_that_over_the_forms(toys):
    full = load_form("toy-linear")
    assert (full.epochs, full.batch) == (3, 4)
    tiny = load_form("toy-linear", Form.PAPER, Budget.TINY)
    assert (tiny.epochs, tiny.batch) == (1, 4)
    mine = load_form("toy-linear", Form.PAPER, Budget.TINY, {"epochs": "7", "rate": "1e-4"})
    assert (mine.epochs, mine.rate) == (7, 1e-4)


def test_all_faults_are_told_at_once(toys):
    path = toys / "toylab_linear.paper.yaml"
    path.write_text("width: wide\nbudgets: {tiny: {epoch: 1}, cpu: 3}\nrivals: 1\n")
    with pytest.raises(FaultyInput) as caught:
        load_form("toy-linear", overrides={"batsh": "8", "rate": "fast"})
    found = {(fault.code, fault.where) for fault in caught.value.faults}
    assert found == {
        ("FG-G011", "toylab_linear.paper.yaml, width"),
        ("FG-G011", "toylab_linear.paper.yaml, rivals"),
        ("FG-G010", "toylab_linear.paper.yaml, budgets, tiny"),
        ("FG-G013", "toylab_linear.paper.yaml, budgets, cpu"),
        ("FG-G010", "--set"),
        ("FG-G011", "--set, rate"),
    }
    fixes = {fault.found: fault.fix for fault in caught.value.faults}
    assert (fixes["epoch"], fixes["batsh"]) == ("did you mean epochs?", "did you mean batch?")


@pytest.mark.parametrize(
    "text", ["", "- a\n", "width: [\n", "1: 2\n", "budgets: {long: {}}\n", "!!python/object:x {}"]
)
def test_a_file_that_is_no_form(toys, text):
    (toys / "toylab_linear.paper.yaml").write_text(text)
    with pytest.raises(FaultyInput) as caught:
        load_form("toy-linear")
    assert codes(caught) == ["FG-G013"]


def test_what_the_method_refuses_is_the_users_fault(toys, monkeypatch):
    def refuse(self):
        raise ValueError("batch is above 0")

    monkeypatch.setattr(LinearConfig, "__init__", lambda self, **values: refuse(self))
    with pytest.raises(FaultyInput, match="batch is above 0") as caught:
        load_form("toy-linear", overrides={"batch": "0"})
    assert codes(caught) == ["FG-G012"]


def test_a_configuration_is_restored_from_what_is_written():
    config = LinearConfig(width=9, drop=0.25, rivals=False)
    written = yaml.safe_load(yaml.safe_dump(plain_config(config)))
    assert restore_config(LinearConfig, written, "config.yaml") == config
    with pytest.raises(FaultyInput, match=r"config\.yaml cannot be used"):
        restore_config(LinearConfig, {**written, "height": 3}, "config.yaml")


@pytest.mark.parametrize("path", sorted(OURS.glob("*.yaml")), ids=lambda path: path.name)
def test_each_form_of_ours_gives_every_value_and_every_budget(path):
    stem, form, _ = path.name.split(".")
    (name,) = [n for n, value in BASELINES.items() if value.startswith(f"{stem}:")]
    written = yaml.safe_load(path.read_text("utf-8"))
    assert set(written) == {*field_kinds(load(name).Config), BUDGETS}
    assert set(written[BUDGETS]) == {budget.value for budget in Budget}
    for budget in Budget:
        assert isinstance(load_form(name, Form(form), budget), load(name).Config)
