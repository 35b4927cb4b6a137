"""Two processes, each with half of every step's rows, come to what one comes to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from train.trained_toy import VALUES, open_run

TESTS = Path(__file__).resolve().parents[1]


def launch(out: Path, processes: int) -> subprocess.CompletedProcess[str]:
    program = str(TESTS / "train" / "trained_toy.py")
    ports = ["--standalone", "--nproc_per_node", str(processes)]
    command = [sys.executable, "-m", "torch.distributed.run", *ports, program, str(out)]
    paths = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    out = tmp_path_factory.mktemp("alone")
    run = open_run(out, noise=0.0, **VALUES)
    run.train()
    run.embed()
    return out


def test_two_processes_equal_one(alone, tmp_path):
    done = launch(tmp_path, 2)
    assert done.returncode == 0, done.stderr
    with np.load(alone / "submission.npz") as one, np.load(tmp_path / "submission.npz") as two:
        for medium in ("image", "text", "audio"):
            assert np.array_equal(one[f"{medium}_ids"], two[f"{medium}_ids"])
            np.testing.assert_allclose(two[medium], one[medium], rtol=0, atol=1e-6)
    logs = [(out / "log.jsonl").read_text().splitlines() for out in (alone, tmp_path)]
    assert len(logs[0]) == len(logs[1])
