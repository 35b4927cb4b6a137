"""A dask cluster of processes of its own, and one to ask it: a test's own process has no part.

``python tests/dask_cluster.py ENGINE FUNCTION COUNT [PATIENCE]`` maps a function of this file over
``range(COUNT)``, with PATIENCE seconds for the cluster. It prints a line when the first result is
there, and then, as JSON, what came of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fgbench import cluster
from fgbench.engine import check_engine, map_unordered
from fgbench.errors import FgbenchError, InputError


def process(n: int) -> int:
    time.sleep(0.05)
    return os.getpid()


def waits(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def double(n: int) -> int:
    return 2 * n


def fails_at_70(n: int) -> int:
    if n == 70:
        raise InputError("FG-X001", "seventy", why="it is the number", fix="take another")
    return n


def ends_at_5(n: int) -> int:
    if n == 5:
        os._exit(1)
    return n


def slow(n: int) -> int:
    time.sleep(0.1)
    return n


class Cluster:
    """A scheduler and its workers. ``engine`` is what fgbench calls it."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack, self._folder = stack, folder
        self.scheduler = self._start("dask_scheduler", "--port", "0", "--host", "127.0.0.1")
        self._address = self._said(self.scheduler, "Scheduler at:").split()[-1]
        self.engine = self._address.replace("tcp://", "dask://")

    def add_worker(self, *options: str) -> subprocess.Popen[bytes]:
        worker = self._start("dask_worker", self._address, "--nthreads", "1", *options)
        self._said(worker, "Registered to:")
        return worker

    def _start(self, program: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{program}", "--no-dashboard", *options]
        log = self._stack.enter_context((self._folder / f"{time.monotonic_ns()}.log").open("wb"))
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder)
        self._stack.callback(_end, process)
        process.log = Path(log.name)  # type: ignore[attr-defined]
        return process

    def _said(self, process: subprocess.Popen[bytes], words: str) -> str:
        """The line in which a process says that it is there."""
        until = time.monotonic() + 60
        while time.monotonic() < until and process.poll() is None:
            for line in process.log.read_text().splitlines():  # type: ignore[attr-defined]
                if words in line:
                    return line
            time.sleep(0.05)
        raise RuntimeError(process.log.read_text())  # type: ignore[attr-defined]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def started(folder: Path) -> Iterator[Cluster]:
    """A scheduler whose processes end with the context; ``folder`` is theirs to work in."""
    with ExitStack() as stack:
        yield Cluster(stack, folder)


def ask(*arguments: object, cwd: Path | None = None) -> subprocess.Popen[str]:
    """This file as a program, at work."""
    command = [sys.executable, __file__, *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd
    )


def main(engine: str, function: str, count: str, patience: str = "30") -> None:
    cluster._ANSWER = cluster._RESTART = float(patience)
    found: dict[str, list[object]] = {}
    try:
        if function == "check":
            check_engine(engine, Path(count))
        else:
            found["results"] = []
            for result in map_unordered(globals()[function], range(int(count)), engine=engine):
                if not found["results"]:
                    print("begun", flush=True)
                found["results"].append(result)
    except FgbenchError as error:
        found = {"error": [error.code, error.what, error.why, error.fix]}
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
