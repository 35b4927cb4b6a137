from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fgbench.engine import map_unordered
from fgbench.errors import InputError


def double(n: int) -> int:
    return 2 * n


def process(n: int) -> int:
    time.sleep(0.05)
    return os.getpid()


def waits(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def fails_at_70(n: int) -> int:
    if n == 70:
        raise InputError("FG-X001", "seventy", why="it is the number", fix="take another")
    return n


@pytest.fixture(params=[1, 2])
def where(request):
    """In this process, and on two workers of this machine."""
    return {"workers": request.param}


def test_a_cluster_of_two_processes_does_the_same():
    pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    script = Path(__file__).parent / "dask_cluster.py"
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=240, check=True
    )
    found = json.loads(done.stdout)
    assert found["doubled"] == list(range(0, 600, 2))
    assert found["nothing"] == []
    assert found["error"] == ["FG-X001", "seventy", "it is the number", "take another"]


def test_every_item_once(where):
    assert sorted(map_unordered(double, iter(range(300)), **where)) == list(range(0, 600, 2))
    assert list(map_unordered(double, [], **where)) == []


def test_an_exception_keeps_its_type_and_what_it_says(where):
    """``InputError`` cannot be unpickled by itself: its ``__init__`` takes keywords."""
    with pytest.raises(InputError) as caught:
        list(map_unordered(fails_at_70, range(200), **where))
    error = caught.value
    assert (error.code, error.what, error.fix) == ("FG-X001", "seventy", "take another")
    assert (error.exit_code, error.why) == (2, "it is the number")


def test_one_worker_is_this_process():
    assert set(map_unordered(process, range(2), workers=1)) == {os.getpid()}
    assert os.getpid() not in set(map_unordered(process, range(2), workers=2))


def test_the_first_finished_comes_first():
    assert list(map_unordered(waits, [1.0, 0.0], workers=2)) == [0.0, 1.0]


def test_looks_no_further_ahead_than_it_says():
    drawn = []

    def items():
        for n in range(10_000):
            drawn.append(n)
            yield n

    results = map_unordered(double, items(), workers=2)
    next(results)
    time.sleep(0.5)
    assert len(drawn) <= 64 * 2
    results.close()


@pytest.mark.filterwarnings("error")
def test_results_may_be_left_unread():
    results = map_unordered(double, range(1000), workers=2)
    next(results)
    results.close()
    assert sorted(map_unordered(double, range(5), workers=2)) == [0, 2, 4, 6, 8]


@pytest.mark.parametrize(
    ("options", "code"),
    [({"engine": "slurm"}, "FG-E002"), ({"workers": 0}, "FG-E003")],
)
def test_what_there_is_not(options, code):
    with pytest.raises(InputError, match=code):
        list(map_unordered(double, [1], **options))


def test_a_scheduler_that_is_not_there(monkeypatch):
    monkeypatch.setattr("fgbench.engine._ANSWER", 0.2)
    pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    with pytest.raises(InputError, match=r"FG-E004.*no dask scheduler answers at"):
        list(map_unordered(double, [1], engine="dask://no-such-host.invalid:1"))
