"""``fgbench build-data`` asks all hosts at once, each at its pace: the whole is the slowest host.

``python tests/bench/hosts.py [--pace 0.1]`` crawls the sample world at that part of the real paces.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from fgbench.collect.crawl.asker import Event
from fgbench.collect.crawl.pace import Patience
from fgbench.collect.options import Options, decide
from fgbench.collect.pipeline import build
from fgbench.collect.progress import Silence
from fgbench.collect.sample import CUB_IDS, sample_world
from fgbench.settings import Settings


class Hosts(Silence):
    """Notes when each host was asked, and when the crawl began and ended."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}
        self.asked: Counter[str] = Counter()
        self.ended: dict[str, float] = {}
        self.waited: Counter[str] = Counter()
        self._lock = threading.Lock()

    def step(self, name: str) -> None:
        self.steps[name] = time.perf_counter()

    def watch(self, host: str, event: Event, figure: float) -> None:
        with self._lock:
            if event is Event.ASKED:
                self.asked[host] += 1
                self.ended[host] = time.perf_counter()
            if event is Event.WAITING:
                self.waited[host] += figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pace", type=float, default=0.1)
    pace = parser.parse_args().pace
    hosts = Hosts()
    with sample_world() as world, tempfile.TemporaryDirectory() as folder:
        species = ",".join(map(str, CUB_IDS))
        decision = decide(Options("text", species, sample=True), Settings())
        settings, patience = world.settings(Settings()), Patience(pace=pace)
        build(
            Path(folder),
            decision.recipe,
            decision.sites,
            settings,
            patience=patience,
            progress=hosts,
        )
    start, end = hosts.steps["find and fetch"], hosts.steps["read and clean"]
    print("host                    requests  waited s  last asked after s")
    for host, ended in sorted(hosts.ended.items(), key=lambda one: -one[1]):
        waited = hosts.waited[host]
        print(f"{host:22} {hosts.asked[host]:9} {waited:9.1f} {ended - start:19.1f}")
    print(f"all {hosts.asked.total():28} {hosts.waited.total():9.1f} {end - start:19.1f}")


if __name__ == "__main__":
    main()
