"""Builds on the sample world that are killed at random moments, and go on.

``python tests/soak/kill.py [--rounds 20] [--seed N]``; the suite runs three rounds.

A round: a build is killed with SIGKILL up to twice, each at a drawn request or, one time in four,
after a drawn time, and then left to its end. Its manifests must equal those of a build that nobody
disturbed, byte for byte, and no URL whose outcome was journalled when a build was killed may be
asked again.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fgbench.collect.sample import SampleWorld, sample_world

DELAY = 0.02
"""Seconds that each site takes over an answer: so that most of a build's time is the crawl's."""
KILLS = 2
SPECIES = "1,141"
_BUILD = f"""
import sys
from pathlib import Path
from fgbench.collect.crawl.pace import Patience
from fgbench.collect.options import Options, decide
from fgbench.collect.pipeline import build
from fgbench.settings import load
settings = load()
options = Options("text,audio", "{SPECIES}", per_class=4, sample=True)
decision = decide(options, settings)
print("begins", flush=True)
build(Path(sys.argv[1]), decision.recipe, decision.sites, settings, patience=Patience(pace=0))
"""


@dataclass(frozen=True)
class Round:
    """How many answers a build had each time it was killed, and what is wrong with its end."""

    answered: tuple[int, ...]
    asked_again: frozenset[str]
    differing: tuple[str, ...]

    @property
    def good(self) -> bool:
        return not self.asked_again and not self.differing


def rounds(folder: Path, number: int, seed: int) -> Iterator[Round]:
    """That many rounds, each in a folder of its own."""
    rng = random.Random(seed)
    texts = ("wikipedia", "allaboutbirds", "audubon", "fandom", "nhpbs", "ebird", "mnbirdatlas")
    others = ("wayback", "xeno-canto", "freesound", "avibase", "bird-sounds", "soundcloud")
    with sample_world(delays=dict.fromkeys((*texts, *others), DELAY)) as world:
        build = begin(folder / "whole", world)
        start = time.monotonic()
        build.wait()
        whole = time.monotonic() - start
        requests = len(world.asked)
        for n in range(number):
            yield disturb(folder / str(n), folder / "whole", world, (whole, requests), rng)


def disturb(
    folder: Path,
    undisturbed: Path,
    world: SampleWorld,
    whole: tuple[float, int],
    rng: random.Random,
) -> Round:
    """One round. ``whole``: seconds and requests that a build takes once it has begun."""
    runs: list[tuple[Counter[str], Counter[str]]] = []
    killed = True
    while killed:
        known, before = answers(folder), len(world.asked)
        build = begin(folder, world)
        killed = len(runs) < KILLS and wait_for_the_moment(build, world, whole, rng)
        if killed:
            os.killpg(build.pid, signal.SIGKILL)
        build.wait()
        runs.append((known, targets(a.target for a in world.asked[before:])))
    if build.returncode:
        sys.exit("the build that nobody killed failed")
    every = answers(folder)
    again = {t for known, asked in runs for t, n in asked.items() if n > every[t] - known[t]}
    counts = tuple(known.total() for known, _ in runs[1:])
    return Round(counts, frozenset(again), differences(folder, undisturbed))


def wait_for_the_moment(
    build: subprocess.Popen[str], world: SampleWorld, whole: tuple[float, int], rng: random.Random
) -> bool:
    """Whether the build still runs at a drawn moment: a request, so that a slow machine changes
    nothing, or a time, so that it may be long after the last one."""
    seconds, requests = whole
    by_time = rng.random() < 0.5
    until = time.monotonic() + rng.uniform(0, seconds)
    count = len(world.asked) + rng.randrange(requests)
    while build.poll() is None:
        if (time.monotonic() >= until) if by_time else (len(world.asked) >= count):
            time.sleep(rng.uniform(0, DELAY))
            return build.poll() is None
        time.sleep(DELAY / 10)
    return False


def begin(folder: Path, world: SampleWorld) -> subprocess.Popen[str]:
    """A build in a process group of its own, once it is past its imports."""
    build = subprocess.Popen(
        [sys.executable, "-c", _BUILD, str(folder)],
        env={**os.environ, **world.environ},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert build.stdout is not None
    build.stdout.readline()
    return build


def targets(found: Iterable[str]) -> Counter[str]:
    """Paths and queries, each as often as it comes: two hosts of a site may have the same.

    robots.txt is left out: it is asked for once a run.
    """
    return Counter(target for target in found if target != "/robots.txt")


def answers(folder: Path) -> Counter[str]:
    """The targets of every URL whose outcome is journalled."""
    if not (folder / "journal.sqlite").exists():
        return Counter()
    journal = sqlite3.connect(folder / "journal.sqlite")
    try:
        urls = [urlsplit(url) for (url,) in journal.execute("SELECT url FROM fetch")]
    except sqlite3.OperationalError:  # killed before there was a table
        urls = []
    journal.close()
    return targets(u.path + (f"?{u.query}" if u.query else "") for u in urls)


def differences(folder: Path, other: Path) -> tuple[str, ...]:
    """The manifests and media that two builds do not have alike."""
    one, two = (
        {
            str(path.relative_to(build)): path.read_bytes()
            for part in ("manifests", "media")
            for path in (build / part).rglob("*")
            if path.is_file()
        }
        for build in (folder, other)
    )
    return tuple(sorted(n for n in {*one, *two} if one.get(n) != two.get(n)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    options = parser.parse_args()
    print(f"seed {options.seed}")
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for n, done in enumerate(rounds(Path(folder), options.rounds, options.seed), 1):
            bad += not done.good
            said = "good" if done.good else f"BAD: {done.asked_again} {done.differing}"
            kills = ", ".join(map(str, done.answered)) or "never"
            print(f"{n:3}  killed at so many answers: {kills}. {said}", flush=True)
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
