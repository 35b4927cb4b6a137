from __future__ import annotations

import json
import os
import time

import pytest
from dask_cluster import ask, double, ends_at_5, fails_at_70, process, started, waits

from fgbench.engine import map_unordered
from fgbench.errors import InputError


@pytest.fixture(params=[1, 2])
def where(request):
    """In this process, and on two workers of this machine."""
    return {"workers": request.param}


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


def test_an_item_that_ends_its_worker():
    with pytest.raises(InputError, match="FG-E006"):
        list(map_unordered(ends_at_5, range(20), workers=2))
    assert sorted(map_unordered(double, range(5), workers=2)) == [0, 2, 4, 6, 8]


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A cluster of two workers, each with a nanny that starts it anew."""
    pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    with started(tmp_path_factory.mktemp("pair")) as cluster:
        cluster.add_worker("--nanny")
        cluster.add_worker("--nanny")
        yield cluster


@pytest.fixture
def mortal(tmp_path):
    """A cluster without workers yet."""
    pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    with started(tmp_path) as cluster:
        yield cluster


def outcome(client):
    """What a client found, and the seconds that it took: a fault that is waited for is a hang."""
    began = time.monotonic()
    out, err = client.communicate(timeout=60)
    assert client.returncode == 0, err
    assert "Traceback" not in err
    return json.loads(out.splitlines()[-1]), time.monotonic() - began


def results(found):
    return sorted(found["results"])


def test_a_cluster_of_two_processes_does_the_same(pair):
    assert results(outcome(ask(pair.engine, "double", 300))[0]) == list(range(0, 600, 2))
    assert results(outcome(ask(pair.engine, "double", 0))[0]) == []
    told = ["FG-X001", "seventy", "it is the number", "take another"]
    assert outcome(ask(pair.engine, "fails_at_70", 200))[0] == {"error": told}


def test_an_item_that_ends_every_worker_of_a_cluster(pair):
    code, what, why, fix = outcome(ask(pair.engine, "ends_at_5", 20))[0]["error"]
    assert (code, what) == ("FG-E006", "a worker ended in the middle of its work")
    assert "4 different workers" in why
    assert "memory" in fix


def test_workers_that_do_not_see_the_folder(pair, tmp_path):
    assert outcome(ask(pair.engine, "check", tmp_path))[0] == {}
    (tmp_path / "here").mkdir()
    found, _ = outcome(ask(pair.engine, "check", "here", cwd=tmp_path))
    code, what, why, fix = found["error"]
    assert (code, what) == ("FG-E007", "2 of 2 dask workers cannot work for this build")
    assert why.count("it does not see here: No such file or directory") == 2
    assert "absolute path" in fix
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
    assert list((tmp_path / "here").iterdir()) == []


def test_workers_that_end_one_after_the_other(mortal):
    one, two = mortal.add_worker("--no-nanny"), mortal.add_worker("--no-nanny")
    client = ask(mortal.engine, "slow", 40)
    client.stdout.readline()
    one.kill()
    assert results(outcome(client)[0]) == list(range(40))  # the other does the rest
    client = ask(mortal.engine, "slow", 1000, 2)
    client.stdout.readline()
    two.kill()
    found, seconds = outcome(client)
    assert found["error"][:3] == ["FG-E005", "the dask cluster went away", "no worker is left"]
    assert seconds < 30
    found, _ = outcome(ask(mortal.engine, "double", 1, 2))
    assert found["error"][0] == "FG-E004"
    assert "has no worker" in found["error"][1]


def test_a_scheduler_that_ends(mortal):
    mortal.add_worker("--no-nanny")
    client = ask(mortal.engine, "slow", 1000)
    client.stdout.readline()
    mortal.scheduler.kill()
    found, seconds = outcome(client)
    assert found["error"][:2] == ["FG-E005", "the dask cluster went away"]
    assert seconds < 30


def test_a_scheduler_that_is_not_there(monkeypatch):
    monkeypatch.setattr("fgbench.cluster._ANSWER", 0.2)
    pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    with pytest.raises(InputError, match=r"FG-E004.*no dask scheduler answers at"):
        list(map_unordered(double, [1], engine="dask://no-such-host.invalid:1"))
