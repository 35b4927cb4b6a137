"""A board of many methods: seconds to check and to build it, bytes of the first load, and how long
a browser takes to sort and to filter hundreds of rows: until those in sight are in place, and until
all are.

``PYTHONPATH=tests python tests/bench/board.py [--methods 50] [--rows 500] [--keep FOLDER]``

The methods are noise about a point of each of the 200 species, more of it each time, scored at the
full size of fgxmedia-2019. The rows are of a board of eight species, since a row's width in a page
does not hang on the size of its benchmark. ``--keep``: where the entries stay for the next time.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from report import describe_machine, table
from small_board import write_card, write_ground, write_vectors

from fgbench import load_benchmark, score
from fgbench.benchmark import DEFAULT, Benchmark
from fgbench.leaderboard.handin import hand_in, with_card
from fgbench.submission import write_submission

WIDTH = 32
TURNS = 11
FIRST_LOAD = ("index.html", "static/board.css", "static/figures.css", "static/board.js")
CHROMIUM = "/usr/bin/chromium"
TIMED = """async (word) => {
  const table = document.getElementById("sound-averages");
  const find = document.getElementById("find");
  const say = (row) => row.cells[0].dataset.v + row.className;
  const look = () => [...table.tBodies[0].rows].map(say).join();
  const start = performance.now();
  if (word === null) table.querySelector("[data-key='bimodal'] button").click();
  else {
    find.value = word;
    find.dispatchEvent(new Event("input"));
  }
  document.body.getBoundingClientRect();
  const first = performance.now() - start;
  let [all, before] = [first, look()];
  for (let still = 0; still < 20; still += 1) {
    await new Promise(requestAnimationFrame);
    const now = look();
    if (now !== before) [still, all, before] = [0, performance.now() - start, now];
  }
  return [first, all];
}"""
WORDS = {"sort": [None], "filter": ["07", ""], "filter off": ["", "07"]}
"""What is typed in turn, the first of each measured; None: a click."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", type=int, default=50)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    machine = describe_machine()
    with tempfile.TemporaryDirectory() as folder:
        root = asked.keep or Path(folder)
        root.mkdir(parents=True, exist_ok=True)
        full = fill(root / f"full-{asked.methods}", asked.methods, load_benchmark(DEFAULT), draw)
        rows = [time_verb(TURNS, "check", full)]
        rows.append(time_verb(TURNS, "build", full, "--out", str(root / "site")))
        sizes = [p.stat().st_size for p in (root / "site").rglob("*") if p.is_file()]
        first = sum((root / "site" / name).stat().st_size for name in FIRST_LOAD)
        ground = root / "ground"
        if not ground.is_dir():
            write_ground(ground)
        many = fill(root / f"rows-{asked.rows}", asked.rows, load_benchmark(ground), small)
        where = ("--benchmark", str(ground))
        rows.append(time_verb(1, "build", many, *where, "--out", str(root / "rows")))
        header = ["fgbench leaderboard", "entries", "wall s", "least", "most", "CPU s", "peak MB"]
        print("\n".join(table(header, rows)), "\n")
        print(f"The site of {asked.methods}: {len(sizes):,} files, {sum(sizes) / 1e6:.0f} MB\n")
        print(f"First load of the board of {asked.methods} methods: {first / 1e3:.0f} KB\n")
        print(
            "\n".join(
                table(
                    ["in Chromium", "rows", "in sight, ms", "most", "all, ms"], browse(root, asked)
                )
            ),
            "\n",
        )
    print("\n".join(f"{what}: {said}" for what, said in machine.items()))


def fill(
    results: Path, count: int, benchmark: Benchmark, make: Callable[[Path, int, Benchmark], Path]
) -> Path:
    """The store of as many entries, made where it is not there."""
    if results.is_dir():
        return results
    part = results.with_suffix(".part")
    for number in range(count):
        with tempfile.TemporaryDirectory() as folder:
            vectors = make(Path(folder) / "v.npz", number, benchmark)
            card = write_card(Path(folder) / "c.yaml", method=f"Method number {number:03}")
            # A store of its own: the look for a name like it goes through all entries.
            apart = Path(folder) / "results"
            entry = hand_in(score(with_card(vectors, card, benchmark), benchmark), apart)
            target = part / entry.relative_to(apart)
            target.parent.mkdir(parents=True)
            shutil.move(entry, target)
        print(f"\r{results.name}: {number + 1} of {count}", end="", file=sys.stderr)
    print(file=sys.stderr)
    part.rename(results)
    return results


def draw(path: Path, number: int, benchmark: Benchmark) -> Path:
    """A submission of full size, noisier than the one before."""
    rng = np.random.default_rng(number)
    points = np.random.default_rng(0).normal(size=(200, WIDTH)).astype(np.float32)
    rows = {
        m: points[items.labels]
        + rng.normal(scale=2 + number / 50, size=(len(items), WIDTH)).astype(np.float32)
        for m, items in benchmark.items.items()
    }
    ids = {m: items.ids for m, items in benchmark.items.items()}
    write_submission(path, ids=ids, embeddings=rows, meta={})
    return path


def small(path: Path, number: int, benchmark: Benchmark) -> Path:
    return write_vectors(path, number)


def time_verb(turns: int, verb: str, results: Path, *options: str) -> list[str]:
    """A row of the table: the command in a process of its own each turn, medians and extremes."""
    place = (str(results),) if verb == "check" else ("--results", str(results))
    wall, cpu, peak = [], [], []
    for _ in range(turns):
        before = time.perf_counter()
        child = subprocess.Popen(
            [sys.executable, "-m", "fgbench", "leaderboard", verb, *place, *options, "--json"],
            stdout=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(child.pid, 0)
        if status:
            raise SystemExit(f"{verb} of {results} failed")
        wall.append(time.perf_counter() - before)
        cpu.append(used.ru_utime + used.ru_stime)
        peak.append(used.ru_maxrss * 1024 / 1e6)
    count = sum(1 for _ in results.glob("*/*/"))
    times = (f"{s:.1f}" for s in (median(wall), min(wall), max(wall), median(cpu)))
    return [verb, str(count), *times, f"{max(peak):.0f}"]


def browse(root: Path, asked: argparse.Namespace) -> list[list[str]]:
    """Milliseconds until what is in sight is laid out, median and most, and until all is."""
    from playwright.sync_api import sync_playwright

    rows = []
    with sync_playwright() as api:
        browser = api.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto((root / "rows" / "index.html").as_uri())
        for name, words in WORDS.items():
            turns = [[page.evaluate(TIMED, word) for word in words] for _ in range(TURNS)]
            first, whole = zip(*(turn[0] for turn in turns), strict=True)
            times = (median(first), max(first), median(whole))
            rows.append([name, str(asked.rows), *(f"{ms:.0f}" for ms in times)])
        browser.close()
    return rows


if __name__ == "__main__":
    main()
