"""A run that was interrupted comes to what it would have come to, bit for bit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from train.toys import Linear, recipe, toy_data
from train.trained_toy import DRAWN, open_run

from fgbench.errors import FaultyInput, InputError
from fgbench.train.hardware import Device, Hardware, Precision
from fgbench.train.run import Run

TESTS = Path(__file__).resolve().parents[1]
STEPS = 12
"""Two stages of two epochs of three steps."""


class Stopped(Exception):
    """Stands in for what may end a run."""


def stop_at(step):
    calls = iter(range(step, -1, -1))

    def progress(part):
        if next(calls) == 0:
            raise Stopped

    return progress


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The run that nothing interrupted."""
    out = tmp_path_factory.mktemp("whole")
    run = open_run(out, noise=0.5, **DRAWN)
    run.train()
    run.embed()
    return out


def outcome(out):
    """The submission's bytes, and the log without times."""
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    figures = [{k: v for k, v in line.items() if k != "seconds"} for line in lines]
    return (out / "submission.npz").read_bytes(), figures


@pytest.mark.parametrize("step", [0, 5, 8])
def test_it_goes_on_from_any_step(whole, tmp_path, step):
    with pytest.raises(Stopped):
        open_run(tmp_path, noise=0.5, **DRAWN).train(stop_at(step))
    again = open_run(tmp_path, noise=0.5, **DRAWN)
    again.train()
    again.embed()
    assert outcome(tmp_path) == outcome(whole)


def test_it_may_be_interrupted_again_and_again(whole, tmp_path):
    for _ in range(STEPS - 1):
        with pytest.raises(Stopped):  # the second step of each call: one is done a call
            open_run(tmp_path, noise=0.5, **DRAWN).train(stop_at(1))
    again = open_run(tmp_path, noise=0.5, **DRAWN)
    again.train()
    again.embed()
    assert outcome(tmp_path) == outcome(whole)


@pytest.mark.parametrize("how", [("kill", "7"), ("tear", "4")])
def test_it_goes_on_after_a_kill(whole, tmp_path, how):
    command = [sys.executable, str(TESTS / "train" / "trained_toy.py"), str(tmp_path)]
    paths = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths}
    killed = subprocess.run([*command, *how], env=environment, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (tmp_path / "submission.npz").exists()
    again = open_run(tmp_path, noise=0.5, **DRAWN)
    again.train()
    again.embed()
    assert outcome(tmp_path) == outcome(whole)


def stopped_run(out):
    with pytest.raises(Stopped):
        open_run(out, noise=0.5, **DRAWN).train(stop_at(5))


def test_another_recipe_or_other_data_do_not_go_on(tmp_path):
    stopped_run(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(FaultyInput) as caught:
        Run(recipe(Linear(), seed=1, width=5, **DRAWN), toy_data(seed=1), tmp_path)
    where = {fault.where.partition(", ")[2] for fault in caught.value.faults}
    assert where == {"seed", "config.width", "data.image", "data.text", "data.audio"}
    assert {fault.code for fault in caught.value.faults} == {"FG-G031"}
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_a_single_vector_that_changed_is_other_data(tmp_path):
    stopped_run(tmp_path)
    data = toy_data(noise=0.5)
    (items,) = [of for medium, of in data.train.items() if medium == "text"]
    items.inputs.rows[17, 3] += 1e-3
    with pytest.raises(FaultyInput, match=r"data\.text"):
        Run(recipe(Linear(), **DRAWN), data, tmp_path)


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    stopped_run(tmp_path / "a")
    open_run(tmp_path / "b", noise=0.5, **DRAWN | {"rate": 0.01})
    (tmp_path / "b" / "checkpoint.pt").write_bytes((tmp_path / "a" / "checkpoint.pt").read_bytes())
    with pytest.raises(FaultyInput, match=r"checkpoint.pt, config.rate"):
        open_run(tmp_path / "b", noise=0.5, **DRAWN | {"rate": 0.01}).train()


def test_half_the_way_in_one_precision_and_half_in_another_is_refused(tmp_path):
    stopped_run(tmp_path)
    hardware = Hardware(device=Device.CPU, precision=Precision.BF16)
    with pytest.raises(FaultyInput, match=r"checkpoint.pt, precision"):
        Run(recipe(Linear(), **DRAWN), toy_data(noise=0.5), tmp_path, hardware).train()


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"\x80\x04\x95", torch.zeros(3).numpy().tobytes()]
)
def test_a_damaged_checkpoint_is_named(tmp_path, content):
    stopped_run(tmp_path)
    (tmp_path / "checkpoint.pt").write_bytes(content)
    with pytest.raises(InputError, match=r"FG-G030.*checkpoint.pt") as caught:
        open_run(tmp_path, noise=0.5, **DRAWN).train()
    assert "Delete the file" in caught.value.fix


class Payload:
    """Would write a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_checkpoint_runs_no_code(tmp_path):
    stopped_run(tmp_path)
    torch.save({"version": 1, "model": Payload(tmp_path / "harm")}, tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match="FG-G030"):
        open_run(tmp_path, noise=0.5, **DRAWN).train()
    assert not (tmp_path / "harm").exists()
