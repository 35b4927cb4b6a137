from __future__ import annotations

import threading
import time

import pytest

from fgbench.collect.crawl.pace import Stopped, SystemClock
from fgbench.collect.crawl.plan import HostPlan, plan
from fgbench.collect.crawl.workers import run_hosts


def test_hosts_work_side_by_side_and_each_in_order():
    meet = threading.Barrier(3, timeout=10)  # breaks unless all three are at work at once

    def job(host: str, n: int):
        def run() -> tuple[str, int]:
            if n == 0:
                meet.wait()
            return host, n

        return run

    jobs = {host: [job(host, n) for n in range(4)] for host in "abc"}
    results = list(run_hosts(jobs, SystemClock()))
    assert sorted(results) == [(host, n) for host in "abc" for n in range(4)]
    for host in "abc":
        assert [n for h, n in results if h == host] == [0, 1, 2, 3]


def test_progress_is_told():
    seen = []
    jobs = {"a": [lambda: 1, lambda: 2], "b": []}
    list(run_hosts(jobs, SystemClock(), lambda *event: seen.append(event)))
    assert sorted(seen) == [
        ("a", "finished", 1),
        ("a", "finished", 1),
        ("a", "queued", 2),
        ("b", "queued", 0),
    ]


def test_an_error_stops_everyone_even_who_sleeps():
    clock, after = SystemClock(), []

    def sleepy() -> None:
        clock.sleep(60)
        after.append("woke as if nothing were")

    def fails() -> None:
        raise ZeroDivisionError("mine")

    start = time.monotonic()
    with pytest.raises(ZeroDivisionError, match="mine"):
        list(run_hosts({"a": [sleepy, sleepy], "b": [fails]}, clock))
    assert time.monotonic() - start < 30
    assert after == []


def test_who_stops_reading_stops_the_work():
    clock, done = SystemClock(), []

    def job() -> int:
        done.append(1)
        clock.sleep(0.01)
        return 1

    results = run_hosts({"a": [job] * 1000}, clock)
    next(results)
    results.close()
    assert len(done) < 1000
    with pytest.raises(Stopped):
        clock.sleep(0)


def test_the_plan_is_an_upper_bound_by_host(site):
    sites = [
        site("slow", pace=5.0, requests_per_query=3),
        site("quick", pace=0.5, requests_per_query=1, rule="terms"),
        site("twin", hosts=("quick.example",), pace=1.0, requests_per_query=1, rule="terms"),
    ]
    assert plan(sites, queries=10, sounds={"slow": 2}) == (
        HostPlan("slow.example", 33, 165.0),
        HostPlan("quick.example", 20, 15.0),
    )
