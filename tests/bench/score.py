"""``fgbench score`` beside the bare matrix product and other ways to the same MAPs.

``python tests/bench/score.py [--quick] [--repeat N] [--peers NAME,…] [--out FILE]``

Every way runs in a process of its own on the same full-size submission; wall time and peak memory
are the operating system's, for that very process. This process imports the standard library only:
Linux hands the peak memory of a parent down to its child, so a large parent would hide small ones.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import report

HERE = Path(__file__).resolve().parent
ALL = 10**9
QUICK, SIGNED = 60, 400


@dataclass(frozen=True)
class Peer:
    """A way in peers.py, and how many queries it is asked: fewer where it is slow."""

    name: str
    title: str
    queries: int = 2_000


PEERS = (
    Peer("authors", "the authors' way: SciPy cdist, argsort, a Python loop", 1_000),
    Peer("numpy", "NumPy, a stable argsort a task"),
    Peer("numpy-shared", "NumPy, one stable argsort for all tasks of a query", ALL),
    Peer("sklearn", "scikit-learn average_precision_score"),
    Peer("metric-learning", "pytorch-metric-learning AccuracyCalculator", ALL),
    Peer("torchmetrics", "torchmetrics RetrievalMAP"),
    Peer("pytrec_eval", "pytrec_eval map", 400),
    Peer("ranx", "ranx map", 200),
)


class Failed(Exception):
    """A process ended with an error: its exit code and the last line that it wrote."""


@dataclass(frozen=True)
class Process:
    """One finished process: wall seconds, peak resident MB, and what it printed."""

    wall: float
    peak: float
    printed: str


def run(*arguments: str | Path, env: Mapping[str, str] | None = None) -> Process:
    """Run to the end and measure that very process (wait4), not all children together."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        start = time.perf_counter()
        child = subprocess.Popen(
            list(map(str, arguments)), stdout=out, stderr=err, env={**os.environ, **(env or {})}
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if child.returncode:
            say(message := err.read())
            last = (message.strip().splitlines() or ["no message"])[-1]
            raise Failed(f"exit code {child.returncode}: {last}")
        return Process(wall, usage.ru_maxrss * 1024 / 1e6, out.read())


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Bench:
    """The files of one run, and the processes that use them."""

    folder: Path
    benchmark: str

    def script(
        self, name: str, *arguments: object, env: Mapping[str, str] | None = None
    ) -> Process:
        """A script of this folder, in this interpreter."""
        return run(sys.executable, HERE / f"{name}.py", *map(str, arguments), env=env)

    @property
    def kernels(self) -> dict[str, str]:
        """A numba cache of our own: empty at first, so that cold and warm can be told apart."""
        return {"NUMBA_CACHE_DIR": str(self.folder / "numba")}

    def file(self, kind: str) -> Path:
        return self.folder / f"{kind}.npz"

    def plain(self, kind: str) -> Path:
        return self.folder / f"{kind}-plain.npz"

    def score(self, kind: str) -> Process:
        """The command as a user calls it; leaves its record and per-query values in ``KIND/``."""
        command = Path(sys.executable).with_name("fgbench")
        options = ("--benchmark", self.benchmark, "--out", self.folder / kind)
        return run(command, "score", self.file(kind), *options, env=self.kernels)

    def measure_ours(self, repeat: int) -> report.Ours:
        """The product and fgbench by turns, inside one process and as whole processes."""
        say("fgbench score, cold")
        cold = self.score("positive")
        inside, whole = [], []
        for turn in range(1, repeat + 1):
            say(f"product and fgbench score, turn {turn} of {repeat}")
            arguments = (self.file("positive"), self.plain("positive"), self.benchmark, 2)
            inside.append(json.loads(self.script("inside", *arguments, env=self.kernels).printed))
            whole.append(self.score("positive"))
        return report.Ours.of(inside, whole, cold)

    def measure_peers(self, kind: str, names: list[str], most: int) -> Iterator[report.Row]:
        """Each peer on its sample, with fgbench's values for the same queries.

        OpenMP threads wait passively: where they spin, as by default, torch's sorts of single rows
        are slower by far on busy cores (two cores, 401 queries: 22.0 s against 2.6 s).
        """
        for peer in (p for p in PEERS if p.name in names):
            say(f"{peer.title}, {kind} features")
            queries = min(peer.queries, most)
            try:
                process = self.script(
                    "peers",
                    *(peer.name, self.plain(kind), queries),
                    env={"OMP_WAIT_POLICY": "passive", **self.kernels},
                )
            except Failed as failure:
                yield report.Row(peer.title, failed=str(failure))
                continue
            per_query = self.folder / kind / "per_query.parquet"
            expected = self.script("workload", "expect", per_query, self.plain(kind), queries)
            yield report.Row(
                peer.title,
                wall=process.wall,
                peak=process.peak,
                expected=json.loads(expected.printed),
                **json.loads(process.printed),
            )


def main() -> None:
    names = [p.name for p in PEERS]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one turn, small samples: no figures")
    parser.add_argument("--repeat", type=int, default=5, metavar="N", help="turns (default 5)")
    parser.add_argument("--peers", default=",".join(names), help=f"some of {','.join(names)}")
    parser.add_argument("--out", type=Path, default=Path("bench-out/score.md"), metavar="FILE")
    parser.add_argument("--benchmark", default="fgxmedia-2019", metavar="ID|FOLDER")
    options = parser.parse_args()
    chosen = [name for name in options.peers.split(",") if name]
    if unknown := sorted(set(chosen) - set(names)):
        parser.error(f"no peer {', '.join(unknown)}; there are {', '.join(names)}")
    most = QUICK if options.quick else ALL
    machine = report.describe_machine()
    with tempfile.TemporaryDirectory(prefix="fgbench-bench-") as folder:
        bench = Bench(Path(folder), options.benchmark)
        bench.script("workload", "make", folder, options.benchmark)
        ours = bench.measure_ours(1 if options.quick else options.repeat)
        positive = list(bench.measure_peers("positive", chosen, most))
        bench.score("signed")
        signed = list(bench.measure_peers("signed", chosen, min(most, SIGNED)))
    text = report.render(machine, ours, positive, signed, quick=options.quick)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text, "utf-8")
    print(text)
    say(f"written to {options.out}")


if __name__ == "__main__":
    main()
