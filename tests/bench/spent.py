"""What a process took, by the operating system's count, and where a bench keeps its files."""

from __future__ import annotations

import resource
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from score import run

HERE = Path(__file__).resolve().parent
FGBENCH = (sys.executable, "-m", "fgbench")
WIDTH = 200
"""Of embeddings."""
HALF = 0.5
"""Of the items: enough to train on, where many turns are asked for."""
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Spent:
    """What a process took: wall and CPU seconds, peak MB, and what it printed."""

    wall: float
    cpu: float
    peak: float
    printed: str = ""


@dataclass(frozen=True)
class Bench:
    """Where files lie, and how often a thing is done."""

    folder: Path
    repeat: int
    quick: bool

    def sizes(self, *times: float) -> Sequence[float]:
        return times[:1] if self.quick else times

    def work(self, *arguments: object) -> str:
        """A verb of scale_work.py."""
        return spend(sys.executable, HERE / "scale_work.py", *arguments).printed

    def often(self, *command: object, env: Mapping[str, str] | None = None) -> Spent:
        """Medians of what a command takes."""
        return middle([spend(*command, env=env) for _ in range(self.repeat)])


def spend(*command: object, env: Mapping[str, str] | None = None) -> Spent:
    before = cpu()
    done = run(*map(str, command), env=env)
    return Spent(done.wall, cpu() - before, done.peak, done.printed)


def cpu() -> float:
    """Processor seconds of all children that have ended, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def middle(found: Sequence[Spent]) -> Spent:
    columns = ([getattr(one, name) for one in found] for name in ("wall", "cpu", "peak"))
    return Spent(*map(statistics.median, columns), found[-1].printed)


def shown(spent: Spent) -> tuple[str, str, str]:
    return f"{spent.wall:.1f}", f"{spent.cpu:.1f}", f"{spent.peak:.0f}"
